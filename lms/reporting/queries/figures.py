"""Figures by day: what was counted for days that are over, and what has happened since, added live, so that they are never late.

A day is a day of the channel's own zone. `Daily` rows of the metric `counted` say which days are over and counted.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Date,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import Subquery

from lms.auth.models import SignInSession
from lms.channels.models import Channel, Member
from lms.core import db
from lms.core.clock import now
from lms.core.clock import zone as zone_of
from lms.core.models import EventRow
from lms.core.settled import Settled
from lms.courses.models import Course, Lesson
from lms.enrollments.models import Enrollment, LessonProgress
from lms.payments.models import Order, Refund
from lms.reporting.models import Daily, Presence

METRICS = ("enrolments", "orders", "revenue", "refunds", "lessons_completed", "courses_completed", "sign_ins", "active")
COUNTED = "counted"
BEGINNING = date(1970, 1, 1)
Expression = Any

ZONE = select(Channel.zone).where(Channel.id == cast(func.nullif(func.current_setting("app.channel_id", True), ""), Uuid)).scalar_subquery()
LAST_COUNTED = select(func.coalesce(func.max(Daily.day), BEGINNING)).where(Daily.metric == COUNTED).scalar_subquery()
UNCOUNTED = LAST_COUNTED.op("+", return_type=Date())(literal(1, Integer))


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


def _day(moment: Expression) -> Expression:
    return cast(func.timezone(ZONE, moment), Date)


def _begins(day: Expression) -> Expression:
    """The moment a day begins in the channel's zone; a moment that is known already stays as it is, and lets an index be chosen well."""
    if isinstance(day, datetime) or isinstance(getattr(day, "type", None), DateTime):
        return day
    return type_coerce(func.timezone(ZONE, cast(day, DateTime(timezone=False))), DateTime(timezone=True))


def _within(moment: Expression, first: Expression, end: Expression | None) -> list[Expression]:
    return [moment >= _begins(first), *([moment < _begins(end)] if end is not None else [])]


def _fact(metric: str, day: Expression, value: Expression, dimension: Expression = None, currency: Expression = None) -> Select[Any]:
    """One metric as (metric, day, dimension, currency, value), grouped."""
    parts = [part for part in (day, dimension, currency) if part is not None]
    empty = literal("", Text)
    return select(
        literal(metric, Text).label("metric"),
        day.label("day"),
        (cast(dimension, Text) if dimension is not None else empty).label("dimension"),
        (currency if currency is not None else empty).label("currency"),
        value.label("value"),
    ).group_by(*parts)


def _sources(first: Expression, end: Expression | None, metrics: Collection[str] = METRICS) -> list[Select[Any]]:
    """These metrics, but not `active`, from the tables where it happened, for days from `first` to before `end`."""
    paid, learnt = _day(Order.paid_at), LessonProgress.completed_at
    total = func.sum(Order.amount_minor)
    lessons = _fact("lessons_completed", _day(learnt), func.count(), Lesson.course_id).join(Lesson, Lesson.id == LessonProgress.lesson_id)
    made, done = Enrollment.enrolled_at, Enrollment.completed_at
    made_of = [
        _fact("enrolments", _day(made), func.count(), Enrollment.course_id).where(*_within(made, first, end)),
        _fact("orders", paid, func.count(), Order.course_id, Order.currency).where(
            Order.amount_minor > 0, *_within(Order.paid_at, first, end)
        ),
        _fact("revenue", paid, total, Order.course_id, Order.currency).where(Order.amount_minor > 0, *_within(Order.paid_at, first, end)),
        _refunds(first, end),
        lessons.where(*_within(learnt, first, end)),
        _fact("courses_completed", _day(done), func.count(), Enrollment.course_id).where(*_within(done, first, end)),
        _fact("sign_ins", _day(SignInSession.created_at), func.count()).where(*_within(SignInSession.created_at, first, end)),
    ]
    names = ("enrolments", "orders", "revenue", "refunds", "lessons_completed", "courses_completed", "sign_ins")
    return [source for name, source in zip(names, made_of, strict=True) if name in metrics]


