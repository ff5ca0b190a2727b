"""Signatures and digests, all derived from the one secret key and bound to a purpose."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from lms.config import derive_key
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _

_secret: list[bytes] = []


def use_secret(secret: bytes) -> None:
    """Make this the secret key of the process."""
    _secret[:] = [secret]


def key(purpose: str) -> bytes:
    """The 32-byte key of a purpose."""
    if not _secret:
        raise RuntimeError("no secret key: create_app() or a test sets it")
    return derive_key(_secret[0], purpose)


def digest(purpose: str, value: str) -> bytes:
    """HMAC-SHA-256 of a value under the purpose's key: what is stored in place of codes and tokens."""
    return hmac.new(key(purpose), value.encode(), hashlib.sha256).digest()


def same(one: bytes | str, other: bytes | str) -> bool:
    """Whether two secrets are equal, in constant time."""
    left = one.encode() if isinstance(one, str) else one
    right = other.encode() if isinstance(other, str) else other
    return hmac.compare_digest(left, right)


def sign(purpose: str, claims: dict[str, Any], *, seconds: int) -> str:
    """A URL-safe token that carries claims, valid for that many seconds and for that purpose alone."""
    body = _encode(json.dumps({**claims, "exp": int(time.time()) + seconds}, sort_keys=True, separators=(",", ":")).encode())
    return f"{body}.{_encode(digest(purpose, body))}"


def unsign(purpose: str, signed: str) -> dict[str, Any]:
    """The claims of a token `sign` made; raises Forbidden when it was changed, is of another purpose, or is past its time."""
    body, _dot, signature = signed.partition(".")
    if not same(_encode(digest(purpose, body)), signature):
        raise Forbidden(_("This link is not valid. Ask for a new one."), rule="signature")
    claims: dict[str, Any] = json.loads(_decode(body))
    if claims["exp"] < time.time():
        raise Forbidden(_("This link has expired. Ask for a new one."), rule="expired")
    return claims


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
