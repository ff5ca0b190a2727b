"""The lists of live classes, and who came to them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Numeric, Select, Uuid, cast, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.reports import people_by
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Flag, Period, Report
from lms.core.reports.fields import Words
from lms.courses.models import Course
from lms.enrollments.models import CourseBatch, Enrollment
from lms.enrollments.reports.lists import batch_options
from lms.streaming.models import Session, Visit
from lms.streaming.policies import can_list
from lms.streaming.queries import stay_of
from lms.streaming.queries.sessions import IS_MEANT

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
        Column("batch", _l("Batch"), CourseBatch.name, nullable=True, shown=False),
        Column("host", _l("Host"), Member.name),
        Column("starts_at", _l("Starts"), Session.starts_at, kind="time"),
        Column("ends_at", _l("Ends"), Session.ends_at, kind="time", shown=False),
        Column("state", _l("State"), Session.state, kind="state", tones=TONES, words=dict(STATES)),
        Column("people", _l("Came"), PEOPLE, kind="int", sortable=False, nullable=False),
    )
    filters = (
        Choice("state", _l("State"), Session.state, options=STATES),
        Choice("batch", _l("Batch"), Session.batch_id, options=batch_options),
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
        found = found.outerjoin(CourseBatch, CourseBatch.id == Session.batch_id)
        return found if by.is_admin else found.where(or_(Session.host_id == by.user_id, Course.instructor_id == by.user_id))

    def allowed(self, by: Actor) -> Decision:
        """Staff."""
        return can_list(by)


Stay, Earlier = aliased(Visit), aliased(Visit)
STAYS = (
    select(func.unnest(func.range_agg(stay_of(Stay))).label("stay"))
    .where(Stay.channel_id == Visit.channel_id, Stay.session_id == Visit.session_id, Stay.user_id == Visit.user_id)
    .correlate(Visit, Session)
    .subquery("stays")
)
SECONDS = cast(func.extract("epoch", func.upper(STAYS.c.stay) - func.lower(STAYS.c.stay)), Numeric)
STAYED = func.coalesce(select(func.floor(func.sum(SECONDS))).correlate(Visit, Session).scalar_subquery(), 0)
BEGAN = func.coalesce(Session.started_at, Session.starts_at)
LATE = func.greatest(func.floor(cast(func.extract("epoch", Visit.joined_at - BEGAN), Numeric)), 0)
IS_LATE = Visit.joined_at >= BEGAN + func.make_interval(0, 0, 0, 0, 0, 5)


def _classes() -> list[tuple[str, str]]:
    """The latest classes, to choose one from."""
    rows = db.session().execute(select(Session.id, Session.title, Session.starts_at).order_by(Session.starts_at.desc()).limit(200))
    return [(str(one.id), f"{one.title} · {one.starts_at:%Y-%m-%d}") for one in rows]


def _in_batch(raw: str) -> Any:
    """Visits of people who are, or were, in a batch of the class's course."""
    own = (Enrollment.user_id == Visit.user_id, Enrollment.course_id == Session.course_id, Enrollment.batch_id == raw)
    return exists().where(Enrollment.channel_id == Visit.channel_id, *own)


class Attendance(Report):
    """Who was in which live class, and for how long; all for admins, their own classes' for instructors."""

    name = "streaming.attendance"
    title = _l("Attendance")
    lead = _l("Who came to which live class, for how long, and how late. Two windows at once count once.")
    key = Visit.id
    href = "/admin/streaming/sessions/{session}"
    sort = "-joined_at"
    empty = ("user-check", _l("Nobody was in a live class yet"), _l("Whoever joins one is listed here."))
    figures: ClassVar[Mapping[str, Words]] = {
        "attendance": _l(
            "One row for each person in each class they joined. The time is the sum of their stays; stays at once count once."
        ),
    }
    columns = (
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, shown=False, nullable=False),
        Column("title", _l("Class"), Session.title, nullable=False),
        Column("course", _l("Course"), Course.title, nullable=False),
        Column("joined_at", _l("Came"), Visit.joined_at, kind="time", nullable=False),
        Column("stayed", _l("Stayed"), STAYED, kind="duration", sortable=False, nullable=True, total=True),
        Column("late", _l("Late by"), LATE, kind="duration", sortable=False, nullable=False),
        Column("starts_at", _l("Class begins"), Session.starts_at, kind="time", shown=False, nullable=False),
        Column("session", _l("Class id"), Session.id, shown=False, sortable=False),
    )
    filters = (
        Choice("session", _l("Class"), Visit.session_id, options=_classes),
        Choice("batch", _l("In the batch"), _in_batch, options=batch_options),
        Period("came", _l("Came"), Visit.joined_at),
        Flag("late", _l("More than five minutes late"), IS_LATE),
    )
    search = (people_by(Visit.user_id), Session.title, Course.title)

    def query(self, by: Actor) -> Select[Any]:
        """The first visit of each person to each class this person runs, which stands for all of theirs to it."""
        before = exists().where(
            Earlier.channel_id == Visit.channel_id,
            Earlier.session_id == Visit.session_id,
            Earlier.user_id == Visit.user_id,
            tuple_(Earlier.joined_at, Earlier.id) < tuple_(Visit.joined_at, Visit.id),
        )
        found = (
            select(Visit)
            .join(Session, Session.id == Visit.session_id)
            .join(Course, Course.id == Session.course_id)
            .join(Member, Member.id == Visit.user_id)
            .where(~before)
        )
        return found if by.is_admin else found.where(or_(Session.host_id == by.user_id, Course.instructor_id == by.user_id))

    def allowed(self, by: Actor) -> Decision:
        """Staff."""
        return can_list(by)


