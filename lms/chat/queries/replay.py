"""What was said in a recorded class, at the seconds of the recording."""

from dataclasses import dataclass
from uuid import UUID

from lms.chat.models import Message
from lms.chat.queries.lines import Line, line_from, lines
from lms.core import db
from lms.streaming.queries import moments_of, second_of, stretches_of

REPLAYED = 500


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


def chapters_of(room_id: UUID) -> list[tuple[float, str]]:
    """The moments the host marked, with their seconds in the recording."""
    stretches = stretches_of(room_id)
    return [(second_of(one.at, stretches), one.title) for one in moments_of(room_id)]
