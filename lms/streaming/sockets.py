"""The WebSocket door of hosts: /ws/streaming/sessions/<id>/ingest takes what a browser records, numbered and confirmed.

The browser says `begin` (a take's id, how it records, how long ago it began) and is told the number to go on from; then it sends chunks,
each four bytes of number and the bytes; each is answered with the next number wanted. `end` closes the take. A broken line changes
nothing: the browser keeps what was not confirmed and begins again with the same id.
"""

import json
import threading
import time
from uuid import UUID

import structlog
from flask import Blueprint, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from lms.channels import queries as channels
from lms.channels.queries import standing_people
from lms.core import db, i18n, pubsub, rights, tickets
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Refusal
from lms.core.i18n import gettext as _
from lms.streaming import operations, policies, queries
from lms.streaming.gateways import Gap, Tape
from lms.streaming.operations.taking import OVER
from lms.web.access import allow
from lms.web.socket_doors import NO_RIGHT, SIGNED_OUT, Places, check_origin, database, offered_ticket, open_binary
from lms.web.websockets import BinarySocket, Closed, Spoken, text_frame

TAKEN_OVER = 4409
CHECK_SECONDS = 20.0
TRIAL = 0xFFFFFFFF  # the number of a chunk that only tries the line
MOST_BYTES_A_SECOND = 4 << 20
bp = Blueprint("streaming_sockets", __name__, url_prefix="/ws/streaming")
places = Places()
log = structlog.get_logger(__name__)


def purpose(session_id: UUID) -> str:
    """What a ticket of this door is for."""
    return f"ingest:{session_id}"


@bp.route("/sessions/<uuid:session_id>/ingest", websocket=True)
def sessions_ingest(session_id: UUID) -> Response:
    """Send camera, screen and sound into a class."""
    check_origin(request.headers.get("Origin"))
    with database, db.unit_of_work(g.channel.id, read_only=True):
        ticket = tickets.use_ticket(offered_ticket(), purpose(session_id))
        found = channels.actor_of_session(ticket)
        if found is None or found.user_id is None:
            raise Forbidden(_("Sign in again to go live."), rule="signed_out")
        g.actor = found
        standing = queries.get_standing(session_id, found.user_id)
        allow(policies.can_broadcast(found, standing.session, standing.instructor_id))
    places.take(g.channel.id, found.user_id)
    desk.begin()
    host = Host(open_binary(), found, session_id)
    desk.hosts.add(host)
    try:
        host.serve()
    finally:
        desk.hosts.discard(host)
        places.free(g.channel.id, found.user_id)
        host.ws.finish()
    g.started = time.perf_counter()  # the length of a conversation is no answer time
    return Spoken()


class Desk:
    """The hosts of this process, and what they must hear: that a class is over, that somebody's rights changed."""

    def __init__(self) -> None:
        self.hosts: set[Host] = set()
        self._lock = threading.Lock()
        self._begun = False

    def begin(self) -> None:
        """Listen, once."""
        with self._lock:
            begun, self._begun = self._begun, True
        if not begun:
            pubsub.subscriber.listen(rights.TOPIC, self)
            pubsub.subscriber.listen(OVER, self)

    def heard(self, payload: bytes) -> None:
        """Have those concerned look at themselves with their next chunk."""
        told = payload.decode()
        user_id = json.loads(told)["user_id"] if told.startswith("{") else ""
        for host in list(self.hosts):
            if str(host.session_id) == told or str(host.actor.user_id) == user_id:
                host.checked_at = 0.0

    def subscribed(self) -> None:
        """News may have been missed."""
        for host in list(self.hosts):
            host.checked_at = 0.0

    def take_over(self, newest: "Host") -> None:
        """Send away other windows that send into the same class."""
        for host in list(self.hosts):
            if host is not newest and host.session_id == newest.session_id and host.tape is not None:
                host.ws.close(TAKEN_OVER, "another window went live")


