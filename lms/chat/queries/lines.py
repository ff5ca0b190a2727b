"""The lines of rooms, by number from PostgreSQL, in the words of the socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.chat.models import Message, Room
from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _

TAIL = 200
SHOWN = 50
QUOTED = 120
Parent, ParentAuthor = aliased(Message), aliased(Member)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a message answers: the number of that message, who wrote it, and how it begins; no words of a deleted one."""

    seq: int
    name: str
    text: str


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
    reply: Quote | None = None
    is_question: bool = False

    def news(self) -> dict[str, Any]:
        """The line as the socket tells it, before it is JSON."""
        more: dict[str, Any] = {"gone": True} if self.is_deleted else {}
        if self.reply is not None:
            more["re"] = {"seq": self.reply.seq, "name": self.reply.name, "text": self.reply.text}
        if self.is_question:
            more["q"] = True
        return {
            "k": "line",
            "seq": self.seq,
            "ref": str(self.client_id),
            "by": {"id": str(self.author_id), "name": self.author_name, "role": self.author_role},
            "text": self.text,
            "at": self.posted_at.isoformat(timespec="milliseconds"),
            **more,
        }

    def payload(self) -> bytes:
        """The line in the words of the socket: JSON, the same for everybody."""
        return json.dumps(self.news(), ensure_ascii=False, separators=(",", ":")).encode()


def lines() -> Select[*tuple[Any, ...]]:
    """Every line with its author and what it answers; `line_from` reads a row of it."""
    answered = and_(Parent.room_id == Message.room_id, Parent.seq == Message.reply_seq, Parent.channel_id == Message.channel_id)
    return (
        select(
            Message.id,
            Message.seq,
            Message.author_id,
            Member.name,
            Member.role,
            Message.client_id,
            Message.text,
            Message.posted_at,
            Message.deleted_at,
            Message.reply_seq,
            Message.is_question,
            ParentAuthor.name.label("reply_name"),
            func.left(Parent.text, QUOTED).label("reply_text"),
            Parent.deleted_at.label("reply_deleted_at"),
        )
        .join(Member, Member.id == Message.author_id)
        .outerjoin(Parent, answered)
        .outerjoin(ParentAuthor, ParentAuthor.id == Parent.author_id)
    )


def line_from(row: Any, *, uncovered: bool = False) -> Line:
    """The line a row of `lines` holds; `uncovered` shows moderators the words of a deleted one."""
    gone = row.deleted_at is not None
    words = row.text if uncovered or not gone else ""
    reply = None
    if row.reply_seq is not None:
        reply = Quote(row.reply_seq, row.reply_name or "", "" if row.reply_deleted_at else row.reply_text or "")
    return Line(
        row.id, row.seq, row.author_id, row.name, row.role, row.client_id, words, row.posted_at, gone, reply, row.is_question
    )  # fmt: skip


def lines_after(room_id: UUID, seq: int, *, limit: int = TAIL) -> list[Line]:
    """The lines of a room that follow the cursor, oldest first."""
    query = lines().where(Message.room_id == room_id, Message.seq > seq).order_by(Message.seq).limit(limit)
    return [line_from(row) for row in db.session().execute(query)]


def last_lines(room_id: UUID, *, limit: int = SHOWN) -> list[Line]:
    """The newest lines of a room, oldest first."""
    query = lines().where(Message.room_id == room_id).order_by(Message.seq.desc()).limit(limit)
    return [line_from(row) for row in db.session().execute(query)][::-1]


def lines_shown(room: Room, *also: int | None) -> tuple[list[Line], dict[int, Line]]:
    """The newest lines of a room, oldest first, and beside them those with the numbers given: one SELECT."""
    first = room.last_seq - SHOWN
    wanted = [seq for seq in also if seq]
    query = lines().where(Message.room_id == room.id, or_(Message.seq > first, Message.seq.in_(wanted))).order_by(Message.seq)
    found = [line_from(row) for row in db.session().execute(query)]
    return [line for line in found if line.seq > first], {line.seq: line for line in found if line.seq in wanted}


def line_at(room_id: UUID, seq: int | None) -> Line | None:
    """The line with that number in a room, deleted or not; None without one."""
    if seq is None:
        return None
    row = db.session().execute(lines().where(Message.room_id == room_id, Message.seq == seq)).one_or_none()
    return line_from(row) if row else None


def get_line(message_id: UUID) -> tuple[Line, UUID]:
    """A message as the moderators read it, deleted or not, and its room."""
    row = db.session().execute(lines().add_columns(Message.room_id).where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound(_("There is no such message here."))
    return line_from(row, uncovered=True), row.room_id


def line_of(room_id: UUID, author_id: UUID, client_id: UUID) -> Line | None:
    """The line a person posted in a room under that id of their browser, when there is one."""
    same = (Message.room_id == room_id, Message.author_id == author_id, Message.client_id == client_id)
    row = db.session().execute(lines().where(*same)).one_or_none()
    return line_from(row) if row else None


def quote_of(room_id: UUID, seq: int) -> Quote:
    """How a message of the room is quoted by an answer to it; raises NotFound when there is none, or it was deleted."""
    found = line_at(room_id, seq)
    if found is None or found.is_deleted:
        raise NotFound(_("The message you answer is not there any more. Send yours without it."))
    return Quote(seq, found.author_name, found.text[:QUOTED])


def get_message(room_id: UUID, seq: int) -> Message:
    """One message of a room by its number."""
    found = db.session().scalar(select(Message).where(Message.room_id == room_id, Message.seq == seq))
    if found is None:
        raise NotFound(_("There is no such message."))
    return found


def get_room(room_id: UUID) -> Room:
    """The room of a session; a new, unwritten one while nobody has said anything."""
    unwritten = {"last_seq": 0, "announced_seq": 0, "slow_seconds": 0, "is_paused": False, "links_blocked": False}
    return db.session().get(Room, room_id) or Room(id=room_id, **unwritten)


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
