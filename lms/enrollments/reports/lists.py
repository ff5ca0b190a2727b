"""Who learns what and how far they are, and each lesson that was completed."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Select, func, or_, select

from lms.channels.models import Member
from lms.channels.reports import of_person, people_by
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report, Sought
from lms.core.reports.fields import Filter, Words
from lms.courses.models import Course, Lesson
from lms.enrollments.models import BatchInstructor, CourseBatch, Enrollment, LessonProgress
from lms.enrollments.policies import can_see_students

SOURCES = (
    ("wallet", _l("Wallet")),
    ("free", _l("Free course")),
    ("manual", _l("By hand")),
    ("voucher", _l("Voucher")),
    ("link", _l("Link or key")),
    ("request", _l("Request")),
)
STATUSES = (("active", _l("Learning")), ("completed", _l("Completed")), ("ended", _l("Ended")))
TONES = {"active": "info", "completed": "success", "ended": "neutral"}


def course_options() -> Sequence[tuple[str, str]]:
    """The courses to filter by."""
    rows = db.session().execute(select(Course.id, Course.title).where(Course.status != "deleted").order_by(Course.title, Course.id))
    return [(str(course_id), title) for course_id, title in rows]


def batch_options() -> Sequence[tuple[str, str]]:
    """The batches to filter by, each with its course."""
    wanted = select(CourseBatch.id, Course.title, CourseBatch.name).join(Course, Course.id == CourseBatch.course_id)
    wanted = wanted.where(CourseBatch.deleted_at.is_(None)).order_by(
        Course.title, CourseBatch.starts_on.desc().nulls_last(), CourseBatch.id
    )
    return [(str(batch_id), f"{title} · {name}") for batch_id, title, name in db.session().execute(wanted)]


def taught_by(by: Actor) -> Any:
    """The condition for the enrolments an instructor sees: in their own courses, and in the batches they teach."""
    own = select(Course.id).where(Course.instructor_id == by.user_id)
    taught = select(BatchInstructor.batch_id).where(BatchInstructor.user_id == by.user_id)
    return or_(Enrollment.course_id.in_(own), Enrollment.batch_id.in_(taught))


BATCH = select(CourseBatch.name).where(CourseBatch.id == Enrollment.batch_id).correlate(Enrollment).scalar_subquery()


class Enrollments(Report):
    """Every enrolment; instructors see those of their own courses."""

    name = "enrollments.enrollments"
    path = "/admin/enrollments/"
    title = _l("Enrolments")
    lead = _l("Who learns what, and how far they are.")
    key = Enrollment.id
    href = "/admin/enrollments/{id}"
    sort = "-enrolled_at"
    empty = (
        "user-check",
        _l("Nobody is enrolled yet"),
        _l("Students enrol themselves once a course is published. You can also enrol somebody by hand."),
    )
    figures: ClassVar[Mapping[str, Words]] = {
        "enrolled": _l(
            "Enrolments made on these days of the academy's own zone, bought, free, by voucher or by hand, whatever became of them later."
        ),
        "here": _l("Enrolments whose lessons were opened, the last time on one of these days of the academy's own zone."),
        "completed": _l(
            "Enrolments in which every lesson that counts was completed. The percentage is their share of all enrolments ever made."
        ),
    }
    columns: Sequence[Column] = (
        Column("name", _l("Person"), Member.name, href="/admin/enrollments/{id}"),
        Column("email", _l("E-mail"), Member.email),
        Column("course", _l("Course"), Course.title, sortable=False),
        Column("batch", _l("Batch"), BATCH, sortable=False, nullable=True, shown=False),
        Column("status", _l("Status"), Enrollment.status, kind="state", words=dict(STATUSES), tones=TONES),
        Column("progress", _l("Progress"), Enrollment.progress, kind="percent"),
        Column("source", _l("How"), Enrollment.source, kind="state", words=dict(SOURCES)),
        Column("enrolled_at", _l("Enrolled"), Enrollment.enrolled_at, kind="time"),
        Column("last_seen_at", _l("Last seen"), Enrollment.last_seen_at, kind="time"),
        Column("completed_at", _l("Completed"), Enrollment.completed_at, kind="time", shown=False),
        Column("ended_at", _l("Ended"), Enrollment.ended_at, kind="time", shown=False),
        Column("until_on", _l("Open until"), Enrollment.until_on, kind="date", shown=False),
        Column("note", _l("Reason for enrolling"), Enrollment.note, shown=False),
    )
    filters: Sequence[Filter] = (
        Choice("course", _l("Course"), Enrollment.course_id, options=course_options),
        Choice("batch", _l("Batch"), Enrollment.batch_id, options=batch_options),
        Choice("status", _l("Status"), Enrollment.status, options=STATUSES),
        Choice("source", _l("How"), Enrollment.source, options=SOURCES),
        Period("enrolled", _l("Enrolled"), Enrollment.enrolled_at),
        Period("seen", _l("Last seen"), Enrollment.last_seen_at),
        Period("completed", _l("Completed"), Enrollment.completed_at),
        of_person(Enrollment.user_id),
    )
    search = (people_by(Enrollment.user_id), Sought(Enrollment.course_id, (Course.title,), row=Course.id))

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """All for admins, an instructor's own courses' otherwise."""
        rows = select(Enrollment).join(Member, Member.id == Enrollment.user_id).join(Course, Course.id == Enrollment.course_id)
        return rows if by.is_admin else rows.where(taught_by(by))

    def bare(self, by: Actor) -> Select[Any]:
        """The enrolments alone; every one has its person and its course."""
        return select(Enrollment) if by.is_admin else select(Enrollment).where(taught_by(by))


class Lessons(Report):
    """Every lesson somebody completed; instructors see those of their own courses."""

    name = "enrollments.lessons"
    title = _l("Lessons completed")
    lead = _l("Who completed which lesson, when, and how long they watched.")
    key = LessonProgress.id
    href = "/admin/enrollments/{enrollment}"
    path = "/admin/enrollments/lessons"
    sort = "-completed_at"
    empty = ("circle-check", _l("No lesson was completed yet"), _l("A lesson counts once it was watched or read to its end."))
    figures: ClassVar[Mapping[str, Words]] = {
        "lessons": _l("Lessons completed on these days of the academy's own zone; each lesson counts once for each enrolment."),
    }
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/enrollments/{enrollment}", nullable=False),
        Column("email", _l("E-mail"), Member.email, shown=False, nullable=False),
        Column("course", _l("Course"), Course.title, nullable=False),
        Column("lesson", _l("Lesson"), Lesson.title, nullable=False),
        Column("completed_at", _l("Completed"), LessonProgress.completed_at, kind="time", nullable=False),
        Column("started_at", _l("Started"), LessonProgress.started_at, kind="time", shown=False),
        Column("watched", _l("Watched"), func.nullif(LessonProgress.watch_ms, 0) / 1000, kind="duration", sortable=False),
        Column("enrollment", _l("Enrolment id"), LessonProgress.enrollment_id, shown=False, sortable=False),
    )
    filters = (
        Choice("course", _l("Course"), Lesson.course_id, options=course_options),
        Period("completed", _l("Completed"), LessonProgress.completed_at),
    )
    search = (people_by(LessonProgress.user_id), Course.title, Lesson.title)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """All for admins, an instructor's own courses' otherwise."""
        rows = (
            select(LessonProgress)
            .join(Member, Member.id == LessonProgress.user_id)
            .join(Lesson, Lesson.id == LessonProgress.lesson_id)
            .join(Course, Course.id == Lesson.course_id)
            .where(LessonProgress.completed_at.is_not(None))
        )
        return rows if by.is_admin else rows.where(Course.instructor_id == by.user_id)
