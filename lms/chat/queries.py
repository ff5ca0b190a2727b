"""Everything read about rooms: messages by cursor from PostgreSQL, the hot tail and who is here from Redis."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Select, func, select

from lms.channels.models import Member
from lms.chat.models import Flag, Message, Mute, Room
from lms.core import db
from lms.core.clock import now
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.redis import RedisError, redis
from lms.core.tenancy import current_channel
from lms.streaming.models import Session
from lms.streaming.queries import Standing, moments_of, second_of, stretches_of

TAIL = 200
TAIL_SECONDS = 6 * 3600
SHOWN = 50
REPLAYED = 500
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One message as people see it; the text of a deleted one is empty."""

    id: UUID
    seq: int
    author_id: UUID
    author_name: str
    author_role: str
    client_id: UUID
    text: str
    posted_at: datetime
    is_deleted: bool

    def payload(self) -> bytes:
        """The line in the words of the socket: JSON, the same for everybody."""
        gone = {"gone": True} if self.is_deleted else {}
        return json.dumps(
            {
                "k": "line",
                "seq": self.seq,
                "ref": str(self.client_id),
                "by": {"id": str(self.author_id), "name": self.author_name, "role": self.author_role},
                "text": self.text,
                "at": self.posted_at.isoformat(timespec="milliseconds"),
                **gone,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()


def _lines() -> Select[*tuple[Any, ...]]:
    return select(
        Message.id,
        Message.seq,
        Message.author_id,
        Member.name,
        Member.role,
        Message.client_id,
        Message.text,
        Message.posted_at,
        Message.deleted_at,
    ).join(Member, Member.id == Message.author_id)


def _line(row: Any) -> Line:
    gone = row.deleted_at is not None
    return Line(row.id, row.seq, row.author_id, row.name, row.role, row.client_id, "" if gone else row.text, row.posted_at, gone)


def lines_after(room_id: UUID, seq: int, *, limit: int = TAIL) -> list[Line]:
    """The lines of a room that follow the cursor, oldest first."""
    query = _lines().where(Message.room_id == room_id, Message.seq > seq).order_by(Message.seq).limit(limit)
    return [_line(row) for row in db.session().execute(query)]


def last_lines(room_id: UUID, *, limit: int = SHOWN) -> list[Line]:
    """The newest lines of a room, oldest first."""
    query = _lines().where(Message.room_id == room_id).order_by(Message.seq.desc()).limit(limit)
    return [_line(row) for row in db.session().execute(query)][::-1]


def get_line(message_id: UUID) -> tuple[Line, UUID]:
    """A message as the moderators read it, deleted or not, and its room."""
    row = db.session().execute(_lines().add_columns(Message.room_id).where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound(_("There is no such message here."))
    return replace(_line(row), text=row.text), row.room_id


def line_of(room_id: UUID, author_id: UUID, client_id: UUID) -> Line | None:
    """The line a person posted in a room under that id of their browser, when there is one."""
    same = (Message.room_id == room_id, Message.author_id == author_id, Message.client_id == client_id)
    row = db.session().execute(_lines().where(*same)).one_or_none()
    return _line(row) if row else None


def get_message(room_id: UUID, seq: int) -> Message:
    """One message of a room by its number."""
    found = db.session().scalar(select(Message).where(Message.room_id == room_id, Message.seq == seq))
    if found is None:
        raise NotFound(_("There is no such message."))
    return found


def get_room(room_id: UUID) -> Room:
    """The room of a session; a new, unwritten one while nobody has said anything."""
    return db.session().get(Room, room_id) or Room(id=room_id, last_seq=0, announced_seq=0, slow_seconds=0)


def last_seq_of(room_id: UUID) -> int:
    """The number of a room's newest message; 0 before the first."""
    return db.session().scalar(select(Room.last_seq).where(Room.id == room_id)) or 0


def last_seqs(room_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The newest numbers of several rooms, in one query."""
    rows = db.session().execute(select(Room.id, Room.last_seq).where(Room.id.in_(list(room_ids))))
    return {row.id: row.last_seq for row in rows}


def gone_seqs(room_id: UUID) -> list[int]:
    """The numbers of the deleted messages among the newest 200 of a room."""
    newest = select(func.coalesce(func.max(Message.seq), 0)).where(Message.room_id == room_id).scalar_subquery()
    query = select(Message.seq).where(Message.room_id == room_id, Message.seq > newest - TAIL, Message.deleted_at.is_not(None))
    return list(db.session().scalars(query.order_by(Message.seq)))


def muted_until(room_id: UUID, user_id: UUID) -> datetime | None:
    """Until when a person may only read in a room."""
    return db.session().scalar(select(Mute.until_at).where(Mute.room_id == room_id, Mute.user_id == user_id, Mute.until_at > now()))


def mutes_of(room_id: UUID) -> Sequence[tuple[UUID, str, datetime]]:
    """Who may only read in a room now, and until when: (id, name, until)."""
    query = select(Mute.user_id, Member.name, Mute.until_at).join(Member, Member.id == Mute.user_id)
    rows = db.session().execute(query.where(Mute.room_id == room_id, Mute.until_at > now()).order_by(Mute.until_at))
    return [(row[0], row[1], row[2]) for row in rows]


def reported_of(user_id: UUID, *, limit: int = 20) -> list[tuple[Line, UUID, str]]:
    """What a person wrote and others reported, newest first: (line with its words, room, the reasons)."""
    reasons = select(func.string_agg(func.nullif(Flag.reason, ""), "; ")).where(Flag.message_id == Message.id)
    query = _lines().add_columns(Message.room_id, reasons.correlate(Message).scalar_subquery().label("reasons"))
    reported = select(Flag.id).where(Flag.message_id == Message.id).exists()
    rows = db.session().execute(query.where(Message.author_id == user_id, reported).order_by(Message.posted_at.desc()).limit(limit))
    return [(replace(_line(row), text=row.text), row.room_id, row.reasons or "") for row in rows]


def reported_lines(room_id: UUID) -> list[tuple[Line, int, str]]:
    """The reported messages of a room with their words, newest first: (line, how often, the reasons)."""
    flags = (
        select(Flag.message_id, func.count().label("times"), func.string_agg(func.nullif(Flag.reason, ""), "; ").label("reasons"))
        .group_by(Flag.message_id)
        .subquery()
    )
    query = _lines().add_columns(flags.c.times, flags.c.reasons).join(flags, flags.c.message_id == Message.id)
    rows = db.session().execute(query.where(Message.room_id == room_id).order_by(Message.seq.desc()).limit(TAIL))
    return [(replace(_line(row), text=row.text), row.times, row.reasons or "") for row in rows]


@dataclass(frozen=True, slots=True)
class Held:
    """A room locked for one post, and everything that decides whether this person may make it."""

    standing: Standing
    last_seq: int
    slow_seconds: int
    muted_until: datetime | None
    said: int  # messages of the person in the last minute, wherever


# The hottest question of chat, once for each message: one statement, written out, because building it anew costs more than asking it.
HOLD: Final = """
    SELECT r.last_seq, r.slow_seconds, m.until_at, s.state, s.host_id, s.starts_at, s.ends_at, c.instructor_id,
        e.id IS NOT NULL AS enrolled,
        (SELECT count(*) FROM chat.messages p
         WHERE p.channel_id = %(channel)s AND p.author_id = %(user)s AND p.posted_at > %(minute)s) AS said
    FROM chat.rooms r
    JOIN streaming.sessions s ON s.channel_id = r.channel_id AND s.id = r.id
    JOIN courses.courses c ON c.channel_id = s.channel_id AND c.id = s.course_id
    LEFT JOIN chat.mutes m ON m.channel_id = r.channel_id AND m.room_id = r.id AND m.user_id = %(user)s
    LEFT JOIN enrollments.enrollments e
        ON e.channel_id = s.channel_id AND e.course_id = s.course_id AND e.user_id = %(user)s AND e.status <> 'ended'
    WHERE r.channel_id = %(channel)s AND r.id = %(room)s
    FOR UPDATE OF r
"""


def hold_room(room_id: UUID, user_id: UUID) -> Held | None:
    """Lock a room for a post by a person until the unit of work ends; None while it has no row."""
    found = db.rows(HOLD, room=room_id, user=user_id, minute=now() - timedelta(minutes=1))
    if not found:
        return None
    row = found[0]
    session = _session_as(room_id, row.state, row.host_id, row.starts_at, row.ends_at)
    return Held(Standing(session, row.instructor_id, row.enrolled), row.last_seq, row.slow_seconds, row.until_at, row.said)


@lru_cache(maxsize=256)
def _session_as(room_id: UUID, state: str, host_id: UUID, starts_at: datetime, ends_at: datetime) -> Session:
    """A session as the policies read it, of no unit of work; the same for every post while nothing about the class changes."""
    return Session(id=room_id, state=state, host_id=host_id, starts_at=starts_at, ends_at=ends_at)


def last_post_at(room_id: UUID, author_id: UUID) -> datetime | None:
    """When a person last posted in a room."""
    return db.session().scalar(select(func.max(Message.posted_at)).where(Message.room_id == room_id, Message.author_id == author_id))


def rooms_to_announce() -> Sequence[Room]:
    """Rooms with messages nobody was told of yet, locked; those somebody else is at work on are left out."""
    query = select(Room).where(Room.last_seq > Room.announced_seq).with_for_update(skip_locked=True)
    return db.session().scalars(query).all()


@dataclass(frozen=True, slots=True)
class Replayed:
    """A line as it stands beside a recording: at which second of it."""

    line: Line
    second: float


def replay_of(room_id: UUID, *, after: int = 0) -> list[Replayed]:
    """What was said in a recorded class and still stands, with its seconds, from behind a number on; at most 500 lines."""
    stretches = stretches_of(room_id)
    query = _lines().where(Message.room_id == room_id, Message.seq > after, Message.deleted_at.is_(None)).order_by(Message.seq)
    rows = db.session().execute(query.limit(REPLAYED))
    return [Replayed(line, second_of(line.posted_at, stretches)) for line in map(_line, rows)]


def chapters_of(room_id: UUID) -> list[tuple[float, str]]:
    """The moments the host marked, with their seconds in the recording."""
    stretches = stretches_of(room_id)
    return [(second_of(one.at, stretches), one.title) for one in moments_of(room_id)]


# --- Redis: never the only copy -------------------------------------------------------------------------------------------------


def tail_key(room_id: UUID) -> str:
    """Where the newest lines of a room lie in Redis."""
    return f"chat:tail:{current_channel()}:{room_id}"


def presence_key(channel_id: UUID, room_id: UUID) -> str:
    """Where the people in a room lie in Redis: person → until when they count as here."""
    return f"chat:here:{channel_id}:{room_id}"


def tail_of(room_id: UUID, *, last_seq: int) -> list[tuple[int, bytes]]:
    """The newest lines of a room as (number, payload), oldest first: from the Redis list, rebuilt from PostgreSQL when it lacks any."""
    try:
        raw = [bytes(item) for item in redis().lrange(tail_key(room_id), 0, -1)]  # type: ignore[union-attr]
    except RedisError as error:
        log.warning("tail_unread", error=type(error).__name__)
        raw = []
    found = sorted({int(json.loads(item)["seq"]): item for item in raw}.items())
    wanted = list(range(max(1, last_seq - TAIL + 1), last_seq + 1))
    if [seq for seq, _item in found if seq <= last_seq][-len(wanted) :] == wanted:
        return found
    return rebuild_tail(room_id)


def rebuild_tail(room_id: UUID) -> list[tuple[int, bytes]]:
    """Fill the Redis list of a room from PostgreSQL; its lines as (number, payload), oldest first."""
    lines = [(line.seq, line.payload()) for line in last_lines(room_id, limit=TAIL)]
    if lines:
        try:
            pipe = redis().pipeline()
            pipe.delete(tail_key(room_id))
            pipe.rpush(tail_key(room_id), *(payload for _seq, payload in lines))
            pipe.expire(tail_key(room_id), TAIL_SECONDS)
            pipe.execute()
        except RedisError as error:
            log.warning("tail_unwritten", error=type(error).__name__)
    return lines


def here_count(room_id: UUID) -> int:
    """How many people are in a room now, over all processes; 0 when Redis is away."""
    try:
        return int(redis().zcount(presence_key(current_channel(), room_id), now().timestamp(), "+inf"))  # type: ignore[arg-type]
    except RedisError:
        return 0
