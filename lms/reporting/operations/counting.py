"""Counting days: what is over is counted once and kept, and comes out the same whenever it is counted again."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Uuid, delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from lms.channels import operations as channels
from lms.core import audit, db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.tenancy import current_channel
from lms.reporting import queries
from lms.reporting.models import CourseFigures, Daily, Presence
from lms.reporting.queries.figures import COUNTED, UNTIL

CHUNK = 1000
STRETCH = 7
LEFT_LIVE = timedelta(minutes=10)
FORGET_STALE = text("DELETE FROM reporting.stale_days WHERE channel_id = :channel RETURNING at")
FORGET_WEEK = text("DELETE FROM reporting.weekly WHERE channel_id = :channel AND week = :monday")
COUNT_WEEK = text(
    """
    INSERT INTO reporting.weekly (channel_id, id, week, cohort, people)
    SELECT :channel, uuidv7(), CAST(:monday AS date), cohort, count(*) FROM (
        SELECT DISTINCT m.id, CAST(date_trunc('week', timezone(c.zone, m.joined_at)) AS date) AS cohort
        FROM reporting.presences AS p JOIN channels.members AS m ON m.channel_id = p.channel_id AND m.id = p.user_id
        JOIN channels.channels AS c ON c.id = p.channel_id
        WHERE p.channel_id = :channel AND p.day >= :monday AND p.day < :after
    ) AS here GROUP BY cohort
    """
)


def note_people(first: date, last: date) -> int:
    """Keep who gave a sign of life on those days, before "last seen" moves on; noted twice is noted once. The number noted now.

    "Last here" of a person is never before the last of these days, so that the list of people counts those whom the days count.
    """
    here = queries.people_between(first, last).subquery()
    rows = select(literal(current_channel(), Uuid), func.uuidv7(), here.c.day, here.c.user_id)
    noted = insert(Presence).from_select(["channel_id", "id", "day", "user_id"], rows, include_defaults=False).on_conflict_do_nothing()
    made = db.session().execute(noted)  # in one statement: a week of a big academy is some hundred thousand rows
    channels.note_people_here(queries.latest_signs(first, last))
    return int(made.rowcount)  # type: ignore[attr-defined]


def recount(first: date, last: date, *, by: Actor | None = None) -> int:
    """Count the days from first to last anew; the number of figures. Counting again gives the same rows with the same ids."""
    note_people(first, last)
    rows = _rows_of(queries.facts_between(first, last))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    rows += [_row(day, COUNTED, "", "", 1) for day in days]
    _replace(first, last, rows)
    for monday in sorted({day - timedelta(days=day.weekday()) for day in days}):
        recount_week(monday)
    if by is not None:
        audit.record("reporting.recount", "daily", by=by, after={"first": first, "last": last, "figures": len(rows)})
    return len(rows) - len(days)


def count_today() -> datetime | None:
    """Count today up to some minutes ago, so that only the last minutes are counted live; None while a day before it waits to be counted.

    What a transaction that is still running will have written by then is not missed: the minutes left live are more than any may take.
    """
    known = queries.standing()
    until = now() - LEFT_LIVE
    if known.uncounted != known.today or until < known.begins(known.today):
        return None
    rows = _rows_of(queries.facts_between(known.today, known.today, until=until))
    rows.append(_row(known.today, UNTIL, "", "", int(until.timestamp() * 1000)))
    _replace(known.today, known.today, rows)
    return until


def recount_stale_days() -> int:
    """Count anew the days of which something was taken out or brought back since they were counted; the number of days.

    What is taken out while this counts is noted by its own transaction, and counted the next time.
    """
    known = queries.standing()
    taken = db.session().execute(FORGET_STALE, {"channel": current_channel()}).scalars().all()
    days = sorted({at.astimezone(zone(known.zone)).date() for at in taken if at < known.live})
    for day in days:
        if day >= known.uncounted:
            count_today()
            continue
        rows = [
            _row(row.day, row.metric, row.dimension or "", row.currency or "", int(row.value)) for row in queries.facts_between(day, day)
        ]
        _replace(day, day, [*rows, _row(day, COUNTED, "", "", 1)])
    return len(days)


def recount_week(monday: date) -> None:
    """Count anew how many of those who joined in each week were here in the week of a Monday."""
    values = {"channel": current_channel(), "monday": monday, "after": monday + timedelta(days=7)}
    db.session().execute(FORGET_WEEK, values)
    db.session().execute(COUNT_WEEK, values)


def recount_courses() -> int:
    """Count anew what the enrolments of each course add up to, where they are too many to count at once; the number of courses."""
    if queries.is_small():
        return 0
    made = 0
    for course_id in queries.enrolled_courses():
        figures = db.session().execute(queries.course_figures([course_id])).mappings().one_or_none()
        if figures is not None:
            values = {**figures, "channel_id": current_channel(), "id": uuid5(NAMESPACE_URL, f"lectern.course:{course_id}")}
            statement = insert(CourseFigures).values(values)
            kept = {key: statement.excluded[key] for key in figures if key != "course_id"}
            db.session().execute(statement.on_conflict_do_update(index_elements=["channel_id", "course_id"], set_=kept))
            made += 1
    return made


def _replace(first: date, last: date, rows: list[dict[str, object]]) -> None:
    statement = delete(Daily).where(Daily.day >= first, Daily.day <= last)
    db.session().execute(statement.execution_options(synchronize_session=False))
    for start in range(0, len(rows), CHUNK):
        db.session().execute(insert(Daily).values(rows[start : start + CHUNK]))


def unfinished_stretches() -> list[tuple[date, date]]:
    """The stretches of days that are over and not counted yet, oldest first, each short enough for one transaction.

    When something older than the first counted day turned up (an import, a demo), or a figure is newer than the counting, everything
    is counted from there.
    """
    last = queries.channel_today() - timedelta(days=1)
    oldest, counted = queries.first_fact_day(), queries.counted_days()
    first = oldest or last
    if counted is not None and (oldest is None or oldest >= counted[0]) and not queries.lacks_figures(counted[1]):
        first = counted[1] + timedelta(days=1)
    stretches = []
    while first <= last:
        end = min(first + timedelta(days=STRETCH - 1), last)
        stretches.append((first, end))
        first = end + timedelta(days=1)
    return stretches


def _rows_of(facts: Sequence[Any]) -> list[dict[str, object]]:
    return [_row(row.day, row.metric, row.dimension or "", row.currency or "", int(row.value)) for row in facts]


def _row(day: date, metric: str, dimension: str, currency: str, value: int) -> dict[str, object]:
    channel_id = current_channel()
    return {
        "channel_id": channel_id,
        "id": _id(channel_id, day, metric, dimension, currency),
        "day": day,
        "metric": metric,
        "dimension": dimension,
        "currency": currency,
        "value": value,
        "counted_at": now(),
    }


def _id(channel_id: UUID, *parts: object) -> UUID:
    return uuid5(NAMESPACE_URL, ":".join(("lectern.daily", str(channel_id), *map(str, parts))))
