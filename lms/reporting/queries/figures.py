"""Figures by day: what was counted for days that are over, and what has happened since, added live, so that they are never late.

A day is a day of the channel's own zone. `Daily` rows of the metric `counted` say which days are over and counted.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Select,
    Text,
    Uuid,
    cast,
    exists,
    func,
    literal,
    select,
    true,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.sql.selectable import Subquery

from lms.auth.models import SignInSession
from lms.channels.models import Channel, Member
from lms.core import db
from lms.core.clock import now
from lms.core.clock import zone as zone_of
from lms.core.models import EventRow
from lms.core.settled import Settled
from lms.courses.models import Lesson
from lms.enrollments.models import Enrollment, LessonProgress, WatchDay
from lms.payments.models import Order, Refund
from lms.reporting.models import Daily, Presence, StaleDay

METRICS = (
    "enrolments",
    "orders",
    "revenue",
    "refunds",
    "lessons_completed",
    "courses_completed",
    "sign_ins",
    "joined",
    "watched",
    "active",
)
COUNTED = "counted"
UNTIL = "until"  # of a day that is not over: its figures are counted up to this moment, in milliseconds since 1970
MARKS = (COUNTED, UNTIL)
TAKEN_OUT = ("enrolments", "courses_completed", "joined")  # of which something may be taken out again, or brought back
BEGINNING = date(1970, 1, 1)
Expression = Any

ZONE = select(Channel.zone).where(Channel.id == cast(func.nullif(func.current_setting("app.channel_id", True), ""), Uuid)).scalar_subquery()
LAST_COUNTED = select(func.coalesce(func.max(Daily.day), BEGINNING)).where(Daily.metric == COUNTED).scalar_subquery()
ONE = select(literal(1)).subquery("one")
SECONDS = cast(cast(func.floor(func.extract("epoch", StaleDay.at)), BigInteger), Text)
STALE = select(func.string_agg(SECONDS.distinct(), " ")).select_from(StaleDay).scalar_subquery()
LAST_MARK = select(Daily.day, Daily.value).where(Daily.metric == UNTIL).order_by(Daily.day.desc()).limit(1).subquery("mark")


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
    """These metrics, as far as they can be counted up to any moment, from the tables where it happened: from `first` to before `end`."""
    paid, learnt = _day(Order.paid_at), LessonProgress.completed_at
    total = func.sum(Order.amount_minor)
    lessons = _fact("lessons_completed", _day(learnt), func.count(), Lesson.course_id).join(Lesson, Lesson.id == LessonProgress.lesson_id)
    made, done, came = Enrollment.enrolled_at, Enrollment.completed_at, Member.joined_at
    sold = [Order.amount_minor > 0, *_within(Order.paid_at, first, end)]
    made_of = {
        "enrolments": _fact("enrolments", _day(made), func.count(), Enrollment.course_id).where(*_within(made, first, end)),
        "orders": _fact("orders", paid, func.count(), Order.course_id, Order.currency).where(*sold),
        "revenue": _fact("revenue", paid, total, Order.course_id, Order.currency).where(*sold),
        "refunds": _refunds(first, end),
        "lessons_completed": lessons.where(*_within(learnt, first, end)),
        "courses_completed": _fact("courses_completed", _day(done), func.count(), Enrollment.course_id).where(*_within(done, first, end)),
        "sign_ins": _fact("sign_ins", _day(SignInSession.created_at), func.count()).where(*_within(SignInSession.created_at, first, end)),
        "joined": _fact("joined", _day(came), func.count()).where(Member.status != "deleted", *_within(came, first, end)),
    }
    return [source for name, source in made_of.items() if name in metrics]


def _watched(first: date, end: date | None) -> Select[Any]:
    """The milliseconds watched on each day, which are kept by days."""
    days = [WatchDay.day >= first, *([WatchDay.day < end] if end is not None else [])]
    return _fact("watched", WatchDay.day, func.sum(WatchDay.watch_ms), WatchDay.course_id).where(*days)


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
    return [_seen(moment, user_id, first, end, when) for moment, user_id in TRACES]


def _seen(
    moment: Expression, user_id: Expression, first: Expression, end: Expression | None, when: Callable[[Expression], Expression]
) -> Select[Any]:
    return select(when(moment), user_id.label("user_id")).where(user_id.is_not(None), *_within(moment, first, end))


LATEST = ((Member.seen_at, Member.id), (Enrollment.last_seen_at, Enrollment.user_id), (EventRow.happened_at, EventRow.actor_id))
TRACES = (
    (SignInSession.seen_at, SignInSession.user_id),
    (SignInSession.created_at, SignInSession.user_id),
    (LessonProgress.seen_at, LessonProgress.user_id),
    *LATEST,
)


def _active(people: Subquery) -> Select[Any]:
    return _fact("active", people.c.day, func.count())


@dataclass(frozen=True, slots=True)
class Edges:
    """Where counting ends and looking begins, as values or as parameters of a statement.

    `live`: the moment; `day`: its day, for what is kept by days; `unnoted`: the first day whose people stand in no figure.
    `is_marked`: figures go up to some minutes ago, so what was touched last tells who was here since.
    """

    live: Expression
    day: Expression
    unnoted: Expression
    is_marked: bool


def _here(edges: Edges) -> list[Select[Any]]:
    """People of what is not counted: those noted on days without figures, and those seen since who were not."""
    noted = select(Presence.day, Presence.user_id).where(Presence.day >= edges.unnoted)
    if not edges.is_marked:
        return [_active(union(*_people(edges.live, None), noted).subquery())]
    seen = union(*(_seen(moment, user_id, edges.live, None, lambda at: _day(at).label("day")) for moment, user_id in LATEST)).subquery()
    is_noted = exists().where(Presence.day == seen.c.day, Presence.user_id == seen.c.user_id)
    return [_active(noted.subquery()), _active(select(seen.c.day, seen.c.user_id).where(~is_noted).subquery())]


def live_parts(edges: Edges, metrics: Collection[str]) -> list[Select[Any]]:
    """These metrics of what is not counted yet, as (metric, day, dimension, currency, value); one day may come in parts."""
    parts = _sources(edges.live, None, metrics)
    if "watched" in metrics:
        parts.append(_watched(edges.day, None))
    return parts + (_here(edges) if "active" in metrics else [])


def figures(known: "Standing", metrics: Collection[str] = METRICS) -> Subquery:
    """These figures of every day as (metric, day, dimension, currency, value): what is counted, and what has happened since, live."""
    counted = select(Daily.metric, Daily.day, Daily.dimension, Daily.currency, Daily.value).where(Daily.metric.in_(metrics))
    return union_all(counted, *live_parts(known.edges(BEGINNING), metrics)).subquery("figures")


def facts_between(first: date, last: date, *, until: datetime | None = None) -> Sequence[Any]:
    """Every figure of the days from first to last, counted anew from the tables where things happened (and `Presence`).

    With `until` they end at a moment of the last day, and what only whole days have is left out.
    """
    after = last + timedelta(days=1)
    begin: Expression = literal(first, Date)
    end: Expression = literal(after, Date) if until is None else until
    here = select(Presence.day, Presence.user_id).where(Presence.day >= first, Presence.day < after).subquery()
    found: list[Any] = []
    for statement in (*_sources(begin, end), _active(here), *([_watched(first, after)] if until is None else [])):
        found += db.session().execute(statement).all()
    return found


def people_between(first: date, last: date) -> Select[Any]:
    """The statement of (day, user_id): the members who gave a sign of life on the days from first to last, as far as traces are left."""
    people = union(*_people(literal(first, Date), literal(last + timedelta(days=1), Date))).subquery()
    return select(people.c.day, people.c.user_id).join(Member, Member.id == people.c.user_id)


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


def lacks_figures(last: date) -> bool:
    """Whether days up to that one were counted by a version that did not count who joined yet."""
    joined = db.session().scalar(select(Daily.id).where(Daily.metric == "joined").limit(1))
    came = db.session().scalar(select(func.min(_day(Member.joined_at))).where(Member.status != "deleted"))
    return joined is None and came is not None and came <= last


def first_fact_day() -> date | None:
    """The day of the oldest thing that is counted anywhere."""
    moments: list[datetime | None] = [
        db.session().scalar(select(func.min(column)))
        for column in (Enrollment.enrolled_at, Order.paid_at, EventRow.happened_at, SignInSession.created_at, LessonProgress.seen_at)
    ]
    moments.append(db.session().scalar(select(func.min(Member.joined_at)).where(Member.status != "deleted")))
    known = [moment for moment in moments if moment is not None]
    name = db.session().scalar(select(ZONE)) or "UTC"
    return min(known).astimezone(zone_of(name)).date() if known else None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known before anything is summed up: the channel's zone, today there, the first day that is not counted yet.

    `until`: the figures of the day `marked`, which is not over or not counted whole, go up to that moment. `stale`: the counted days
    of which something was taken out or brought back since.
    """

    zone: str
    today: date
    uncounted: date
    marked: date | None = None
    until: datetime | None = None
    stale: tuple[date, ...] = ()

    def begins(self, day: date) -> datetime:
        """The moment a day begins."""
        return datetime.combine(day, time(), zone_of(self.zone))

    @property
    def live(self) -> datetime:
        """The moment from which on things are counted live."""
        return self.until or self.begins(self.uncounted)

    def edges(self, first: date) -> Edges:
        """Where looking begins for somebody who wants the days from `first` on."""
        day = max(first, self.uncounted)
        unnoted = self.marked + timedelta(days=1) if self.marked is not None else self.uncounted
        return Edges(max(self.live, self.begins(first)), day, max(first, unnoted), is_marked=self.until is not None)


