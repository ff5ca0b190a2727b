"""What goes on beside the sockets of this process, in one thread: signs of life, presence, rights, attendance, lost lines."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lms.channels.queries import standing_people
from lms.chat import policies, queries
from lms.chat.sockets.rooms import LiveRoom, encode, rooms
from lms.chat.sockets.seats import Seat
from lms.core import db, pubsub, rights
from lms.core.clock import now
from lms.core.redis import RedisError, redis
from lms.streaming import operations as streaming
from lms.streaming.queries import standings_of, states_of
from lms.web.socket_doors import NO_RIGHT, PING_SECONDS, SIGNED_OUT, database, sign_of_life

TICK = 1.0
RIGHTS_SECONDS = 60.0
PRESENCE_SECONDS = 15.0
PRESENT_FOR = 45.0
TELL_SECONDS = 3.0
COMPARE_SECONDS = 5.0
log = structlog.get_logger(__name__)


class Watch:
    """The one watch of a process; it starts with the first seat."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._suspects: set[UUID] = set()
        self._arrived: list[tuple[UUID, UUID, UUID, UUID, datetime]] = []
        self._left: list[tuple[UUID, UUID]] = []
        self._due: dict[str, float] = defaultdict(float)

    def begin(self) -> None:
        """Start, once; from here on rights that change are heard."""
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()
        pubsub.subscriber.listen(rights.TOPIC, self)

    def heard(self, payload: bytes) -> None:
        """Somebody's rights changed: look at their sockets now."""
        self._suspects.add(UUID(json.loads(payload)["user_id"]))
        self._wake.set()

    def subscribed(self) -> None:
        """News may have been missed: look at everybody soon."""
        for seat in rooms.seats():
            seat.checked_at = 0.0

    def arrived(self, seat: Seat) -> None:
        """Note a join; it is written with the next ones."""
        assert seat.room is not None and seat.actor.user_id is not None
        self._arrived.append((seat.room.channel_id, seat.visit_id, seat.room.room_id, seat.actor.user_id, now()))
        self._due["tell"] = min(self._due["tell"], time.monotonic() + 0.5)

    def left(self, seat: Seat) -> None:
        """Note a leave; it is written with the next ones."""
        assert seat.room is not None
        self._left.append((seat.room.channel_id, seat.visit_id))
        if all(other.actor.user_id != seat.actor.user_id for other in list(seat.room.seats)):
            self._forget_presence(seat.room, seat.actor.user_id)

    def _run(self) -> None:
        while True:
            self._wake.wait(TICK)
            self._wake.clear()
            for part in (
                self._signs_of_life,
                self._rights,
                self._presence,
                self._tell_counts,
                self._attendance,
                self._compare,
                rooms.sweep,
            ):
                try:
                    part()
                except (SQLAlchemyError, RedisError, OSError) as error:
                    log.warning("watch_part_failed", part=part.__name__, error=type(error).__name__)

    def _is_due(self, part: str, seconds: float) -> bool:
        if time.monotonic() < self._due[part]:
            return False
        self._due[part] = time.monotonic() + seconds
        return True

    # --- each part ----------------------------------------------------------------------------------------------------------

    def _signs_of_life(self) -> None:
        moment = time.monotonic()
        quiet = moment - PING_SECONDS
        for seat in rooms.seats():  # thousands each second, nearly all of whom were heard of lately
            if seat.ws.heard_at < quiet or seat.ws.closing_since:
                sign_of_life(seat, moment)

    def _rights(self) -> None:
        suspects, self._suspects = self._suspects, set()
        old = time.monotonic() - RIGHTS_SECONDS
        groups: dict[tuple[UUID, UUID], list[Seat]] = defaultdict(list)
        for seat in rooms.seats():
            if (
                (seat.checked_at < old or (suspects and seat.actor.user_id in suspects))
                and seat.room is not None
                and not seat.ws.closing_since
            ):
                groups[(seat.room.channel_id, seat.room.room_id)].append(seat)
        for (channel_id, room_id), seats in groups.items():
            try:
                check_rights(channel_id, room_id, seats)
            except SQLAlchemyError:
                self._suspects |= suspects
                raise

    def _presence(self) -> None:
        if not self._is_due("presence", PRESENCE_SECONDS):
            return
        for room in rooms.all():
            note_presence(room, room.seats)

    def _tell_counts(self) -> None:
        if not self._is_due("tell", TELL_SECONDS):
            return
        since = time.monotonic() - 2 * TELL_SECONDS
        for room in rooms.all():
            new = [seat for seat in list(room.seats) if seat.ws.opened_at > since and seat.pinged_at]
            note_presence(room, new)
            count = max(int(redis().zcount(queries.presence_key(room.channel_id, room.room_id), time.time(), "+inf")), 0)  # type: ignore[arg-type]
            if count != room.told_count and room.seats:
                room.told_count = count
                room.spread(encode({"k": "here", "count": count}))

    def _attendance(self) -> None:
        if not self._is_due("attendance", TELL_SECONDS):
            return
        arrived, self._arrived = self._arrived, []
        left, self._left = self._left, []
        alive: dict[UUID, list[UUID]] = defaultdict(list)
        if self._is_due("alive", RIGHTS_SECONDS):
            for seat in rooms.seats():
                if seat.room is not None:
                    alive[seat.room.channel_id].append(seat.visit_id)
        for channel_id in {*(one[0] for one in arrived), *(one[0] for one in left), *alive}:
            with database, db.unit_of_work(channel_id):
                streaming.note_joins([one[1:] for one in arrived if one[0] == channel_id], source="chat")
                streaming.note_alive(alive[channel_id])
                streaming.note_leave([one[1] for one in left if one[0] == channel_id])

    def _compare(self) -> None:
        if not self._is_due("compare", COMPARE_SECONDS):
            return
        groups: dict[UUID, list[LiveRoom]] = defaultdict(list)
        for room in rooms.all():
            groups[room.channel_id].append(room)
        for channel_id, found in groups.items():
            with database, db.unit_of_work(channel_id, read_only=True):
                newest = queries.last_seqs(room.room_id for room in found)
                states = states_of(room.room_id for room in found)
            for room in found:
                room.check(newest.get(room.room_id, 0), states.get(room.room_id, room.class_state))

    def _forget_presence(self, room: LiveRoom, user_id: UUID | None) -> None:
        try:
            redis().zrem(queries.presence_key(room.channel_id, room.room_id), str(user_id))
        except RedisError as error:
            log.warning("presence_unwritten", error=type(error).__name__)


