"""Rooms as this process holds them: who sits in them, the newest frames, and the promise that nobody misses or doubles a line.

A line goes out when its number follows the last one. When a number is missing (Redis lost it, two processes crossed, the
subscription broke) the room reads what it lacks from PostgreSQL, in order, and only then goes on.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lms.chat import queries
from lms.chat.operations import topic_of
from lms.core import db, pubsub
from lms.streaming.queries import get_session, states_of
from lms.web.socket_doors import database
from lms.web.websockets import WebSocket, spread, text_frame

if TYPE_CHECKING:
    from lms.chat.sockets.seats import Seat

KEPT_EMPTY_SECONDS = 30.0
PATIENCE = 0.03
# Lines that follow one another faster than fifty a second go out together, twenty times a second: a hall that says hello at once costs
# each socket twenty writes, not a thousand.
BUSY_SECONDS, TICK_SECONDS = 0.02, 0.05
MOST_HELD = 64
LINE = b'{"k":"line","seq":'
log = structlog.get_logger(__name__)


def encode(news: dict[str, Any]) -> bytes:
    """One frame of JSON."""
    return text_frame(json.dumps(news, ensure_ascii=False, separators=(",", ":")))


class LiveRoom:
    """One room in this process."""

    def __init__(self, channel_id: UUID, room_id: UUID) -> None:
        self.channel_id = channel_id
        self.room_id = room_id
        self.topic = topic_of(channel_id, room_id)
        self.lock = threading.RLock()
        self.ready = threading.Event()
        self.seats: set[Seat] = set()
        self._sockets: dict[Seat, WebSocket] = {}  # the same seats, as the kernel is asked for them
        self.seq = 0
        self.heard_seq = 0
        self.recent: deque[tuple[int, bytes]] = deque(maxlen=queries.TAIL)
        self.gone: set[int] = set()
        self.state: dict[str, Any] = {}  # its rules, its pin, what is marked, whose hands are up: `queries.room_state`
        self.class_state = ""  # scheduled, open, live, ended …: as those in the room were told
        self.is_closed = False
        self.empty_since = time.monotonic()
        self.told_count = -1
        self._waiting: dict[Seat, list[bytes]] = {}
        self._early: dict[int, bytes] = {}  # told before the line in front of them
        self._held: list[bytes] = []  # lines that go out together in a moment
        self._told_at = 0.0
        self._catching_up = False
        self._state_unheard = False

    # --- coming and going ---------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Hear the room's topic, then read where it stands; in this order nothing falls between."""
        pubsub.subscriber.listen(self.topic, self)
        with database, db.unit_of_work(self.channel_id, read_only=True):
            last_seq = queries.last_seq_of(self.room_id)
            tail = queries.tail_of(self.room_id, last_seq=last_seq)
            gone = queries.gone_seqs(self.room_id)
            state = queries.room_state(self.room_id)
            class_state = states_of([self.room_id]).get(self.room_id, "")
        with self.lock:
            self.state, self.class_state = state, class_state
            self.seq = max([last_seq, *(seq for seq, _payload in tail)])
            self.recent.extend((seq, text_frame(payload)) for seq, payload in tail)
            self.gone.update(gone)
            self.ready.set()
            if self.heard_seq > self.seq:
                self.catch_up()

    def join(self, seat: "Seat", after: int | None) -> bool:
        """Seat somebody and send what follows their cursor (none: only what comes); false when the room has just closed."""
        with self.lock:
            if self.is_closed:
                return False
            self._let_go()
            self.seats.add(seat)
            self._sockets[seat] = seat.ws
            seat.ws.send(encode(seat.welcome(self)))
            missing = 0 if after is None else self.seq - max(after, 0)
            if missing <= 0:
                return True
            kept = [(seq, frame) for seq, frame in self.recent if seq > (after or 0)]
            if len(kept) == missing:
                for _seq, frame in kept:
                    seat.ws.send(frame)
                return True
            self._waiting[seat] = []
            until = self.seq
        self._send_history(seat, after or 0, until)
        return True

    def leave(self, seat: "Seat") -> None:
        """Take somebody out."""
        with self.lock:
            self.seats.discard(seat)
            self._sockets.pop(seat, None)
            self._waiting.pop(seat, None)
            if not self.seats:
                self.empty_since = time.monotonic()

    def _send_history(self, seat: "Seat", after: int, until: int) -> None:
        """Send (after, until] from PostgreSQL in pieces, then what came meanwhile; new lines wait their turn."""
        cursor = after
        while cursor < until and seat.ws.is_open:
            with database, db.unit_of_work(self.channel_id, read_only=True):
                lines = queries.lines_after(self.room_id, cursor, limit=min(queries.TAIL, until - cursor))
            if not lines:
                break
            for line in lines:
                seat.ws.send(text_frame(line.payload()))
            cursor = lines[-1].seq
            seat.ws.let_drain()
        with self.lock:
            for frame in self._waiting.pop(seat, []):
                seat.ws.send(frame)

    # --- what happens -------------------------------------------------------------------------------------------------------

    def heard(self, payload: bytes) -> None:
        """Take news from any process: a numbered line goes out once and in order, the rest as it comes."""
        if payload.startswith(LINE):  # each line comes back to its own process: read no more of it than its number
            self._line(int(payload[len(LINE) : payload.index(b",", len(LINE))]), payload)
            return
        news = json.loads(payload)
        kind = news["k"]
        if kind == "line":
            self._line(int(news["seq"]), payload)
            return
        with self.lock:
            self._let_go()
            self._note(kind, news)
            frame = text_frame(payload)
            only = news.get("user")
            for seat in list(self.seats):
                if only is None or str(seat.actor.user_id) == only:
                    self._give(seat, frame)

    def subscribed(self) -> None:
        """After a broken subscription: read what was said meanwhile, and tell again what is gone and how the class stands."""
        if self.ready.is_set():
            with self.lock:
                self._state_unheard = True
                # There may be more than was heard of. A number of its own, so that a reading under way knows it is not the last.
                self.heard_seq = max(self.heard_seq, self.seq) + 1
                self.catch_up()

    def check(self, last_seq: int, class_state: str) -> None:
        """Compare with what PostgreSQL says; a line, or the end of the class, whose teller died on the way is found here."""
        with self.lock:
            if class_state != self.class_state:
                self.class_state = class_state
                self.spread(encode({"k": "state", "state": class_state}))
            self.heard_seq = max(self.heard_seq, last_seq)
            if self.heard_seq > self.seq:
                self.catch_up()

    def spread(self, frame: bytes) -> None:
        """Give a frame to everybody in the room."""
        with self.lock:
            self._let_go()
            for seat in self.seats:
                self._give(seat, frame)

    def _line(self, seq: int, payload: bytes) -> None:
        with self.lock:
            self.heard_seq = max(self.heard_seq, seq)
            if not self.ready.is_set() or seq <= self.seq:
                return
            if seq > self.seq + 1:
                self._early[seq] = payload
                self.catch_up()
                return
            self._add(seq, text_frame(payload))
            while early := self._early.pop(self.seq + 1, None):
                self._add(self.seq + 1, text_frame(early))

    def _add(self, seq: int, frame: bytes) -> None:
        self.seq = seq
        self.recent.append((seq, frame))
        since = time.monotonic() - self._told_at
        if self._waiting:
            self.spread(frame)
        elif self._held or since < BUSY_SECONDS:
            self._hold(frame, TICK_SECONDS - since)
        else:
            self._tell(frame)

    def _hold(self, frame: bytes, seconds: float) -> None:
        """Keep a line for the next tick; the first one that is kept sets it."""
        self._held.append(frame)
        if len(self._held) == 1:
            threading.Thread(target=self._tick, args=(seconds,), name="tick", daemon=True).start()
        elif len(self._held) >= MOST_HELD:
            self._let_go()

    def _tick(self, seconds: float) -> None:
        time.sleep(seconds)
        with self.lock:
            self._let_go()

    def _let_go(self) -> None:
        """Tell what is held, before anything else is told."""
        if self._held:
            frames, self._held = b"".join(self._held), []
            self._tell(frames)

    def _tell(self, frames: bytes) -> None:
        self._told_at = time.monotonic()
        spread(self._sockets.values(), frames)

    def _give(self, seat: "Seat", frame: bytes) -> None:
        waiting = self._waiting.get(seat)
        if waiting is None:
            seat.send(frame)
        else:
            waiting.append(frame)

    def _note(self, kind: str, news: dict[str, Any]) -> None:
        """Keep what those who come later have to know."""
        if kind == "gone":
            self._forget(int(news["seq"]))
        elif kind == "mark":
            self.state["marks"].setdefault(str(news["seq"]), {}).update(
                {key: news[key] for key in ("r", "v", "done", "answer") if key in news}
            )
        elif kind == "rules":
            self.state["rules"] = {key: news[key] for key in ("slow", "links", "paused")}
        elif kind == "pin":
            self.state["pin"] = news["line"]
        elif kind == "hands":
            self.state["hands"] = news["hands"]
        elif kind == "state":
            self.class_state = news["state"]

    def _forget(self, seq: int) -> None:
        """Take the words of a deleted line out of the newest frames: its own, and where it is quoted."""
        self.gone.add(seq)
        quoted = b'"re":{"seq":%d,' % seq
        for place, (number, frame) in enumerate(self.recent):
            if number != seq and quoted not in frame:
                continue
            line = json.loads(frame[frame.index(b"{") :])
            if number == seq:
                line |= {"text": "", "gone": True}
            else:
                line["re"]["text"] = ""
            self.recent[place] = (number, encode(line))

    def catch_up(self) -> None:
        """Read what is missing in a thread of its own; one at a time."""
        with self.lock:
            if self._catching_up:
                return
            self._catching_up = True
        threading.Thread(target=self._catch_up, name="catch-up", daemon=True).start()

    def _catch_up(self) -> None:
        try:
            time.sleep(PATIENCE)  # mostly two posts have only crossed, and the missing line is here by then
            while self._read_missing():
                pass
            if self._state_unheard:
                self._tell_state()
        except SQLAlchemyError as error:
            log.warning("catch_up_failed", room_id=str(self.room_id), error=type(error).__name__)
        finally:
            with self.lock:
                self._catching_up = False

    def _tell_state(self) -> None:
        """Say how the class and its room stand, from PostgreSQL: anything may have changed while nothing was heard."""
        self._state_unheard = False
        with database, db.unit_of_work(self.channel_id, read_only=True):
            session_state = get_session(self.room_id).state
            state, gone = queries.room_state(self.room_id), queries.gone_seqs(self.room_id)
        with self.lock:
            self.state, self.class_state = state, session_state
            self.gone.update(gone)
        self.spread(encode({"k": "sync", "gone": sorted(self.gone), **state}))
        self.spread(encode({"k": "state", "state": session_state}))

    def _read_missing(self) -> bool:
        """Send one piece of what is missing; whether there may be more."""
        with self.lock:
            if self.heard_seq <= self.seq:
                self._early.clear()
                self._catching_up = False  # under the lock: whatever is heard from here on starts anew
                return False
            heard = self.heard_seq
        with database, db.unit_of_work(self.channel_id, read_only=True):
            lines = queries.lines_after(self.room_id, self.seq)
        with self.lock:
            for line in lines:
                if line.seq == self.seq + 1:
                    self._add(line.seq, text_frame(line.payload()))
            if not lines and self.heard_seq == heard:
                self.heard_seq = self.seq  # somebody spoke of a line that is not there
            return True


