"""What one post asks: the room, locked, and everything that decides whether this person may write this in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from lms.chat.models import Message, Room
from lms.chat.policies import Silence
from lms.core import db
from lms.core.clock import now
from lms.streaming.models import Session
from lms.streaming.queries import Standing


@dataclass(frozen=True, slots=True)
class Held:
    """A room locked for one post, and everything that decides whether this person may make it."""

    standing: Standing
    silence: Silence
    last_seq: int
    slow_seconds: int
    links_blocked: bool
    words: tuple[str, ...]  # none of these may be said
    said: int  # messages of the person in the last minute, wherever


# The hottest question of chat, once for each message: one statement, written out, because building it anew costs more than asking it.
HOLD: Final = """
    SELECT r.last_seq, r.slow_seconds, r.is_paused, r.links_blocked, m.until_at, s.state, s.host_id, s.starts_at, s.ends_at,
        c.instructor_id, e.id IS NOT NULL AS enrolled,
        (SELECT bool_or(b.room_id IS NULL) FROM chat.bans b
         WHERE b.channel_id = %(channel)s AND b.user_id = %(user)s AND (b.room_id IS NULL OR b.room_id = r.id)) AS everywhere,
        (SELECT array_agg(w.word) FROM chat.words w WHERE w.channel_id = %(channel)s) AS words,
        (SELECT count(*) FROM chat.messages p
         WHERE p.channel_id = %(channel)s AND p.author_id = %(user)s AND p.posted_at > %(minute)s) AS said
    FROM chat.rooms r
    JOIN streaming.sessions s ON s.channel_id = r.channel_id AND s.id = r.id
    JOIN courses.courses c ON c.channel_id = s.channel_id AND c.id = s.course_id
    LEFT JOIN chat.mutes m ON m.channel_id = r.channel_id AND m.room_id = r.id AND m.user_id = %(user)s
    LEFT JOIN enrollments.enrollments e
        ON e.channel_id = s.channel_id AND e.course_id = s.course_id AND e.user_id = %(user)s AND e.status <> 'ended'
        AND (s.batch_id IS NULL OR s.batch_id = e.batch_id)
    WHERE r.channel_id = %(channel)s AND r.id = %(room)s
    FOR UPDATE OF r
"""
SILENCE: Final = """
    SELECT (SELECT until_at FROM chat.mutes WHERE channel_id = %(channel)s AND room_id = %(room)s AND user_id = %(user)s) AS until_at,
        (SELECT bool_or(room_id IS NULL) FROM chat.bans
         WHERE channel_id = %(channel)s AND user_id = %(user)s AND (room_id IS NULL OR room_id = %(room)s)) AS everywhere,
        coalesce((SELECT is_paused FROM chat.rooms WHERE channel_id = %(channel)s AND id = %(room)s), false) AS is_paused
"""


def hold_room(room_id: UUID, user_id: UUID) -> Held | None:
    """Lock a room for a post by a person until the unit of work ends; None while it has no row."""
    found = db.rows(HOLD, room=room_id, user=user_id, minute=now() - timedelta(minutes=1))
    if not found:
        return None
    row = found[0]
    session = _session_as(room_id, row.state, row.host_id, row.starts_at, row.ends_at)
    standing = Standing(session, row.instructor_id, row.enrolled)
    return Held(standing, _silence(row), row.last_seq, row.slow_seconds, row.links_blocked, tuple(row.words or ()), row.said)


def silence_of(room_id: UUID, user_id: UUID | None) -> Silence:
    """What keeps a person from taking part in a room now: one SELECT."""
    return _silence(db.rows(SILENCE, room=room_id, user=user_id)[0])


def _silence(row: Any) -> Silence:
    return Silence(row.until_at, "" if row.everywhere is None else "channel" if row.everywhere else "room", row.is_paused)


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