_STANDING = Settled(
    lambda: select(ZONE.label("zone"), LAST_COUNTED.label("last"), STALE.label("stale"), LAST_MARK.c.day, LAST_MARK.c.value).outerjoin_from(
        ONE, LAST_MARK, true()
    )
)


def standing() -> Standing:
    """The channel's zone and how far its days are counted. One query."""
    name, last, stale, marked, until = _STANDING.rows()[0]
    uncounted = last + timedelta(days=1)
    if marked is None or marked < uncounted:
        marked, until = None, None
    moment = datetime.fromtimestamp(until / 1000, UTC) if until is not None else None
    place = zone_of(name or "UTC")
    known = Standing(name or "UTC", now().astimezone(place).date(), uncounted, marked, moment)
    taken = (datetime.fromtimestamp(int(seconds), UTC) for seconds in (stale or "").split())
    return replace(known, stale=tuple(sorted({at.astimezone(place).date() for at in taken if at < known.live})))


def drift(known: Standing, first: date, metrics: Collection[str], courses: Collection[str] | None = None) -> dict[tuple[str, date], int]:
    """What the counted figures of stale days from `first` on lack (below zero: have too much), by (metric, day); of these courses alone."""
    wanted = [metric for metric in metrics if metric in TAKEN_OUT]
    found: dict[tuple[str, date], int] = {}
    for day in known.stale if wanted else ():
        if day < first:
            continue
        end: Expression = known.until if day == known.marked else literal(day + timedelta(days=1), Date)
        kept = select(Daily.metric, Daily.dimension, -Daily.value).where(Daily.day == day, Daily.metric.in_(wanted))
        there = [db.session().execute(source).all() for source in _sources(literal(day, Date), end, wanted)]
        rows = [(row.metric, row.dimension, row.value) for part in there for row in part]
        for metric, dimension, value in [*rows, *db.session().execute(kept).all()]:
            if courses is None or dimension in courses:
                found[metric, day] = found.get((metric, day), 0) + int(value)
    return found
