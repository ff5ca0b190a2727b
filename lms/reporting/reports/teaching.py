"""How courses go and what their teachers do."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import DateTime, Numeric, Select, Text, Uuid, cast, exists, func, literal, or_, select, true

from lms.channels.models import Member
from lms.channels.queries import this_channel
from lms.chat.models import Message
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Knob, Report, View
from lms.core.reports.fields import Words
from lms.courses.models import Course, Lesson
from lms.courses.reports import STATUSES, TONES, instructor_options
from lms.reporting import policies, queries
from lms.reporting.models import CourseFigures
from lms.reporting.reports.days import of
from lms.streaming.models import Session

EVER = 36_500
DAY = 86_400


class Completion(Report):
    """How many begin and complete each course, how long it takes them, and where most stop."""

    name = "reporting.completion"
    is_settled = False
    title = _l("Completion by course")
    lead = _l("How many were enrolled, began and completed each course, how long it took, and the lesson where most stopped.")
    key = Course.id
    href = "/admin/courses/{id}"
    sort = "title"
    empty = ("circle-check", _l("Nobody is enrolled yet"), _l("Each course somebody is enrolled in gets a row."))
    figures: ClassVar[Mapping[str, Words]] = {
        "completion": _l(
            "All enrolments ever made, ended ones included. Begun: a lesson was opened. The middle of the days from enrolling to the end:"
            " half took less, half took more. Most stop in: the last lesson of those who have not completed the course."
        ),
    }
    columns = (
        Column("title", _l("Course"), Course.title, href="/admin/courses/{id}"),
        Column("instructor", _l("Instructor"), Member.name),
        Column("status", _l("Status"), Course.status, kind="state", words=dict(STATUSES), tones=TONES, shown=False),
        Column("enrolled", _l("Enrolled"), of("enrolled"), kind="int", total=True, nullable=False),
        Column("started", _l("Began"), of("started"), kind="int", total=True, nullable=False),
        Column("completed", _l("Completed"), of("completed"), kind="int", total=True, nullable=False),
        Column("share", _l("Share"), func.round(100.0 * of("completed") / func.nullif(of("enrolled"), 0)), kind="percent", nullable=True),
        Column("median", _l("Days, in the middle"), func.round(cast(of("median_seconds"), Numeric) / DAY), kind="int", nullable=True),
        Column("lesson", _l("Most stop in"), Lesson.title, nullable=True),
        Column("stopped", _l("Stopped there"), of("stopped"), kind="int", nullable=False),
        Column(
            "counted_at", _l("Counted"), of("counted_at", DateTime(timezone=True)), kind="time", nullable=False, sortable=False, shown=False
        ),
    )
    filters = (
        Choice("status", _l("Status"), Course.status, options=STATUSES),
        Choice("instructor", _l("Instructor"), Course.instructor_id, options=instructor_options),
    )
    search = (Course.title, Member.name)

    def query(self, by: Actor) -> Select[Any]:
        """Every course with enrolments and what they add up to: counted now while they are few, by the hour while they are many."""
        if queries.is_small():
            added: Any = queries.course_figures().subquery("added")
        else:
            kept = select(*(getattr(CourseFigures, name) for name in KEPT))
            added = kept.subquery("added")
        rows = (
            select(Course)
            .join(added, added.c.course_id == Course.id)
            .join(Member, Member.id == Course.instructor_id)
            .outerjoin(Lesson, Lesson.id == added.c.stopped_lesson_id)
            .where(Course.status != "deleted")
        )
        return rows if by.is_admin else rows.where(Course.instructor_id == by.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return policies.can_see_reports(by)


KEPT = ("course_id", "enrolled", "started", "completed", "median_seconds", "stopped_lesson_id", "stopped", "counted_at")


class Instructors(Report):
    """What each teacher did in the last days, and what their courses brought."""

    name = "reporting.instructors"
    is_settled = False
    title = _l("What instructors do")
    lead = _l(
        "Lessons made, classes held, messages written to students, and what their courses were watched and sold for, in the days chosen."
    )
    key = Member.id
    href = "/admin/channels/people/{id}"
    sort = "name"
    empty = ("users", _l("No instructors yet"), _l("Whoever teaches a course gets a row."))
    figures: ClassVar[Mapping[str, Words]] = {
        "instructors": _l(
            "Whole days of the academy's own zone, today included. Revenue is what was paid for their courses less what was given back."
        ),
    }
    columns = (
        Column("name", _l("Instructor"), Member.name, href="/admin/channels/people/{id}"),
        Column("email", _l("E-mail"), Member.email, shown=False),
        Column("courses", _l("Courses"), of("courses"), kind="int", total=True, nullable=False),
        Column("lessons", _l("Lessons added"), of("lessons"), kind="int", total=True, nullable=False),
        Column("classes", _l("Classes held"), of("classes"), kind="int", total=True, nullable=False),
        Column("answers", _l("Messages in classes"), of("answers"), kind="int", total=True, nullable=False),
        Column("enrolments", _l("Enrolments"), of("enrolments", Numeric), kind="int", total=True, nullable=False),
        Column("watched", _l("Watched"), func.floor(of("watched", Numeric) / 1000), kind="duration", total=True, nullable=False),
        Column("revenue", _l("Revenue"), of("revenue", Numeric), kind="money", currency=of("currency", Text), total=True, nullable=False),
    )
    filters = (
        Knob(
            "days",
            _l("In the last"),
            [*((days, _l("%(days)s days", days=days)) for days in (7, 30, 90, 365)), (EVER, _l("all the time"))],
            30,
        ),
    )
    search = (Member.name, Member.email)

    def filtered(self, view: View, by: Actor, *, rows: Select[Any] | None = None) -> Select[Any]:
        """The rows of the days the view chooses."""
        days = int(dict(view.filters).get("days", 30))
        return super().filtered(view, by, rows=_taught(days))

    def query(self, by: Actor) -> Select[Any]:
        """The rows of all days."""
        return _taught(EVER)

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_see_figures(by)


def _taught(days: int) -> Select[Any]:
    """Everybody who teaches, with what they did since the first of that many days."""
    known, channel = queries.standing(), this_channel()
    first = max(known.today - timedelta(days=days - 1), date(1970, 1, 2))
    since = known.begins(first)
    sums = _course_sums(known, first, channel.currency)
    done = select(
        *(part.label(name) for name, part in _done(since).items()),
        *(func.coalesce(sums.c[name], 0).label(name) for name in ("enrolments", "watched", "revenue")),
        literal(channel.currency, Text).label("currency"),
    ).select_from(select(literal(1)).subquery("one").outerjoin(sums, sums.c.instructor_id == Member.id))
    teaches = exists().where(Course.channel_id == Member.channel_id, Course.instructor_id == Member.id, Course.status != "deleted")
    rows = select(Member).join(done.correlate(Member).lateral("added"), true())
    return rows.where(Member.status != "deleted", or_(Member.role == "instructor", teaches))


def _done(since: datetime) -> dict[str, Any]:
    """What a teacher did themselves, each as a count for one person."""
    held = Session.state.in_(("live", "ended", "recorded"))
    counted: dict[str, tuple[Any, list[Any]]] = {
        "courses": (Course, [Course.instructor_id == Member.id, Course.status != "deleted"]),
        "classes": (Session, [Session.host_id == Member.id, held, Session.starts_at >= since]),
        "answers": (Message, [Message.author_id == Member.id, Message.posted_at >= since, Message.deleted_at.is_(None)]),
    }
    made = {
        name: select(func.count())
        .select_from(table)
        .where(table.channel_id == Member.channel_id, *where)
        .correlate(Member)
        .scalar_subquery()
        for name, (table, where) in counted.items()
    }
    lessons = select(func.count()).select_from(Lesson).join(Course, Course.id == Lesson.course_id)
    own = [Lesson.channel_id == Member.channel_id, Course.instructor_id == Member.id]
    made["lessons"] = lessons.where(*own, Lesson.created_at >= since, Lesson.deleted_at.is_(None)).correlate(Member).scalar_subquery()
    return made


def _course_sums(known: queries.Standing, first: date, currency: str) -> Any:
    """What the courses of each teacher add up to from a day on."""
    found = queries.figures(known, ("enrolments", "watched", "revenue", "refunds"))

    def total(metric: str) -> Any:
        return func.coalesce(func.sum(found.c.value).filter(found.c.metric == metric), 0)

    return (
        select(
            Course.instructor_id,
            total("enrolments").label("enrolments"),
            total("watched").label("watched"),
            (total("revenue") - total("refunds")).label("revenue"),
        )
        .join_from(found, Course, Course.id == cast(func.nullif(found.c.dimension, ""), Uuid))
        .where(found.c.day >= first, found.c.currency.in_(("", currency)))
        .group_by(Course.instructor_id)
        .subquery("sums")
    )