def note_presence(room: LiveRoom, seats: Iterable[Seat]) -> None:
    """Write that these people are in the room, for the next 45 seconds."""
    people = {str(seat.actor.user_id): time.time() + PRESENT_FOR for seat in list(seats)}
    if people:
        pipe = redis().pipeline(transaction=False)
        key = queries.presence_key(room.channel_id, room.room_id)
        pipe.zadd(key, people)
        pipe.zremrangebyscore(key, 0, time.time() - PRESENT_FOR)
        pipe.expire(key, int(PRESENT_FOR * 2))
        pipe.execute()


def check_rights(channel_id: UUID, room_id: UUID, seats: list[Seat]) -> None:
    """Close the sockets of those signed out, suspended or no longer let in; two queries for any number of people."""
    with database, db.unit_of_work(channel_id, read_only=True):
        signed_in = standing_people(seat.actor.session_id for seat in seats if seat.actor.session_id)
        standings = standings_of(room_id, [seat.actor.user_id for seat in seats if seat.actor.user_id])
    for seat in seats:
        found = signed_in.get(seat.actor.session_id) if seat.actor.session_id else None
        if found is None or found != (seat.actor.user_id, seat.actor.role):
            seat.ws.close(SIGNED_OUT, "sign in again")
            continue
        assert seat.actor.user_id is not None
        standing = standings.get(seat.actor.user_id)
        if standing is None or not policies.can_read(seat.actor, standing):
            seat.ws.close(NO_RIGHT, "no right")
            continue
        seat.checked_at = time.monotonic()


watch = Watch()