THEIRS = (
    select(func.unnest(func.range_agg(stay_of(Stay))).label("stay"))
    .where(Stay.channel_id == Session.channel_id, Stay.session_id == Session.id, Stay.user_id == Enrollment.user_id)
    .correlate(Session, Enrollment)
    .subquery("theirs")
)
SPAN = cast(func.extract("epoch", func.upper(THEIRS.c.stay) - func.lower(THEIRS.c.stay)), Numeric)
WAS_THERE = func.coalesce(select(func.floor(func.sum(SPAN))).correlate(Session, Enrollment).scalar_subquery(), 0)
LASTED = cast(func.extract("epoch", func.coalesce(Session.ended_at, Session.ends_at) - BEGAN), Numeric)
SHARE = func.least(100, func.round(100 * WAS_THERE / func.greatest(LASTED, 1)))
CAME = exists().where(Stay.channel_id == Session.channel_id, Stay.session_id == Session.id, Stay.user_id == Enrollment.user_id)
PLACE = cast(func.md5(func.concat(Session.id, Enrollment.user_id)), Uuid)


def _courses() -> list[tuple[str, str]]:
    """The courses that had a class, by title."""
    had = exists().where(Session.channel_id == Course.channel_id, Session.course_id == Course.id)
    rows = db.session().execute(select(Course.id, Course.title).where(had).order_by(Course.title).limit(500))
    return [(str(one.id), one.title) for one in rows]


class Sheet(Report):
    """The attendance sheet: everybody who should have been in a class, whether they came or not."""

    name = "streaming.sheet"
    title = _l("Attendance sheet")
    lead = _l("Everybody who was in the course while a class was on: who came, for how long, and who did not.")
    key = PLACE
    href = "/admin/streaming/sessions/{session}"
    sort = "-starts_at"
    empty = ("user-check", _l("No class was held yet"), _l("After the first one, everybody who should have come stands here."))
    figures: ClassVar[Mapping[str, Words]] = {
        "sheet": _l(
            "One row for each person of the course and each class held since they joined. The share is their time of the class's length."
        ),
    }
    columns = (
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, shown=False, nullable=False),
        Column("title", _l("Class"), Session.title, nullable=False),
        Column("course", _l("Course"), Course.title, nullable=False),
        Column("starts_at", _l("Began"), BEGAN, kind="time", nullable=False),
        Column("came", _l("Came"), CAME, kind="bool", sortable=False, nullable=False),
        Column("stayed", _l("Stayed"), WAS_THERE, kind="duration", sortable=False, nullable=False, total=True),
        Column("share", _l("Share"), SHARE, kind="percent", sortable=False, nullable=False),
        Column("session", _l("Class id"), Session.id, shown=False, sortable=False),
    )
    filters = (
        Choice("session", _l("Class"), Session.id, options=_classes),
        Choice("course", _l("Course"), Session.course_id, options=_courses),
        Choice("batch", _l("In the batch"), Enrollment.batch_id, options=batch_options),
        Period("began", _l("Began"), BEGAN),
        Flag("absent", _l("Did not come"), ~CAME),
    )
    search = (people_by(Enrollment.user_id), Session.title, Course.title)

    def query(self, by: Actor) -> Select[Any]:
        """Each person of a course with each of its classes that were held while they were in it."""
        again = aliased(Enrollment)
        newer = exists().where(
            again.channel_id == Enrollment.channel_id,
            again.course_id == Enrollment.course_id,
            again.user_id == Enrollment.user_id,
            again.id > Enrollment.id,
            again.enrolled_at <= func.coalesce(Session.ended_at, Session.ends_at),
        )
        found = (
            select(Session.id)
            .join(Course, Course.id == Session.course_id)
            .join(Enrollment, Enrollment.course_id == Session.course_id)
            .join(Member, Member.id == Enrollment.user_id)
            .where(
                Session.state.in_(("live", "ended", "recorded")),
                IS_MEANT,
                Enrollment.enrolled_at <= func.coalesce(Session.ended_at, Session.ends_at),
                or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > BEGAN),
                ~newer,
            )
        )
        return found if by.is_admin else found.where(or_(Session.host_id == by.user_id, Course.instructor_id == by.user_id))

    def allowed(self, by: Actor) -> Decision:
        """Staff."""
        return can_list(by)