class Rooms:
    """Every room of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rooms: dict[tuple[UUID, UUID], LiveRoom] = {}

    def enter(self, seat: "Seat", channel_id: UUID, room_id: UUID, after: int | None) -> LiveRoom:
        """Seat somebody in a room, opening it in this process when they are the first."""
        while True:
            with self._lock:
                room = self._rooms.get((channel_id, room_id))
                first = room is None
                if room is None:
                    room = self._rooms[(channel_id, room_id)] = LiveRoom(channel_id, room_id)
            if first:
                self._load(room)
            elif not room.ready.wait(10.0):
                continue
            seat.room = room
            if room.join(seat, after):
                return room

    def _load(self, room: LiveRoom) -> None:
        try:
            room.load()
        except SQLAlchemyError:
            self._drop(room)
            raise

    def _drop(self, room: LiveRoom) -> None:
        with self._lock:
            self._rooms.pop((room.channel_id, room.room_id), None)
        pubsub.subscriber.forget(room.topic)

    def all(self) -> list[LiveRoom]:
        """The rooms open in this process."""
        with self._lock:
            return [room for room in self._rooms.values() if room.ready.is_set()]

    def seats(self) -> "Iterable[Seat]":
        """Everybody in every room of this process."""
        return [seat for room in self.all() for seat in list(room.seats)]

    def sweep(self) -> None:
        """Close the rooms that stood empty for a while."""
        for room in self.all():
            with room.lock:
                room.is_closed = not room.seats and time.monotonic() - room.empty_since > KEPT_EMPTY_SECONDS
            if room.is_closed:
                self._drop(room)


rooms = Rooms()
