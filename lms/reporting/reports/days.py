"""Revenue and usage day by day."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, Numeric, Select, String, Text, Uuid, cast, func, literal_column, select

from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Column, Period, Report
from lms.core.reports.fields import Words
from lms.courses.models import Course
from lms.reporting import policies, queries

DAY_METRICS = ("active", "sign_ins", "joined", "enrolments", "lessons_completed", "courses_completed", "orders")


def _key(*parts: Any) -> Any:
    return cast(func.md5(func.concat_ws("|", *(cast(part, String) for part in parts))), Uuid)


def of(name: str, kind: Any = BigInteger) -> Any:
    """A column of the figures a list adds up when it is asked; they go by the name `added`, whatever day it is."""
    return literal_column(f"added.{name}", kind)


def _money() -> Any:
    """Orders, revenue and refunds by day, course and currency."""
    found = queries.figures(queries.standing(), ("orders", "revenue", "refunds"))

    def total(metric: str) -> Any:
        return func.coalesce(func.sum(found.c.value).filter(found.c.metric == metric), 0)

    return (
        select(
            _key(found.c.day, found.c.dimension, found.c.currency).label("id"),
            found.c.day.label("day"),
            cast(found.c.dimension, Uuid).label("course_id"),
            found.c.currency.label("currency"),
            total("orders").label("orders"),
            total("revenue").label("revenue"),
            total("refunds").label("refunds"),
            (total("revenue") - total("refunds")).label("net"),
        )
        .group_by(found.c.day, found.c.dimension, found.c.currency)
        .subquery("added")
    )


def _days() -> Any:
    """What happened on each day."""
    found = queries.figures(queries.standing(), DAY_METRICS)
    sums = [func.coalesce(func.sum(found.c.value).filter(found.c.metric == metric), 0).label(metric) for metric in DAY_METRICS]
    return select(_key(found.c.day).label("id"), found.c.day.label("day"), *sums).group_by(found.c.day).subquery("added")


def _sold(key: str, label: Words) -> Column:
    return Column(key, label, of(key, Numeric), kind="money", currency=of("currency", Text), total=True, nullable=False)


def _counted(key: str, label: Words) -> Column:
    return Column(key, label, of(key, Numeric), kind="int", total=key != "active", nullable=False)


class Revenue(Report):
    """What each course brought in on each day, what went back, and what is left."""

    name = "reporting.revenue"
    is_settled = False
    title = _l("Revenue by day and course")
    lead = _l("Orders paid and refunded on each day of the academy's own zone, today included.")
    key = of("id", Uuid)
    sort = "-day"
    figures: ClassVar[Mapping[str, Words]] = {
        "revenue": _l("The column Left, summed up: what was paid for your courses on these days, less what was given back."),
    }
    empty = ("banknote", _l("No money yet"), _l("It appears here with the first paid order."))
    columns = (
        Column("day", _l("Day"), of("day", Date), kind="date", nullable=False),
        Column("course", _l("Course"), Course.title, href="/admin/courses/{course_id}", nullable=True),
        _counted("orders", _l("Orders")),
        _sold("revenue", _l("Paid")),
        _sold("refunds", _l("Refunded")),
        _sold("net", _l("Left")),
        Column("course_id", _l("Course id"), of("course_id", Uuid), shown=False),
    )
    filters = (Period("day", _l("Day"), of("day", Date), whole_days=True),)
    search = (Course.title,)

    def query(self, by: Actor) -> Select[Any]:
        """All of it; an instructor's own courses' otherwise."""
        rows = select(_money()).outerjoin(Course, Course.id == of("course_id", Uuid))
        return rows if by.is_admin else rows.where(Course.instructor_id == by.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return policies.can_see_reports(by)


class Usage(Report):
    """How much happened on each day."""

    name = "reporting.usage"
    is_settled = False
    title = _l("Usage by day")
    lead = _l("People who were here, and what they did, on each day of the academy's own zone, today included.")
    key = of("id", Uuid)
    sort = "-day"
    empty = ("activity", _l("Nothing has happened yet"), _l("The first person who signs in makes the first row."))
    columns = (
        Column("day", _l("Day"), of("day", Date), kind="date", nullable=False),
        _counted("active", _l("People here")),
        _counted("sign_ins", _l("Sign-ins")),
        _counted("joined", _l("New people")),
        _counted("enrolments", _l("Enrolments")),
        _counted("lessons_completed", _l("Lessons completed")),
        _counted("courses_completed", _l("Courses completed")),
        _counted("orders", _l("Orders paid")),
    )
    filters = (Period("day", _l("Day"), of("day", Date), whole_days=True),)

    def query(self, by: Actor) -> Select[Any]:
        """All of it."""
        return select(_days())

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_see_figures(by)
