"""One-time tickets: what a browser shows when it opens a socket, got over HTTPS a moment before and good for one handshake."""

import json
from hashlib import sha256

from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Unavailable
from lms.core.i18n import gettext as _
from lms.core.ids import token
from lms.core.redis import RedisError, redis
from lms.core.tenancy import current_channel

SECONDS = 30


def make_ticket(purpose: str, session_digest: bytes, *, by: Actor) -> str:
    """A ticket for one handshake within 30 seconds, bound to the purpose, the channel and the browser's sign-in."""
    made = token()
    claims = {"for": purpose, "channel": str(current_channel()), "session": session_digest.hex(), "user": str(by.user_id)}
    try:
        redis().set(_key(made), json.dumps(claims), ex=SECONDS)
    except RedisError as error:
        raise Unavailable(_("Live news is away for a moment. Everything else works as before.")) from error
    return made


def use_ticket(ticket: str, purpose: str) -> bytes:
    """Spend a ticket and return the digest of the sign-in it stands for; raises Forbidden unless it fits, the first time."""
    try:
        stored = redis().getdel(_key(ticket)) if ticket else None
    except RedisError as error:
        raise Unavailable(_("Live news is away for a moment. Everything else works as before.")) from error
    claims = json.loads(stored) if isinstance(stored, (bytes, str)) else {}
    if claims.get("for") != purpose or claims.get("channel") != str(current_channel()):
        raise Forbidden(_("Open the page again."), rule="ticket")
    return bytes.fromhex(claims["session"])


def _key(ticket: str) -> str:
    return f"ticket:{sha256(ticket.encode()).hexdigest()}"