class Host:
    """One browser that sends."""

    def __init__(self, ws: BinarySocket, actor: Actor, session_id: UUID) -> None:
        self.ws = ws
        self.actor = actor
        self.session_id = session_id
        self.tape: Tape | None = None
        self.take_id: UUID | None = None
        self.checked_at = time.monotonic()
        self.tried = 0
        self._second, self._bytes = 0, 0

    def serve(self) -> None:
        """Hear the browser until the conversation ends; what was confirmed is on the disk."""
        i18n.set_locale(self.actor.locale)
        try:
            while True:
                message = self.ws.receive_any()
                if self.check():
                    self.take(message)
        except Closed as end:
            log.info("host_left", code=end.code, why=end.reason[:40])
        finally:
            if self.tape is not None:
                self.tape.close()

    def take(self, message: str | bytes) -> None:
        """Do what one message asks."""
        try:
            if isinstance(message, bytes):
                self.chunk(message)
            else:
                self.word(json.loads(message))
        except Gap as gap:
            self.say(k="go", next=gap.wanted)
        except Refusal as refusal:
            self.say(k="no", why=refusal.sentence, rule=refusal.rule)
        except (ValueError, KeyError, TypeError):
            self.say(k="no", why=_("That could not be read."), rule="shape")
        except (SQLAlchemyError, OSError) as error:
            log.warning("chunk_not_kept", error=type(error).__name__)
            self.ws.close(1013, "try again")

    def chunk(self, message: bytes) -> None:
        """Write a chunk down and confirm it."""
        number = int.from_bytes(message[:4])
        if number == TRIAL:
            self.tried += len(message)
            return
        second = int(time.monotonic())
        self._second, self._bytes = (second, self._bytes) if second == self._second else (second, 0)
        self._bytes += len(message)
        if self._bytes > MOST_BYTES_A_SECOND:
            time.sleep(0.25)  # the browser's own queue waits meanwhile: what it sends is bounded, nothing is lost
        if self.tape is None:
            raise ValueError("chunk before begin")
        self.tape.append(number, message[4:])
        self.say(k="ack", next=self.tape.wanted)

    def word(self, wish: dict[str, object]) -> None:
        """Begin or end a take, or say how much of a trial arrived."""
        kind = wish["k"]
        if kind == "begin":
            self.begin(UUID(str(wish["take"])), str(wish["mime"]), int(str(wish.get("age", 0))))
        elif kind == "end":
            self.end()
        elif kind == "tried":
            self.say(k="line", bytes=self.tried)
            self.tried = 0
        else:
            raise ValueError(kind)

    def begin(self, take_id: UUID, mime: str, age_ms: int) -> None:
        """Open the tape of a take, new or known."""
        if self.tape is not None:
            self.tape.close()
            self.tape = None
        with database, db.unit_of_work(self.actor.channel_id, user_id=self.actor.user_id):
            session = queries.get_session(self.session_id)
            allowed = policies.can_broadcast(self.actor, session, session.course.instructor_id)
            if not allowed:
                raise Forbidden(allowed.sentence, rule=allowed.rule)
            take = operations.begin_take(session, take_id, mime, age_ms=age_ms, by=self.actor)
            channel_id, number, is_over = session.channel_id, take.number, take.ended_at is not None
        self.take_id = take_id
        if is_over:  # another window went live since, or the class ended while the line was down
            self.say(k="ended", take=str(take_id))
            return
        self.tape = Tape(channel_id, self.session_id, number, mime)
        desk.take_over(self)
        self.say(k="go", next=self.tape.wanted, take=str(take_id))

    def end(self) -> None:
        """Close the take for good."""
        if self.tape is not None and self.take_id is not None:
            with database, db.unit_of_work(self.actor.channel_id, user_id=self.actor.user_id):
                take = queries.find_take(self.take_id)
                if take is not None:
                    operations.end_take(take)
            self.tape.close()
            self.tape.reel.end()
            self.tape = None
        self.say(k="ended", take=str(self.take_id))

    def check(self) -> bool:
        """Now and then, and when told so: whether the person may still send and the class is on; else the line is closed."""
        if time.monotonic() - self.checked_at < CHECK_SECONDS:
            return True
        self.checked_at = time.monotonic()
        try:
            with database, db.unit_of_work(self.actor.channel_id, read_only=True):
                signed_in = standing_people([self.actor.session_id] if self.actor.session_id else [])
                standing = queries.get_standing(self.session_id, self.actor.user_id)
        except SQLAlchemyError as error:
            log.warning("host_not_checked", error=type(error).__name__)
            return True  # the tape is on the disk; rights are asked again soon
        found = signed_in.get(self.actor.session_id) if self.actor.session_id else None
        if found != (self.actor.user_id, self.actor.role):
            self.ws.close(SIGNED_OUT, "sign in again")
        elif standing.session.is_over:
            self.say(k="over")
            self.ws.close(1000, "over")
        elif not policies.can_broadcast(self.actor, standing.session, standing.instructor_id):
            self.ws.close(NO_RIGHT, "no right")
        else:
            return True
        return False

    def say(self, **news: object) -> None:
        """Tell the browser."""
        if not self.ws.send(text_frame(json.dumps(news, ensure_ascii=False, separators=(",", ":")))) and not self.ws.is_open:
            log.info("host_deaf")


desk = Desk()
