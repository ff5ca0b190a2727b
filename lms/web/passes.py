"""Passes for nginx: a short-lived cookie bound to a path, which nginx checks by itself (secure_link), so that no segment costs us anything.

A pass opens one place: all addresses below one asset or one running class. It is given with an answer to somebody whose right was just
checked, lives for less than a minute, and is given anew by every heartbeat; without one nginx asks us, as if it were not there.
"""

import base64
import hashlib
import time

from flask import Response, request

from lms.core import signing

COOKIE = "lectern_pass"
SECONDS = 55  # with the clock of another machine a little off, still less than the minute in which a right must end
ASKED = "Lectern-Passes"  # nginx says by this header that it takes passes


def secret() -> str:
    """What nginx and we know, and nobody else: it stands in nginx's settings."""
    return signing.key("web:passes").hex()


def make_pass(place: str, *, at: float) -> str:
    """The pass for a place (a path that ends in a slash) from a moment on: the digest nginx counts as well, and until when."""
    until = int(at) + SECONDS
    digest = hashlib.md5(f"{until}{place} {secret()}".encode(), usedforsecurity=False).digest()
    return f"{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}.{until}"


def give_pass(response: Response, place: str) -> Response:
    """Let this browser's next requests below the place pass nginx, when there is one that asks for passes."""
    if request.headers.get(ASKED):
        made = make_pass(place, at=time.time())
        response.set_cookie(COOKIE, made, max_age=SECONDS, path=place, secure=request.is_secure, httponly=True, samesite="Lax")
    return response
