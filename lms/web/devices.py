"""What a browser is known by where the number of devices counts: a long-lived signed cookie with a name that says nothing else.

No traits of the browser are gathered. A browser without the cookie is named after its sign-in, so that two pages that open at
once are one device; from then on the cookie keeps the name, through later sign-ins of whoever uses the browser.
"""

import time
from typing import NamedTuple

from flask import Response, after_this_request, request

from lms.core import signing
from lms.core.errors import Forbidden
from lms.web.access import actor

COOKIE = "lectern_device"
PURPOSE = "web:device"
SECONDS = 400 * 86_400  # as long as browsers keep any cookie
FRESH = SECONDS - 30 * 86_400  # with less left it is given anew


class ThisDevice(NamedTuple):
    """The device a request comes from: its name, and what its browser says it is."""

    mark: str
    agent: str


def this_device() -> ThisDevice:
    """The device of the running request, whose person is known; a browser keeps its name from now on."""
    agent = request.user_agent.string[:200]
    if request.path.startswith("/api/"):
        return ThisDevice(_named(f"app {actor().user_id}"), agent)
    kept, left = _kept()
    mark = kept or _named(f"sign-in {actor().session_id}")
    if left < FRESH:
        after_this_request(lambda response: _keep(response, mark))
    return ThisDevice(mark, agent)


def _named(origin: str) -> str:
    return signing.digest(PURPOSE, origin).hex()[:32]


def _kept() -> tuple[str, float]:
    """The name in the cookie and how many seconds it lasts; ("", 0) without one of ours."""
    try:
        claims = signing.unsign(PURPOSE, request.cookies.get(COOKIE, "")[:400])
    except Forbidden:
        return "", 0.0
    return claims["d"], claims["exp"] - time.time()


def _keep(response: Response, mark: str) -> Response:
    made = signing.sign(PURPOSE, {"d": mark}, seconds=SECONDS)
    response.set_cookie(COOKIE, made, max_age=SECONDS, secure=request.is_secure, httponly=True, samesite="Lax", path="/")
    return response
