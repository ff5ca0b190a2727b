"""What every socket door does before it lets anybody in: a known origin, a one-time ticket, not too many at once; and where it stands."""

import threading
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app, g, request

from lms.core.errors import Forbidden, TooMany
from lms.core.i18n import gettext as _
from lms.web.face import faces
from lms.web.websockets import BinarySocket, WebSocket, accept, offered_protocols

PROTOCOL = "lectern.1"
TICKET = "ticket."
MOST_SOCKETS = 8
SIGNED_OUT, NO_RIGHT, TOO_MUCH = 4401, 4403, 4429
AT_ONCE = 8
PING_SECONDS, SILENT_SECONDS = 25.0, 80.0
# Storms of reconnecting sockets queue here instead of running into the time-out of the connection pool.
database = threading.BoundedSemaphore(AT_ONCE)


def check_origin(origin: str | None) -> None:
    """Refuse a handshake begun by a page that is not this channel's own: another host, none, `null`, or plain http in production."""
    parts = urlsplit(origin or "")
    schemes = ("https",) if current_app.config["LMS"].production else ("https", "http")
    if parts.scheme in schemes and parts.hostname and not parts.path and faces.channel_of_host is not None:
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        found = faces.channel_of_host(host)
        if found is not None and found.id == g.channel.id and _is_own_port(parts.port, parts.scheme):
            return
    raise Forbidden(_("This socket was opened from another site."), rule="origin")


def _is_own_port(port: int | None, scheme: str) -> bool:
    """Whether pages are served at the port: the usual one of the scheme, that of a proxy before both servers, or one of theirs."""
    config = current_app.config["LMS"]
    return port in (None, 443 if scheme == "https" else 80, urlsplit(config.socket_url).port, config.port, config.socket_port)


def offered_ticket() -> str:
    """The ticket among the sub-protocols the browser offers; "" without one."""
    return next((name.removeprefix(TICKET) for name in offered_protocols() if name.startswith(TICKET)), "")


def open_socket() -> WebSocket:
    """Finish the handshake in our protocol."""
    return accept(PROTOCOL if PROTOCOL in offered_protocols() else None)


def open_binary() -> BinarySocket:
    """Finish the handshake in our protocol, for a door that takes bytes."""
    return accept(PROTOCOL if PROTOCOL in offered_protocols() else None, BinarySocket)


def socket_url(path: str) -> str:
    """Where this browser opens a socket: the configured base, else the same host at the socket server's port."""
    config = current_app.config["LMS"]
    if config.socket_url:
        return str(config.socket_url).rstrip("/") + path
    host = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
    return f"{'wss' if request.is_secure else 'ws'}://{host}:{config.socket_port}{path}"


class Held(Protocol):
    """A socket somebody holds, and when it was pinged last."""

    ws: WebSocket
    pinged_at: float


def sign_of_life(held: Held, moment: float) -> None:
    """Ping a socket that was quiet for a while; drop one that stays silent, or does not end the closing it was asked for."""
    ws = held.ws
    if moment - ws.heard_at > SILENT_SECONDS:
        ws.drop("silent")
    elif ws.closing_since and moment - ws.closing_since > 2:
        ws.drop("closed")
    elif moment - max(ws.heard_at, held.pinged_at) > PING_SECONDS:
        held.pinged_at = moment
        ws.ping()


class Places:
    """How many sockets of one kind each person holds in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[UUID, UUID], int] = {}

    def take(self, channel_id: UUID, user_id: UUID) -> None:
        """Count one more; raises TooMany past eight."""
        with self._lock:
            taken = self._taken.get((channel_id, user_id), 0)
            if taken >= MOST_SOCKETS:
                raise TooMany(_("You have this open in too many windows. Close one."), retry_after=30)
            self._taken[(channel_id, user_id)] = taken + 1

    def free(self, channel_id: UUID, user_id: UUID) -> None:
        """Count one less."""
        with self._lock:
            left = self._taken.pop((channel_id, user_id)) - 1
            if left:
                self._taken[(channel_id, user_id)] = left