def _refunds(first: Expression, end: Expression | None) -> Select[Any]:
    """What was given back on each day, less what was taken back on it; each stays on its own day."""

    def moves(moment: Expression, amount: Expression) -> Select[Any]:
        return select(moment.label("at"), amount.label("amount"), Refund.order_id).where(*_within(moment, first, end))

    given = union_all(moves(Refund.refunded_at, Refund.amount_minor), moves(Refund.undone_at, -Refund.amount_minor)).subquery()
    total = func.sum(given.c.amount)
    return _fact("refunds", _day(given.c.at), total, Order.course_id, Order.currency).join_from(given, Order, Order.id == given.c.order_id)


def _people(first: Expression, end: Expression | None) -> list[Select[Any]]:
    """(day, user_id) of everybody who gave a sign of life, from wherever one is left."""

    return _signs(first, end, lambda moment: _day(moment).label("day"))


def _signs(first: Expression, end: Expression | None, when: Callable[[Expression], Expression]) -> list[Select[Any]]:
    """(when, user_id) of every sign of life; `when` makes of its moment what is wanted."""

    def seen(moment: Expression, user_id: Expression) -> Select[Any]:
        return select(when(moment), user_id.label("user_id")).where(*_within(moment, first, end))

    return [
        seen(SignInSession.seen_at, SignInSession.user_id),
        seen(SignInSession.created_at, SignInSession.user_id),
        seen(LessonProgress.seen_at, LessonProgress.user_id),
        seen(EventRow.happened_at, EventRow.actor_id).where(EventRow.actor_id.is_not(None)),
    ]


def _active(people: Subquery) -> Select[Any]:
    return _fact("active", people.c.day, func.count())


def figures() -> Subquery:
    """Every figure of every day as (metric, day, dimension, currency, value): counted days from `Daily`, later ones live."""
    counted = select(Daily.metric, Daily.day, Daily.dimension, Daily.currency, Daily.value).where(Daily.metric != COUNTED)
    here = select(Presence.day, Presence.user_id).where(Presence.day >= UNCOUNTED)
    people = union(*_people(UNCOUNTED, None), here).subquery()
    return union_all(counted, *_sources(UNCOUNTED, None), _active(people)).subquery("figures")


def facts_between(first: date, last: date) -> Sequence[Any]:
    """Every figure of the days from first to last, counted anew from the tables where things happened (and `Presence`)."""
    end = last + timedelta(days=1)
    one, other = literal(first, Date), literal(end, Date)
    here = select(Presence.day, Presence.user_id).where(Presence.day >= first, Presence.day < end).subquery()
    found: list[Any] = []
    for statement in (*_sources(one, other), _active(here)):
        found += db.session().execute(statement).all()
    return found


def people_between(first: date, last: date) -> Sequence[tuple[date, UUID]]:
    """The members who gave a sign of life on the days from first to last, as far as traces are left."""
    people = union(*_people(literal(first, Date), literal(last + timedelta(days=1), Date))).subquery()
    statement = select(people.c.day, people.c.user_id).join(Member, Member.id == people.c.user_id)
    return [(day, user_id) for day, user_id in db.session().execute(statement)]


def latest_signs(first: date, last: date) -> Select[Any]:
    """The statement of (user_id, at): the latest sign of life of each person who gave one on the days from first to last."""
    signs = _signs(literal(first, Date), literal(last + timedelta(days=1), Date), lambda moment: moment.label("at"))
    found = union_all(*signs).subquery()
    return select(found.c.user_id, func.max(found.c.at).label("at")).group_by(found.c.user_id)


def channel_today() -> date:
    """Today, as the channel's zone has it."""
    name = db.session().scalar(select(ZONE)) or "UTC"
    return now().astimezone(zone_of(name)).date()


def counted_days() -> tuple[date, date] | None:
    """The first and the last day that is counted."""
    first, last = db.session().execute(select(func.min(Daily.day), func.max(Daily.day)).where(Daily.metric == COUNTED)).one()
    return (first, last) if first is not None else None


def first_fact_day() -> date | None:
    """The day of the oldest thing that is counted anywhere."""
    moments: list[datetime | None] = [
        db.session().scalar(select(func.min(column)))
        for column in (Enrollment.enrolled_at, Order.paid_at, EventRow.happened_at, SignInSession.created_at, LessonProgress.seen_at)
    ]
    known = [moment for moment in moments if moment is not None]
    name = db.session().scalar(select(ZONE)) or "UTC"
    return min(known).astimezone(zone_of(name)).date() if known else None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known before anything is summed up: the channel's zone, today there, and the first day that is not counted yet."""

    zone: str
    today: date
    uncounted: date

    def begins(self, day: date) -> datetime:
        """The moment a day begins."""
        return datetime.combine(day, time(), zone_of(self.zone))


