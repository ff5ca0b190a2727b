"""Where the students of a lesson watched, and where they left."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from lms.core import db
from lms.enrollments.models import REPLAY_PART_MS, Replay

PARTS = 60
SHARES = 10


@dataclass(frozen=True, slots=True)
class Heat:
    """A video in equal parts: how many watched each, how many stopped in each without finishing, and how long each was watched again.

    `seconds` is one part's length.
    """

    seconds: float
    watched: list[int]
    stopped: list[int]
    again_seconds: list[float]
    people: int
    finished: int
    watch_seconds: int
    unique_seconds: int

    @property
    def again(self) -> float:
        """How often each watched second was watched on average: 1.0 is once."""
        return self.watch_seconds / self.unique_seconds if self.unique_seconds else 0.0


HEAT = text(
    """
    WITH mine AS (
        SELECT p.watched, p.position_ms, p.completed_at, p.watch_ms FROM enrollments.lesson_progress p WHERE p.lesson_id = :lesson),
    parts AS (SELECT n, int4range(CAST(n * :step AS int), CAST((n + 1) * :step AS int)) AS part FROM generate_series(0, :last) AS n)
    SELECT n, (SELECT count(*) FROM mine WHERE mine.watched && part) AS watched,
        (SELECT count(*) FROM mine WHERE completed_at IS NULL AND part @> CAST(position_ms AS int)) AS stopped
    FROM parts ORDER BY n
    """
)
TOTALS = text(
    """
    SELECT count(*) AS people, count(completed_at) AS finished, coalesce(sum(watch_ms), 0) / 1000 AS watch_seconds,
        coalesce(sum(enrollments.length(watched)), 0) / 1000 AS unique_seconds
    FROM enrollments.lesson_progress WHERE lesson_id = :lesson
    """
)


def heat_of(lesson_id: UUID, duration: float) -> Heat:
    """How a lesson's video of so many seconds is watched; three queries."""
    step = max(1, round(duration * 1000 / PARTS))
    rows = db.session().execute(HEAT, {"lesson": lesson_id, "step": step, "last": PARTS - 1}).all()
    people, finished, watched, unique = db.session().execute(TOTALS, {"lesson": lesson_id}).one()
    again = [0.0] * PARTS
    for part, again_ms in db.session().execute(select(Replay.part, Replay.again_ms).where(Replay.lesson_id == lesson_id)):
        for share in range(SHARES):  # ten seconds may lie over the border of two parts
            moment = (part + (share + 0.5) / SHARES) * REPLAY_PART_MS
            again[min(int(moment / step), PARTS - 1)] += again_ms / SHARES / 1000
    watched_by, stopped = [row.watched for row in rows], [row.stopped for row in rows]
    return Heat(step / 1000, watched_by, stopped, again, people, finished, int(watched), int(unique))
