"""What was said in a recorded class, at the seconds of the recording."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from lms.chat.models import Message, Question
from lms.chat.queries.lines import Line, line_from, lines
from lms.core import db
from lms.streaming.queries import moments_of, second_of, stretches_of

REPLAYED = 500
MOST_ANSWERS = 50


@dataclass(frozen=True, slots=True)
class Replayed:
    """A line as it stands beside a recording: at which second of it."""

    line: Line
    second: float


def replay_of(room_id: UUID, *, after: int = 0) -> list[Replayed]:
    """What was said in a recorded class and still stands, with its seconds, from behind a number on; at most 500 lines."""
    stretches = stretches_of(room_id)
    query = lines().where(Message.room_id == room_id, Message.seq > after, Message.deleted_at.is_(None)).order_by(Message.seq)
    rows = db.session().execute(query.limit(REPLAYED))
    return [Replayed(line, second_of(line.posted_at, stretches)) for line in map(line_from, rows)]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of a recorded class that was answered: in writing, or by the host at a second of the recording."""

    question: str
    answer: str
    second: float
    votes: int


def answers_of(room_id: UUID) -> list[Answered]:
    """The answered questions of a recorded class, the most wanted first; names are left out."""
    stretches = stretches_of(room_id)
    query = (
        select(Message.text, Question.answer, Question.answered_at, Question.votes)
        .join(Message, Message.id == Question.id)
        .where(Question.room_id == room_id, Message.deleted_at.is_(None), Question.answered_at.is_not(None))
        .order_by(Question.votes.desc(), Message.seq)
        .limit(MOST_ANSWERS)
    )
    found = db.session().execute(query).all()
    return [Answered(row.text, row.answer, second_of(row.answered_at, stretches), row.votes) for row in found if row.answered_at]


def chapters_of(room_id: UUID) -> list[tuple[float, str]]:
    """The moments the host marked, with their seconds in the recording."""
    stretches = stretches_of(room_id)
    return [(second_of(one.at, stretches), one.title) for one in moments_of(room_id)]
