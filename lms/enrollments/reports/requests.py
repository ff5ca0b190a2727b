"""Requests to be enrolled: the queue, and what became of each."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.reports import of_person, people_by
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report
from lms.courses.models import Course
from lms.enrollments.models import Request
from lms.enrollments.policies import can_see_students
from lms.enrollments.reports.lists import course_options

REQUEST_STATES = (
    ("waiting", _l("Waits for an answer")),
    ("approved", _l("Let in")),
    ("refused", _l("Refused")),
    ("withdrawn", _l("Taken back")),
    ("expired", _l("Too old")),
)
REQUEST_TONES = {"waiting": "warning", "approved": "success", "refused": "danger", "withdrawn": "neutral", "expired": "neutral"}
Answerer = aliased(Member)


class Requests(Report):
    """Every request; instructors see those for their own courses."""

    name = "enrollments.requests"
    path = "/admin/enrollments/requests"
    title = _l("Requests")
    lead = _l("Who asks to be let into a course, why, and what they were told.")
    key = Request.id
    href = "/admin/enrollments/requests/{id}"
    sort = "-asked_at"
    empty = (
        "hand",
        _l("Nobody has asked yet"),
        _l("Courses that let people in on request have a button for it on their page. You choose that in the course’s settings."),
    )
    columns = (
        Column("name", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, nullable=False),
        Column("course", _l("Course"), Course.title, nullable=False),
        Column("state", _l("State"), Request.state, kind="state", words=dict(REQUEST_STATES), tones=REQUEST_TONES),
        Column("reason", _l("Reason"), Request.reason, sortable=False),
        Column("asked_at", _l("Asked"), Request.asked_at, kind="time"),
        Column("answered_at", _l("Answered"), Request.answered_at, kind="time"),
        Column("answerer", _l("By"), Answerer.name, shown=False),
        Column("answer", _l("Answer"), Request.answer, shown=False, sortable=False),
        Column("is_by_rule", _l("By the course’s rule"), Request.is_by_rule, kind="bool", shown=False),
    )
    filters = (
        Choice("state", _l("State"), Request.state, options=REQUEST_STATES),
        Choice("course", _l("Course"), Request.course_id, options=course_options),
        Period("asked", _l("Asked"), Request.asked_at),
        of_person(Request.user_id),
    )
    search = (people_by(Request.user_id), Course.title, Request.reason)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """All for admins, those for their own courses otherwise."""
        rows = (
            select(Request)
            .join(Member, Member.id == Request.user_id)
            .join(Course, Course.id == Request.course_id)
            .outerjoin(Answerer, (Answerer.id == Request.answered_by) & (Answerer.channel_id == Request.channel_id))
        )
        return rows if by.is_admin else rows.where(Course.instructor_id == by.user_id)
