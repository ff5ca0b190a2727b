"""Figures over a stretch of days, in one statement each: for tiles, their lines, and the page of figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Select, Text, Uuid, any_, bindparam, cast, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import Subquery

from lms.core import db
from lms.core.settled import Settled
from lms.courses.models import Course
from lms.reporting.models import Daily
from lms.reporting.queries.figures import BEGINNING, METRICS, Edges, Expression, Standing, drift, live_parts, standing


@dataclass(frozen=True, slots=True)
class Series:
    """One figure for each day of a stretch, days without any as zero."""

    metric: str
    days: tuple[date, ...]
    values: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum over the days."""
        return sum(self.values)

    def part(self, first: int, last: int) -> "Series":
        """The days from one place to before another."""
        return Series(self.metric, self.days[first:last], self.values[first:last])


FIRST, LAST = bindparam("first", type_=Date()), bindparam("last", type_=Date())
LIVE, LIVE_DAY = bindparam("live", type_=DateTime(timezone=True)), bindparam("live_day", type_=Date())
UNNOTED = bindparam("unnoted", type_=Date())


def _since(metrics: Sequence[str], *, bounded: bool, is_mine: bool, is_marked: bool) -> Subquery:
    """These figures of the days from FIRST on (to LAST): counted ones, from LIVE on live; `is_mine`: of one instructor's courses."""
    kept = select(Daily.metric, Daily.day, Daily.currency, Daily.value).where(Daily.day >= FIRST, _one_of(Daily.metric, metrics))
    kept = kept.where(Daily.day <= LAST) if bounded else kept
    edges = Edges(LIVE, LIVE_DAY, UNNOTED, is_marked=is_marked)
    if not is_mine:
        return union_all(kept, *(_narrow(part) for part in live_parts(edges, metrics))).subquery("figures")
    mine = select(cast(Course.id, Text)).where(Course.instructor_id == bindparam("instructor", type_=Uuid()))
    parts = live_parts(edges, [metric for metric in metrics if metric != "active"])
    return union_all(kept.where(Daily.dimension.in_(mine)), *(_narrow(part, mine) for part in parts)).subquery("figures")


def _one_of(column: Expression, values: Sequence[str]) -> Expression:
    return column == any_(literal(list(values), ARRAY(Text)))


def _narrow(part: Select[Any], mine: Expression = None) -> Select[Any]:
    found = part.subquery()
    chosen = select(found.c.metric, found.c.day, found.c.currency, found.c.value)
    return chosen if mine is None else chosen.where(found.c.dimension.in_(mine))


@cache
def _series(metrics: tuple[str, ...], *, is_mine: bool, is_marked: bool) -> Settled:
    def build() -> Select[Any]:
        found = _since(metrics, bounded=True, is_mine=is_mine, is_marked=is_marked)
        chosen = select(found.c.metric, found.c.day, func.sum(found.c.value).label("value"))
        money = or_(found.c.currency == "", found.c.currency == bindparam("currency", type_=Text()))
        return chosen.where(found.c.day <= LAST, money).group_by(found.c.metric, found.c.day)

    return Settled(build)


@cache
def _ever(metrics: tuple[str, ...], *, is_mine: bool, is_marked: bool) -> Settled:
    def build() -> Select[Any]:
        found = _since(metrics, bounded=False, is_mine=is_mine, is_marked=is_marked)
        chosen = select(found.c.metric, func.sum(found.c.value).label("value"))
        return chosen.where(_one_of(found.c.metric, metrics)).group_by(found.c.metric)

    return Settled(build)


def _given(known: Standing, first: date, instructor: UUID | None) -> dict[str, Any]:
    edges = known.edges(first)
    given = {"first": first, "live": edges.live, "live_day": edges.day, "unnoted": edges.unnoted}
    return given if instructor is None else {**given, "instructor": instructor}


def day_series(
    first: date,
    last: date,
    *,
    currency: str,
    metrics: Sequence[str] = METRICS,
    instructor: UUID | None = None,
    known: Standing | None = None,
) -> dict[str, Series]:
    """These metrics day by day over a stretch (of one instructor's courses), in one query; money is that of one currency."""
    known = known or standing()
    asked = _series(tuple(metrics), is_mine=instructor is not None, is_marked=known.until is not None)
    rows = asked.rows(**_given(known, first, instructor), last=last, currency=currency)
    values = {(metric, day): int(value) for metric, day, value in rows}
    for key, lack in drift(known, first, metrics, _courses_of(instructor, known)).items():
        values[key] = values.get(key, 0) + lack
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    return {metric: Series(metric, days, tuple(values.get((metric, day), 0) for day in days)) for metric in metrics}


def sums_ever(metrics: Sequence[str], *, instructor: UUID | None = None, known: Standing | None = None) -> dict[str, int]:
    """The sum of each metric over all days there were (of one instructor's courses), in one query; not for money."""
    known = known or standing()
    asked = _ever(tuple(metrics), is_mine=instructor is not None, is_marked=known.until is not None)
    sums = {metric: int(value) for metric, value in asked.rows(**_given(known, BEGINNING, instructor))}
    for (metric, _day), lack in drift(known, BEGINNING, metrics, _courses_of(instructor, known)).items():
        sums[metric] = sums.get(metric, 0) + lack
    return {metric: sums.get(metric, 0) for metric in metrics}


def _courses_of(instructor: UUID | None, known: Standing) -> set[str] | None:
    """The courses of an instructor, where it matters which they are; None for everybody's."""
    if instructor is None or not known.stale:
        return None
    return {str(course_id) for course_id in db.session().scalars(select(Course.id).where(Course.instructor_id == instructor))}
