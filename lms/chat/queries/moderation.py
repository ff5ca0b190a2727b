"""What moderators read: reports of messages, who only reads, who is banned, which words are kept out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from lms.chat.models import Flag, Message, Room, Word
from lms.chat.queries.lines import TAIL, Line, line_from, lines
from lms.core import db
from lms.core.clock import now
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.streaming.models import Session


@dataclass(frozen=True, slots=True)
class Banned:
    """A person who is banned, since when, and whether in every room of the channel."""

    user_id: UUID
    name: str
    since: datetime
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """The people of a room its moderators have an eye on: raised hands in order, mutes by their end, bans by name."""

    hands: tuple[tuple[UUID, str, datetime], ...]
    mutes: tuple[tuple[UUID, str, datetime], ...]
    bans: tuple[Banned, ...]


WATCHED: Final = """
    SELECT 'hand' AS kind, h.user_id, m.name, h.raised_at AS at, false AS everywhere FROM chat.hands h
    JOIN channels.members m ON m.channel_id = h.channel_id AND m.id = h.user_id
    WHERE h.channel_id = %(channel)s AND h.room_id = %(room)s
    UNION ALL SELECT 'mute', q.user_id, m.name, q.until_at, false FROM chat.mutes q
    JOIN channels.members m ON m.channel_id = q.channel_id AND m.id = q.user_id
    WHERE q.channel_id = %(channel)s AND q.room_id = %(room)s AND q.until_at > %(now)s
    UNION ALL SELECT 'ban', b.user_id, m.name, b.created_at, b.room_id IS NULL FROM chat.bans b
    JOIN channels.members m ON m.channel_id = b.channel_id AND m.id = b.user_id
    WHERE b.channel_id = %(channel)s AND (b.room_id = %(room)s OR b.room_id IS NULL)
    ORDER BY 4, 2
"""


def watched_in(room_id: UUID) -> Watched:
    """Whose hands are up, who only reads, and who is banned in a room, of this room alone or of every room: one SELECT."""
    found = db.rows(WATCHED, room=room_id, now=now())
    of = {kind: tuple((row.user_id, row.name, row.at) for row in found if row.kind == kind) for kind in ("hand", "mute")}
    bans = [Banned(row.user_id, row.name, row.at, row.everywhere) for row in found if row.kind == "ban"]
    return Watched(of["hand"], of["mute"], tuple(sorted(bans, key=lambda one: one.name.casefold())))


def rooms_running() -> list[UUID]:
    """The rooms whose class is open or live now."""
    query = select(Room.id).join(Session, Session.id == Room.id).where(Session.state.in_(("open", "live")))
    return list(db.session().scalars(query))


def words_here() -> Sequence[Word]:
    """The words no message of the channel may hold, in order."""
    return db.session().scalars(select(Word).order_by(Word.word)).all()


def get_word(word_id: UUID) -> Word:
    """One of those words."""
    found = db.session().get(Word, word_id)
    if found is None:
        raise NotFound(_("This word is not on the list."))
    return found


def reported_of(user_id: UUID, *, limit: int = 20) -> list[tuple[Line, UUID, str]]:
    """What a person wrote and others reported, newest first: (line with its words, room, the reasons)."""
    reasons = select(func.string_agg(func.nullif(Flag.reason, ""), "; ")).where(Flag.message_id == Message.id)
    query = lines().add_columns(Message.room_id, reasons.correlate(Message).scalar_subquery().label("reasons"))
    reported = select(Flag.id).where(Flag.message_id == Message.id).exists()
    rows = db.session().execute(query.where(Message.author_id == user_id, reported).order_by(Message.posted_at.desc()).limit(limit))
    return [(line_from(row, uncovered=True), row.room_id, row.reasons or "") for row in rows]


def reported_lines(room_id: UUID) -> list[tuple[Line, int, str]]:
    """The reported messages of a room with their words, newest first: (line, how often, the reasons)."""
    flags = (
        select(Flag.message_id, func.count().label("times"), func.string_agg(func.nullif(Flag.reason, ""), "; ").label("reasons"))
        .group_by(Flag.message_id)
        .subquery()
    )
    query = lines().add_columns(flags.c.times, flags.c.reasons).join(flags, flags.c.message_id == Message.id)
    rows = db.session().execute(query.where(Message.room_id == room_id).order_by(Message.seq.desc()).limit(TAIL))
    return [(line_from(row, uncovered=True), row.times, row.reasons or "") for row in rows]
