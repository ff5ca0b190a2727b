"""The handshake: a known origin, a one-time ticket, a person who may read the room; then the socket is theirs."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from flask import Blueprint, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from lms.channels import queries as channels
from lms.chat import operations, policies
from lms.chat.sockets.rooms import rooms
from lms.chat.sockets.seats import Seat
from lms.chat.sockets.watch import watch
from lms.core import db
from lms.core.errors import Forbidden, TooMany
from lms.core.i18n import gettext as _
from lms.streaming import queries as streaming
from lms.web.access import allow
from lms.web.socket_doors import MOST_SOCKETS, check_origin, database, offered_ticket, open_socket
from lms.web.websockets import Spoken

bp = Blueprint("chat_sockets", __name__, url_prefix="/ws/chat")
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Desk:
    """What all sockets of one person in this process share: how many there are, and when they spoke."""

    sockets: int = 0
    said: deque[float] = field(default_factory=deque)


_desks: dict[tuple[UUID, UUID], Desk] = {}
_desks_lock = threading.Lock()


@bp.route("/rooms/<uuid:room_id>", websocket=True)
def rooms_show(room_id: UUID) -> Response:
    """Talk in the room of a session; `?after=` is the number of the last line the browser has."""
    check_origin(request.headers.get("Origin"))
    with database, db.unit_of_work(g.channel.id, read_only=True):
        ticket = operations.use_ticket(offered_ticket(), room_id)
        found = channels.actor_of_session(ticket)
        if found is None or found.user_id is None:
            raise Forbidden(_("Sign in again to chat."), rule="signed_out")
        g.actor = found
        standing = streaming.get_standing(room_id, found.user_id)
        allow(policies.can_read(found, standing))
    desk = sit_down(g.channel.id, found.user_id)
    try:
        _converse(Seat(open_socket(), found, ticket, standing, desk.said))
    finally:
        get_up(g.channel.id, found.user_id)
    g.started = time.perf_counter()  # the length of a conversation is no answer time
    return Spoken()


def _converse(seat: Seat) -> None:
    """Seat the person, hear them to the end, and clear up."""
    try:
        watch.begin()
        room = rooms.enter(seat, g.channel.id, seat.room_id, request.args.get("after", type=int))
        watch.arrived(seat)
        try:
            seat.serve()
        finally:
            room.leave(seat)
            watch.left(seat)
    except SQLAlchemyError as error:
        log.warning("room_not_entered", error=type(error).__name__)
        if seat.room is not None:
            seat.room.leave(seat)
        seat.ws.close(1013, "try again")
    finally:
        seat.ws.finish()


def sit_down(channel_id: UUID, user_id: UUID) -> Desk:
    """Count one more socket of a person; raises TooMany past eight in this process."""
    with _desks_lock:
        desk = _desks.setdefault((channel_id, user_id), Desk())
        if desk.sockets >= MOST_SOCKETS:
            raise TooMany(_("You have this open in too many windows. Close one."), retry_after=30)
        desk.sockets += 1
        return desk


def get_up(channel_id: UUID, user_id: UUID) -> None:
    """Count one socket less; how fast the person spoke is remembered for a minute."""
    with _desks_lock:
        _desks[(channel_id, user_id)].sockets -= 1
        if len(_desks) > 10_000:
            old = time.monotonic() - 60
            for key in [key for key, desk in _desks.items() if not desk.sockets and (not desk.said or desk.said[-1] < old)]:
                del _desks[key]
