"""Figures by day: what was counted for days that are over, and what has happened since, added live, so that they are never late.

A day is a day of the channel's own zone. `Daily` rows of the metric `counted` say which days are over and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Integer, Select, Text, Uuid, cast, func, literal, select, type_coerce, union, union_all
from sqlalchemy.sql.selectable import Subquery

from lms.auth.models import SignInSession
from lms.channels.models import Channel, Member
from lms.core import db
from lms.core.clock import now
from lms.core.clock import zone as zone_of
from lms.core.models import EventRow
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


def _day(moment: Expression) -> Expression:
    return cast(func.timezone(ZONE, moment), Date)


def _begins(day: Expression) -> Expression:
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


def _sources(first: Expression, end: Expression | None) -> list[Select[Any]]:
    """Every metric but `active`, from the tables where it happened, for days from `first` to before `end`."""

    def diary(metric: str, name: str) -> Select[Any]:
        course = EventRow.payload["course_id"].astext
        fact = _fact(metric, _day(EventRow.happened_at), func.count(), course)
        return fact.where(EventRow.name == name, *_within(EventRow.happened_at, first, end))

    enrolled = _fact("enrolments", _day(Enrollment.enrolled_at), func.count(), Enrollment.course_id)
    paid, back = _day(Order.paid_at), _given_back()
    total = func.sum(Order.amount_minor)
    return [
        enrolled.where(*_within(Enrollment.enrolled_at, first, end)),
        _fact("orders", paid, func.count(), Order.course_id, Order.currency).where(
            Order.amount_minor > 0, *_within(Order.paid_at, first, end)
        ),
        _fact("revenue", paid, total, Order.course_id, Order.currency).where(Order.amount_minor > 0, *_within(Order.paid_at, first, end)),
        _fact("refunds", _day(back.c.at), func.sum(back.c.amount), Order.course_id, back.c.currency)
        .select_from(back.join(Order, Order.id == back.c.order_id))
        .where(*_within(back.c.at, first, end)),
        diary("lessons_completed", "LessonCompleted"),
        diary("courses_completed", "CourseCompleted"),
        _fact("sign_ins", _day(SignInSession.created_at), func.count()).where(*_within(SignInSession.created_at, first, end)),
    ]


def _given_back() -> Subquery:
    """What refunds gave back when they were made, less what came again when they were taken back."""
    made = select(Refund.order_id, Refund.refunded_at.label("at"), Refund.amount_minor.label("amount"), Refund.currency)
    undone = select(Refund.order_id, Refund.undone_at, -Refund.amount_minor, Refund.currency).where(Refund.undone_at.is_not(None))
    return union_all(made, undone).subquery("back")


def _people(first: Expression, end: Expression | None) -> list[Select[Any]]:
    """(day, user_id) of everybody who gave a sign of life, from wherever one is left."""

    def seen(moment: Expression, user_id: Expression) -> Select[Any]:
        return select(_day(moment).label("day"), user_id.label("user_id")).where(*_within(moment, first, end))

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


def day_series(first: date, last: date, *, currency: str) -> dict[str, Series]:
    """Each metric day by day over a stretch, in one query; money is that of one currency."""
    found = figures()
    statement = (
        select(found.c.metric, found.c.day, func.sum(found.c.value))
        .where(found.c.day >= first, found.c.day <= last, found.c.currency.in_(("", currency)))
        .group_by(found.c.metric, found.c.day)
    )
    values = {(metric, day): int(value) for metric, day, value in db.session().execute(statement)}
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    return {metric: Series(metric, days, tuple(values.get((metric, day), 0) for day in days)) for metric in METRICS}
