"""Questions with their votes and answers, signs on messages, and raised hands."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from lms.channels.models import Member
from lms.chat.models import Hand, Message, Question, Reaction, Room, Vote
from lms.chat.queries.lines import TAIL, get_room, line_at
from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _

MOST_HANDS = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a room as people see it; `mine` says whether the reader voted for it."""

    seq: int
    author_id: UUID
    author_name: str
    text: str
    posted_at: datetime
    votes: int
    answer: str
    answered_at: datetime | None
    mine: bool


def questions_of(room_id: UUID, user_id: UUID | None) -> list[Asked]:
    """The questions of a room that were not deleted: open ones first, the most wanted before the others."""
    mine = select(Vote.id).where(Vote.question_id == Question.id, Vote.user_id == user_id).exists().label("mine")
    query = (
        select(
            Message.seq,
            Message.author_id,
            Member.name,
            Message.text,
            Message.posted_at,
            Question.votes,
            Question.answer,
            Question.answered_at,
            mine,
        )
        .select_from(Question)
        .join(Message, Message.id == Question.id)
        .join(Member, Member.id == Message.author_id)
        .where(Question.room_id == room_id, Message.deleted_at.is_(None))
        .order_by(Question.answered_at.is_not(None), Question.votes.desc(), Message.seq)
    )
    return [Asked(*row) for row in db.session().execute(query)]


def get_question(room_id: UUID, seq: int) -> tuple[Question, Message]:
    """A question of a room by the number of its message."""
    query = select(Question, Message).join(Message, Message.id == Question.id)
    row = db.session().execute(query.where(Question.room_id == room_id, Message.seq == seq, Message.deleted_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound(_("There is no such question."))
    return row[0], row[1]


def marks_of(room_id: UUID, *, since: int = 0) -> dict[int, dict[str, Any]]:
    """What stands on the newest messages of a room, by number: signs (`r`), votes (`v`), whether it is answered (`done`) and how."""
    marks: dict[int, dict[str, Any]] = defaultdict(dict)
    signs = (
        select(Message.seq, Reaction.sign, func.count())
        .join(Message, Message.id == Reaction.message_id)
        .where(Message.room_id == room_id, Message.seq > since)
        .group_by(Message.seq, Reaction.sign)
    )
    for seq, sign, count in db.session().execute(signs):
        marks[seq].setdefault("r", {})[sign] = count
    asked = select(Message.seq, Question.votes, Question.answered_at, Question.answer).join(Question, Question.id == Message.id)
    for seq, votes, answered_at, answer in db.session().execute(asked.where(Question.room_id == room_id)):
        marks[seq] |= {"v": votes, "done": answered_at is not None, "answer": answer}
    return dict(marks)


def signs_in(room_id: UUID, user_id: UUID | None, *, since: int) -> dict[int, list[tuple[str, int, bool]]]:
    """The signs on the messages of a room after a number: (sign, how often, whether the reader set it), by number."""
    query = (
        select(Message.seq, Reaction.sign, func.count(), func.bool_or(Reaction.user_id == user_id))
        .join(Message, Message.id == Reaction.message_id)
        .where(Message.room_id == room_id, Message.seq > since)
        .group_by(Message.seq, Reaction.sign)
        .order_by(Message.seq, Reaction.sign)
    )
    found: dict[int, list[tuple[str, int, bool]]] = defaultdict(list)
    for seq, sign, count, mine in db.session().execute(query):
        found[seq].append((sign, count, bool(mine)))
    return dict(found)


def signs_on(message_id: UUID) -> dict[str, int]:
    """How often each sign stands on a message."""
    query = select(Reaction.sign, func.count()).where(Reaction.message_id == message_id).group_by(Reaction.sign)
    return {row[0]: row[1] for row in db.session().execute(query)}


def hands_of(room_id: UUID) -> Sequence[tuple[UUID, str, datetime]]:
    """The raised hands of a room, the first first: (id, name, since)."""
    query = select(Hand.user_id, Member.name, Hand.raised_at).join(Member, Member.id == Hand.user_id)
    rows = db.session().execute(query.where(Hand.room_id == room_id).order_by(Hand.raised_at, Hand.id).limit(MOST_HANDS))
    return [(row[0], row[1], row[2]) for row in rows]


def room_state(room_id: UUID) -> dict[str, Any]:
    """How a room stands besides its lines, as the socket tells it: its rules, what is pinned, what is marked, whose hands are up."""
    room = get_room(room_id)
    pinned = line_at(room_id, room.pinned_seq)
    return {
        "rules": rules_news(room),
        "pin": pinned.news() if pinned is not None else None,
        "marks": {str(seq): marks for seq, marks in marks_of(room_id, since=room.last_seq - TAIL).items()},
        "hands": hands_news(room_id),
    }


def hands_news(room_id: UUID) -> list[dict[str, str]]:
    """The raised hands as the socket tells them."""
    return [{"id": str(user_id), "name": name} for user_id, name, _since in hands_of(room_id)]


def rules_news(room: Room) -> dict[str, Any]:
    """The rules of a room as the socket tells them."""
    return {"slow": room.slow_seconds, "links": not room.links_blocked, "paused": room.is_paused}