_STANDING = Settled(lambda: select(ZONE.label("zone"), LAST_COUNTED.label("last")))


def standing() -> Standing:
    """The channel's zone and how far its days are counted. One query."""
    name, last = _STANDING.rows()[0]
    return Standing(name or "UTC", now().astimezone(zone_of(name or "UTC")).date(), last + timedelta(days=1))


FIRST, LAST = bindparam("first", type_=Date()), bindparam("last", type_=Date())
LIVE, LIVE_DAY = bindparam("live", type_=DateTime(timezone=True)), bindparam("live_day", type_=Date())


def _since(metrics: Sequence[str], *, bounded: bool, is_mine: bool) -> Subquery:
    """These figures of the days from FIRST on (to LAST): counted ones, from LIVE on live; `is_mine`: of one instructor's courses."""
    kept = select(Daily.metric, Daily.day, Daily.currency, Daily.value).where(Daily.day >= FIRST, _one_of(Daily.metric, metrics))
    kept = kept.where(Daily.day <= LAST) if bounded else kept
    parts = _sources(LIVE, None, metrics)
    if not is_mine:
        here = select(Presence.day, Presence.user_id).where(Presence.day >= LIVE_DAY)
        people = union(*_people(LIVE, None), here).subquery()
        parts += [_active(people)] if "active" in metrics else []
        return union_all(kept, *(_narrow(part) for part in parts)).subquery("figures")
    mine = select(cast(Course.id, Text)).where(Course.instructor_id == bindparam("instructor", type_=Uuid()))
    return union_all(kept.where(Daily.dimension.in_(mine)), *(_narrow(part, mine) for part in parts)).subquery("figures")


def _one_of(column: Expression, values: Sequence[str]) -> Expression:
    return column == any_(literal(list(values), ARRAY(Text)))


def _narrow(part: Select[Any], mine: Expression = None) -> Select[Any]:
    found = part.subquery()
    chosen = select(found.c.metric, found.c.day, found.c.currency, found.c.value)
    return chosen if mine is None else chosen.where(found.c.dimension.in_(mine))


@cache
def _series(metrics: tuple[str, ...], *, is_mine: bool) -> Settled:
    def build() -> Select[Any]:
        found = _since(metrics, bounded=True, is_mine=is_mine)
        chosen = select(found.c.metric, found.c.day, func.sum(found.c.value).label("value"))
        money = or_(found.c.currency == "", found.c.currency == bindparam("currency", type_=Text()))
        return chosen.where(found.c.day <= LAST, money).group_by(found.c.metric, found.c.day)

    return Settled(build)


@cache
def _ever(metrics: tuple[str, ...], *, is_mine: bool) -> Settled:
    def build() -> Select[Any]:
        found = _since(metrics, bounded=False, is_mine=is_mine)
        chosen = select(found.c.metric, func.sum(found.c.value).label("value"))
        return chosen.where(_one_of(found.c.metric, metrics)).group_by(found.c.metric)

    return Settled(build)


def _given(known: Standing, first: date, instructor: UUID | None) -> dict[str, Any]:
    live_day = max(first, known.uncounted)
    given = {"first": first, "live": known.begins(live_day), "live_day": live_day}
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
    asked = _series(tuple(metrics), is_mine=instructor is not None)
    rows = asked.rows(**_given(known or standing(), first, instructor), last=last, currency=currency)
    values = {(metric, day): int(value) for metric, day, value in rows}
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    return {metric: Series(metric, days, tuple(values.get((metric, day), 0) for day in days)) for metric in metrics}


def sums_ever(metrics: Sequence[str], *, instructor: UUID | None = None, known: Standing | None = None) -> dict[str, int]:
    """The sum of each metric over all days there were (of one instructor's courses), in one query; not for money."""
    asked = _ever(tuple(metrics), is_mine=instructor is not None)
    sums = {metric: int(value) for metric, value in asked.rows(**_given(known or standing(), BEGINNING, instructor))}
    return {metric: sums.get(metric, 0) for metric in metrics}
