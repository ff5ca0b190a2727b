"""Watching: what a player reports, and what is believed of it.

A report names the ranges that were played. They are added to the union of what the person has watched, so seeking adds nothing
and a second tab adds nothing twice. New ranges are paid for with real time: the row's `clock_at` moves forward by the time the
new ranges took at their speed, starting at the moment the page was opened, and a report that would move it past the present
is not believed. The server's clock decides; the player's is never asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from lms.content.queries import Limits
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.signing import sign, unsign
from lms.courses.models import Lesson
from lms.enrollments.errors import BadBeat, EnrollmentIsOver
from lms.enrollments.models import ENOUGH, REPLAY_PART_MS, Enrollment
from lms.enrollments.operations.progress import complete_lesson

PURPOSE = "watch"
PASS_SECONDS = 7 * 86_400
SLOWEST, FASTEST = 0.25, 2.0
SLACK = timedelta(seconds=2)
LONGEST_IDLE = timedelta(hours=6)
MOST_PARTS = 200
MOST_MS = 2**31 - 2
MOST_GIVEN = 256 << 20  # what one report of a player is believed, in bytes


@dataclass(frozen=True, slots=True)
class Played:
    """One stretch that was played without a jump: from and to in milliseconds of the video, and how fast."""

    start: int
    end: int
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Pass:
    """What a page of a lesson may report: whose, for which lesson, since when."""

    enrollment_id: UUID
    user_id: UUID
    course_id: UUID
    lesson_id: UUID
    asset_id: UUID | None
    duration_ms: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Beat:
    """How the lesson stands after a report, and what the academy says of screens and devices."""

    watched_ms: int
    watch_ms: int
    completed_at: datetime | None
    just_completed: bool
    limits: Limits


def begin_watching(enrollment: Enrollment, lesson: Lesson, *, duration_ms: int, at: datetime | None = None) -> str:
    """A signed pass for one opened page of a lesson; its player sends it with each report. Writes nothing."""
    claims: dict[str, Any] = {
        "e": str(enrollment.id),
        "u": str(enrollment.user_id),
        "c": str(enrollment.course_id),
        "l": str(lesson.id),
        "a": str(lesson.asset_id or ""),
        "d": duration_ms,
        "t": int((at or now()).timestamp() * 1000),
    }
    return sign(PURPOSE, claims, seconds=PASS_SECONDS)


def read_pass(signed: str) -> Pass:
    """The pass of a page; raises Forbidden when it was changed or is a week old."""
    claims = unsign(PURPOSE, signed)
    return Pass(
        UUID(claims["e"]),
        UUID(claims["u"]),
        UUID(claims["c"]),
        UUID(claims["l"]),
        UUID(claims["a"]) if claims["a"] else None,
        int(claims["d"]),
        datetime.fromtimestamp(claims["t"] / 1000, UTC),
    )


def record_beat(
    watch: Pass,
    played: Sequence[Played],
    *,
    position_ms: int | None,
    by: Actor,
    late: bool = False,
    given: int = 0,
    at: datetime | None = None,
) -> Beat:
    """Add what was played to what the person has watched, and remember where they are; one statement. `given` are the bytes their
    player says it took.

    A `late` report was kept while the line was down and may arrive twice, so only its new ranges count as time. Raises BadBeat
    for ranges no player makes, EnrollmentIsOver when the enrolment ended meanwhile.
    """
    moment = at or now()
    ranges, wall_ms, speed = _checked(played, watch.duration_ms)
    position = None if position_ms is None else min(max(position_ms, 0), watch.duration_ms or MOST_MS)
    values = _values(watch, ranges, wall_ms, speed, moment)
    row = next(iter(db.rows(BEAT, **values, position=position, late=late, given=min(given, MOST_GIVEN))), None)
    if row is None:
        raise EnrollmentIsOver(_("Your enrolment in this course ended, so nothing more is kept."), rule="ended")
    enough = watch.duration_ms > 0 and row.watched_ms >= ENOUGH * watch.duration_ms
    done = row.completed_at is None and enough and complete_lesson(watch.enrollment_id, watch.lesson_id, by=by, at=moment)
    limits = Limits(row.most_screens, row.has_watermark, row.most_devices)
    return Beat(row.watched_ms, row.watch_ms, moment if done else row.completed_at, done, limits)


def _checked(played: Sequence[Played], duration_ms: int) -> tuple[list[list[int]], int, float]:
    """The union of the played ranges inside the video, the real time they took, and their highest speed."""
    if len(played) > MOST_PARTS:
        raise BadBeat(_("That is more than one player reports at a time."), rule="parts")
    end_of_video = duration_ms or MOST_MS
    union: list[list[int]] = []
    wall = 0.0
    for part in sorted(played, key=lambda part: part.start):
        if not (SLOWEST <= part.rate <= FASTEST) or part.start < 0 or part.end < part.start or part.end > MOST_MS:
            raise BadBeat(_("No player plays like that."), rule="range")
        start, end = part.start, min(part.end, end_of_video)
        if end <= start:
            continue
        wall += (end - start) / part.rate
        if union and start <= union[-1][1]:
            union[-1][1] = max(union[-1][1], end)
        else:
            union.append([start, end])
    return union, round(wall), max((part.rate for part in played), default=1.0)


def _values(watch: Pass, ranges: list[list[int]], wall_ms: int, speed: float, at: datetime) -> dict[str, Any]:
    """What the statement needs; a first report is judged here, a later one against its row in the database."""
    new_ms = sum(end - start for start, end in ranges)
    opened = max(min(watch.opened_at, at), at - LONGEST_IDLE)
    clock = opened + timedelta(milliseconds=new_ms / speed)
    fits = clock <= at + SLACK
    written = f"{{{','.join(f'[{start},{end})' for start, end in ranges)}}}"
    return {
        "id": uuid7(),
        "day_id": uuid7(),
        "enrollment": watch.enrollment_id,
        "user": watch.user_id,
        "lesson": watch.lesson_id,
        "at": at,
        "opened": opened,
        "ranges": written,
        "wall_ms": wall_ms,
        "speed": speed,
        "latest": at + SLACK,
        "length": watch.duration_ms or MOST_MS,
        "part": REPLAY_PART_MS,
        "first_ranges": written if fits else "{}",
        "first_watch_ms": min(wall_ms, int((at - opened).total_seconds() * 1000)) if fits else 0,
        "first_clock": clock if fits else opened,
    }


# One round trip: an open enrolment notes where its person is, and the lesson's row takes what is believed. `paid` is the clock
# after paying for the ranges that are new; watch time grows by what was played, but never by more than passed since the last
# report of any tab. What it grew by is added to the day as well.
BEAT: Final = """
    WITH enrolled AS (
        UPDATE enrollments.enrollments SET last_lesson_id = %(lesson)s, last_seen_at = %(at)s
        WHERE id = %(enrollment)s AND user_id = %(user)s AND status <> 'ended' AND channel_id = %(channel)s
        RETURNING channel_id, id, user_id, course_id),
    beaten AS (INSERT INTO enrollments.lesson_progress AS p
        (channel_id, id, enrollment_id, user_id, lesson_id, watched, position_ms, watch_ms, clock_at, started_at, seen_at)
    SELECT channel_id, %(id)s, id, user_id, %(lesson)s, %(first_ranges)s::int4multirange, coalesce(CAST(%(position)s AS bigint), 0),
        %(first_watch_ms)s, %(first_clock)s, %(at)s, %(at)s
    FROM enrolled
    ON CONFLICT (channel_id, enrollment_id, lesson_id) DO UPDATE SET
        (watched, watch_ms, clock_at) = (
            SELECT CASE WHEN paid <= %(latest)s THEN p.watched + %(ranges)s::int4multirange ELSE p.watched END,
                p.watch_ms + CASE WHEN paid <= %(latest)s THEN
                    least(%(wall_ms)s, passed, CASE WHEN %(late)s THEN took ELSE passed END)::bigint ELSE 0 END,
                CASE WHEN paid <= %(latest)s THEN paid ELSE p.clock_at END
            FROM (SELECT greatest(p.clock_at, CAST(%(opened)s AS timestamptz)) AS clock,
                    enrollments.length(%(ranges)s::int4multirange - p.watched) / CAST(%(speed)s AS float) AS took,
                    greatest(0, floor(1000 * extract(epoch FROM CAST(%(at)s AS timestamptz)
                        - greatest(p.seen_at, CAST(%(opened)s AS timestamptz))))) AS passed) AS known,
                LATERAL (SELECT clock + took * interval '1 millisecond' AS paid) AS judged),
        position_ms = coalesce(CAST(%(position)s AS bigint), p.position_ms), seen_at = greatest(p.seen_at, excluded.seen_at)
    RETURNING enrollments.length(new.watched * int4multirange(int4range(0, %(length)s))) AS watched_ms, new.watch_ms, new.completed_at,
        new.watch_ms - coalesce(old.watch_ms, 0) AS more,
        CASE WHEN %(late)s THEN '{}' ELSE %(ranges)s::int4multirange * coalesce(old.watched, '{}') END AS again),
    replayed AS (INSERT INTO enrollments.replays AS r (channel_id, id, lesson_id, part, again_ms)
        SELECT e.channel_id, gen_random_uuid(), %(lesson)s, n,
            sum(least(upper(one), (n + 1) * %(part)s) - greatest(lower(one), n * %(part)s))
        FROM enrolled AS e, beaten AS b, unnest(b.again) AS one, generate_series(lower(one) / %(part)s, (upper(one) - 1) / %(part)s) AS n
        GROUP BY e.channel_id, n ORDER BY n
        ON CONFLICT (channel_id, lesson_id, part) DO UPDATE SET again_ms = r.again_ms + excluded.again_ms),
    kept AS (INSERT INTO enrollments.watch_days AS d (channel_id, id, day, course_id, user_id, watch_ms, bytes)
        SELECT e.channel_id, %(day_id)s, CAST(timezone(c.zone, CAST(%(at)s AS timestamptz)) AS date), e.course_id, e.user_id, b.more,
            %(given)s
        FROM enrolled AS e, beaten AS b, channels.channels AS c WHERE c.id = e.channel_id AND b.more > 0
        ON CONFLICT (channel_id, day, course_id, user_id) DO UPDATE SET watch_ms = d.watch_ms + excluded.watch_ms,
            bytes = d.bytes + excluded.bytes)
    SELECT watched_ms, b.watch_ms, completed_at, most_screens, coalesce(has_watermark, false) AS has_watermark, most_devices
    FROM beaten AS b LEFT JOIN content.rules AS r ON r.channel_id = %(channel)s
    """
