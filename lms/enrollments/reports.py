"""Lists of enrollments: who learns what, and how far they are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from lms.channels.models import Member
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report
from lms.courses.models import Course
from lms.enrollments.models import Enrollment
from lms.enrollments.policies import can_see_students

SOURCES = (("wallet", _l("Wallet")), ("free", _l("Free course")), ("manual", _l("By hand")), ("voucher", _l("Voucher")))
STATUSES = (("active", _l("Learning")), ("completed", _l("Completed")), ("ended", _l("Ended")))
TONES = {"active": "info", "completed": "success", "ended": "neutral"}


def _courses() -> Sequence[tuple[str, str]]:
    rows = db.session().execute(select(Course.id, Course.title).where(Course.status != "deleted").order_by(Course.title, Course.id))
    return [(str(course_id), title) for course_id, title in rows]


class Enrollments(Report):
    """Every enrolment; instructors see those of their own courses."""

    name = "enrollments.enrollments"
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
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/enrollments/{id}"),
        Column("email", _l("E-mail"), Member.email),
        Column("course", _l("Course"), Course.title),
        Column("status", _l("Status"), Enrollment.status, kind="state", words=dict(STATUSES), tones=TONES),
        Column("progress", _l("Progress"), Enrollment.progress, kind="percent"),
        Column("source", _l("How"), Enrollment.source, kind="state", words=dict(SOURCES)),
        Column("enrolled_at", _l("Enrolled"), Enrollment.enrolled_at, kind="time"),
        Column("last_seen_at", _l("Last seen"), Enrollment.last_seen_at, kind="time"),
        Column("completed_at", _l("Completed"), Enrollment.completed_at, kind="time", shown=False),
        Column("ended_at", _l("Ended"), Enrollment.ended_at, kind="time", shown=False),
        Column("note", _l("Reason for enrolling"), Enrollment.note, shown=False),
    )
    filters = (
        Choice("course", _l("Course"), Enrollment.course_id, options=_courses),
        Choice("status", _l("Status"), Enrollment.status, options=STATUSES),
        Choice("source", _l("How"), Enrollment.source, options=SOURCES),
        Period("enrolled", _l("Enrolled"), Enrollment.enrolled_at),
        Period("seen", _l("Last seen"), Enrollment.last_seen_at),
    )
    search = (Member.name, Member.email, Course.title)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """All for admins, an instructor's own courses' otherwise."""
        rows = select(Enrollment).join(Member, Member.id == Enrollment.user_id).join(Course, Course.id == Enrollment.course_id)
        return rows if by.is_admin else rows.where(Course.instructor_id == by.user_id)
