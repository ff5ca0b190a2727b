"""Revenue and usage day by day."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Select, String, Uuid, cast, func, select

from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Column, Period, Report
from lms.core.reports.fields import Words
from lms.courses.models import Course
from lms.reporting import policies
from lms.reporting.queries.figures import figures

_found = figures()


def _sum(metric: str) -> Any:
    return func.coalesce(func.sum(_found.c.value).filter(_found.c.metric == metric), 0)


def _key(*parts: Any) -> Any:
    return cast(func.md5(func.concat_ws("|", *(cast(part, String) for part in parts))), Uuid)


MONEY = (
    select(
        _key(_found.c.day, _found.c.dimension, _found.c.currency).label("id"),
        _found.c.day.label("day"),
        cast(_found.c.dimension, Uuid).label("course_id"),
        _found.c.currency.label("currency"),
        _sum("orders").label("orders"),
        _sum("revenue").label("revenue"),
        _sum("refunds").label("refunds"),
        (_sum("revenue") - _sum("refunds")).label("net"),
    )
    .where(_found.c.metric.in_(("orders", "revenue", "refunds")))
    .group_by(_found.c.day, _found.c.dimension, _found.c.currency)
    .subquery("money")
)
DAYS = (
    select(
        _key(_found.c.day).label("id"),
        _found.c.day.label("day"),
        *(
            _sum(metric).label(metric)
            for metric in ("active", "sign_ins", "enrolments", "lessons_completed", "courses_completed", "orders")
        ),
    )
    .group_by(_found.c.day)
    .subquery("days")
)


class Revenue(Report):
    """What each course brought in on each day, what went back, and what is left."""

    name = "reporting.revenue"
    title = _l("Revenue by day and course")
    lead = _l("Orders paid and refunded on each day of the academy's own zone, today included.")
    key = MONEY.c.id
    sort = "-day"
    figures: ClassVar[Mapping[str, Words]] = {
        "revenue": _l("The column Left, summed up: what was paid for your courses on these days, less what was given back."),
    }
    empty = ("banknote", _l("No money yet"), _l("It appears here with the first paid order."))
    columns = (
        Column("day", _l("Day"), MONEY.c.day, kind="date", nullable=False),
        Column("course", _l("Course"), Course.title, href="/admin/courses/{course_id}", nullable=True),
        Column("orders", _l("Orders"), MONEY.c.orders, kind="int", total=True, nullable=False),
        Column("revenue", _l("Paid"), MONEY.c.revenue, kind="money", currency=MONEY.c.currency, total=True, nullable=False),
        Column("refunds", _l("Refunded"), MONEY.c.refunds, kind="money", currency=MONEY.c.currency, total=True, nullable=False),
        Column("net", _l("Left"), MONEY.c.net, kind="money", currency=MONEY.c.currency, total=True, nullable=False),
        Column("course_id", _l("Course id"), MONEY.c.course_id, shown=False),
    )
    filters = (Period("day", _l("Day"), MONEY.c.day, whole_days=True),)
    search = (Course.title,)

    def query(self, by: Actor) -> Select[Any]:
        """All of it; an instructor's own courses' otherwise."""
        rows = select(MONEY).outerjoin(Course, Course.id == MONEY.c.course_id)
        return rows if by.is_admin else rows.where(Course.instructor_id == by.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return policies.can_see_reports(by)


class Usage(Report):
    """How much happened on each day."""

    name = "reporting.usage"
    title = _l("Usage by day")
    lead = _l("People who were here, and what they did, on each day of the academy's own zone, today included.")
    key = DAYS.c.id
    sort = "-day"
    empty = ("activity", _l("Nothing has happened yet"), _l("The first person who signs in makes the first row."))
    columns = (
        Column("day", _l("Day"), DAYS.c.day, kind="date", nullable=False),
        Column("active", _l("People here"), DAYS.c.active, kind="int", nullable=False),
        Column("sign_ins", _l("Sign-ins"), DAYS.c.sign_ins, kind="int", total=True, nullable=False),
        Column("enrolments", _l("Enrolments"), DAYS.c.enrolments, kind="int", total=True, nullable=False),
        Column("lessons_completed", _l("Lessons completed"), DAYS.c.lessons_completed, kind="int", total=True, nullable=False),
        Column("courses_completed", _l("Courses completed"), DAYS.c.courses_completed, kind="int", total=True, nullable=False),
        Column("orders", _l("Orders"), DAYS.c.orders, kind="int", total=True, nullable=False),
    )
    filters = (Period("day", _l("Day"), DAYS.c.day, whole_days=True),)

    def query(self, by: Actor) -> Select[Any]:
        """All of it."""
        return select(DAYS)

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_see_figures(by)
