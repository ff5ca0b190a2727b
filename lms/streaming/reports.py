"""The lists of live classes."""

from typing import Any

from sqlalchemy import Select, func, or_, select

from lms.channels.models import Member
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report
from lms.courses.models import Course
from lms.streaming.models import Session, Visit
from lms.streaming.policies import can_list

STATES = (
    ("scheduled", _l("Scheduled")),
    ("open", _l("Room open")),
    ("live", _l("Live")),
    ("ended", _l("Ended")),
    ("recorded", _l("Recorded")),
    ("cancelled", _l("Cancelled")),
)
TONES = {"scheduled": "info", "open": "primary", "live": "success", "ended": "neutral", "recorded": "primary", "cancelled": "danger"}
PEOPLE = (
    select(func.count(func.distinct(Visit.user_id)))
    .where(Visit.session_id == Session.id, Visit.channel_id == Session.channel_id)
    .correlate(Session)
    .scalar_subquery()
)


class Sessions(Report):
    """Every live class: all for admins, their own for instructors."""

    name = "streaming.sessions"
    path = "/admin/streaming/"
    title = _l("Live classes")
    columns = (
        Column("title", _l("Class"), Session.title, href="/admin/streaming/sessions/{id}"),
        Column("course", _l("Course"), Course.title),
        Column("host", _l("Host"), Member.name),
        Column("starts_at", _l("Starts"), Session.starts_at, kind="time"),
        Column("ends_at", _l("Ends"), Session.ends_at, kind="time", shown=False),
        Column("state", _l("State"), Session.state, kind="state", tones=TONES, words=dict(STATES)),
        Column("people", _l("Came"), PEOPLE, kind="int", sortable=False, nullable=False),
    )
    filters = (
        Choice("state", _l("State"), Session.state, options=STATES),
        Period("starts", _l("Starts"), Session.starts_at),
    )
    search = (Session.title, Course.title, Member.name)
    sort = "-starts_at"
    key = Session.id
    lead = _l("Plan a class, open its room, and see who came.")
    empty = ("radio", _l("No live classes yet"), _l("Plan one: students of the course see it at once, in their own time zone."))

    def query(self, by: Actor) -> Select[Any]:
        """The classes this person runs."""
        found = select(Session.id).join(Course, Course.id == Session.course_id).join(Member, Member.id == Session.host_id)
        return found if by.is_admin else found.where(or_(Session.host_id == by.user_id, Course.instructor_id == by.user_id))

    def allowed(self, by: Actor) -> Decision:
        """Staff."""
        return can_list(by)
