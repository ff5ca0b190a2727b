"""Batches of courses with their seats, who is in one, and who waits."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Date, Numeric, Select, Text, and_, bindparam, case, cast, func, or_, select

from lms.channels.models import Member
from lms.channels.reports import of_person, people_by
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Flag, Only, Period, Report, Sought
from lms.core.reports.fields import Words
from lms.courses.models import Course
from lms.enrollments.models import BatchInstructor, CourseBatch, Enrollment, Wait
from lms.enrollments.operations import today
from lms.enrollments.policies import can_see_students
from lms.enrollments.reports.lists import Enrollments, batch_options, course_options

STATES = (
    ("planned", _l("Planned")),
    ("open", _l("Open for enrolment")),
    ("running", _l("Running")),
    ("closed", _l("Over")),
    ("cancelled", _l("Cancelled")),
)
TONES = {"planned": "neutral", "open": "success", "running": "info", "closed": "outline", "cancelled": "danger"}
WAITING = (
    ("waiting", _l("Waiting")),
    ("offered", _l("Place offered")),
    ("taken", _l("Has a place")),
    ("passed", _l("Did not take it")),
    ("left", _l("Left the list")),
    ("removed", _l("Taken off")),
)
WAIT_TONES = {"waiting": "info", "offered": "warning", "taken": "success", "passed": "neutral", "left": "neutral", "removed": "danger"}
TODAY = bindparam(None, callable_=lambda: today(), type_=Date)
TAKES = and_(
    func.coalesce(CourseBatch.enrol_from, TODAY) <= TODAY,
    func.coalesce(func.least(CourseBatch.enrol_until, CourseBatch.ends_on), TODAY) >= TODAY,
)
STATE = case(
    (CourseBatch.cancelled_at.is_not(None), "cancelled"),
    (CourseBatch.ends_on < TODAY, "closed"),
    (CourseBatch.starts_on <= TODAY, "running"),
    (TAKES, "open"),
    (and_(CourseBatch.starts_on.is_(None), CourseBatch.enrol_until < TODAY), "running"),
    else_="planned",
)


def _part(label: Lazy, count: Any, tone: int) -> Any:
    return func.jsonb_build_array(bindparam(None, callable_=lambda: str(label), type_=Text), count, tone)


SEATS = func.jsonb_build_array(
    _part(_l("Taken"), CourseBatch.taken, 1),
    _part(_l("Promised"), CourseBatch.held, 3),
    _part(_l("Free"), func.coalesce(CourseBatch.seats - CourseBatch.taken - CourseBatch.held, 0), 0),
)
WAITERS = (
    select(func.count())
    .where(Wait.channel_id == CourseBatch.channel_id, Wait.batch_id == CourseBatch.id, Wait.state.in_(("waiting", "offered")))
    .correlate(CourseBatch)
    .scalar_subquery()
)


def _of_people(value: Any) -> Any:
    mine = and_(Enrollment.channel_id == CourseBatch.channel_id, Enrollment.batch_id == CourseBatch.id)
    return select(value).where(mine).correlate(CourseBatch).scalar_subquery()


OPEN = Enrollment.status != "ended"
COMPLETED = _of_people(func.count().filter(Enrollment.completed_at.is_not(None)))
LEFT = _of_people(func.count().filter(~OPEN))
AVERAGE = _of_people(cast(func.round(func.avg(Enrollment.progress).filter(OPEN)), Numeric))
TEACHERS = (
    select(func.string_agg(Member.name, ", "))
    .join(BatchInstructor, BatchInstructor.user_id == Member.id)
    .where(BatchInstructor.channel_id == CourseBatch.channel_id, BatchInstructor.batch_id == CourseBatch.id)
    .correlate(CourseBatch)
    .scalar_subquery()
)


def batches_seen(by: Actor) -> Any:
    """The condition for the batches an instructor sees: those of their courses and those they teach."""
    taught = select(BatchInstructor.batch_id).where(BatchInstructor.user_id == by.user_id)
    return or_(Course.instructor_id == by.user_id, CourseBatch.id.in_(taught))


class Batches(Report):
    """Dated runs of courses; instructors see those of their own courses and those they teach."""

    name = "enrollments.batches"
    path = "/admin/enrollments/batches"
    title = _l("Batches")
    lead = _l("Dated runs of courses, each with its own students, places and days.")
    key = CourseBatch.id
    href = "/admin/enrollments/batches/{id}"
    sort = "-starts_on"
    empty = (
        "calendar-clock",
        _l("No batches yet"),
        _l("A batch is a run of a course with a first and a last day, its own places and its own students."),
    )
    figures: ClassVar[Mapping[str, Words]] = {
        "batches": _l(
            "One row a batch. Completed are those of its people who finished every lesson that counts, average is their progress now."
        ),
    }
    columns = (
        Column("name", _l("Batch"), CourseBatch.name, href="/admin/enrollments/batches/{id}"),
        Column("course", _l("Course"), Course.title),
        Column("state", _l("State"), STATE, kind="state", words=dict(STATES), tones=TONES, nullable=False, sortable=False),
        Column("starts_on", _l("First day"), CourseBatch.starts_on, kind="date"),
        Column("ends_on", _l("Last day"), CourseBatch.ends_on, kind="date"),
        Column("standing", _l("Places"), SEATS, kind="segments", sortable=False),
        Column("taken", _l("People"), CourseBatch.taken, kind="int", total=True),
        Column("seats", _l("Of"), CourseBatch.seats, kind="int", shown=False),
        Column("waiting", _l("Waiting"), cast(WAITERS, BigInteger), kind="int", sortable=False, nullable=False),
        Column("completed", _l("Completed"), cast(COMPLETED, BigInteger), kind="int", sortable=False, nullable=False),
        Column("average", _l("Average progress"), AVERAGE, kind="percent", sortable=False, nullable=True),
        Column("ended", _l("Left it"), cast(LEFT, BigInteger), kind="int", sortable=False, nullable=False, shown=False),
        Column("enrol_from", _l("Enrolment from"), CourseBatch.enrol_from, kind="date", shown=False),
        Column("enrol_until", _l("Enrolment until"), CourseBatch.enrol_until, kind="date", shown=False),
        Column("price", _l("Own price"), CourseBatch.price_minor, kind="money", currency=Course.currency, shown=False),
        Column("teachers", _l("Instructors"), TEACHERS, sortable=False, nullable=True, shown=False),
        Column("created_at", _l("Made"), CourseBatch.created_at, kind="time", shown=False),
    )
    filters = (
        Choice("course", _l("Course"), CourseBatch.course_id, options=course_options),
        Choice("state", _l("State"), STATE, options=STATES),
        Flag("full", _l("Full"), func.coalesce(CourseBatch.taken + CourseBatch.held >= CourseBatch.seats, False)),
        Flag("waited", _l("Somebody waits"), WAITERS > 0),
        Period("starts", _l("First day"), CourseBatch.starts_on, whole_days=True),
    )
    search = (CourseBatch.name, Course.title)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to what an instructor teaches."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """Every batch that is not in the bin, with its course."""
        rows = select(CourseBatch).join(Course, Course.id == CourseBatch.course_id).where(CourseBatch.deleted_at.is_(None))
        return rows if by.is_admin else rows.where(batches_seen(by))


def batch_name(batch_id: UUID) -> str:
    """What a batch is called."""
    return db.session().scalar(select(CourseBatch.name).where(CourseBatch.id == batch_id)) or str(batch_id)


class BatchPeople(Enrollments):
    """Who is in one batch."""

    name = "enrollments.batch_people"
    path = "/admin/enrollments/"
    title = _l("People in batches")
    lead = _l("Who takes a place in a batch, and how far they are. A batch’s own page has its people alone.")
    columns = tuple(column for column in Enrollments.columns if column.key not in ("course", "batch"))
    filters = (Only("batch", _l("Batch"), Enrollment.batch_id, batch_name), *Enrollments.filters[2:])
    empty = (
        "users",
        _l("Nobody is in this batch yet"),
        _l("Students take a place on the course’s page while enrolment is open. You can also put people in by hand."),
    )

    def __init__(self, batch: CourseBatch | None = None) -> None:
        if batch is not None:
            self.fixed = {"batch": str(batch.id)}
            self.title = batch.name  # type: ignore[misc, assignment]  # a list of one batch is called like it
            self.lead = batch.about  # type: ignore[misc, assignment]


class Waits(Report):
    """Who waits for a place in which batch, and what became of it."""

    name = "enrollments.waits"
    path = "/admin/enrollments/waits"
    title = _l("Waitlists")
    lead = _l("Who waits for a place, in order. A place that falls free is held for the next one for 24 hours.")
    key = Wait.id
    href = "/admin/enrollments/waits/{id}"
    sort = "place"
    empty = ("clock", _l("Nobody waits"), _l("When a batch is full, students can join its waitlist on the course’s page."))
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/enrollments/waits/{id}"),
        Column("email", _l("E-mail"), Member.email),
        Column("course", _l("Course"), Course.title),
        Column("batch", _l("Batch"), CourseBatch.name),
        Column("place", _l("Place"), Wait.place, kind="int"),
        Column("state", _l("On the list"), Wait.state, kind="state", words=dict(WAITING), tones=WAIT_TONES),
        Column("joined_at", _l("Joined"), Wait.joined_at, kind="time"),
        Column("offered_until", _l("Held until"), Wait.offered_until, kind="time"),
        Column("ended_at", _l("Over since"), Wait.ended_at, kind="time", shown=False),
        Column("reason", _l("Reason"), Wait.reason, shown=False),
    )
    filters = (
        Choice("batch", _l("Batch"), Wait.batch_id, options=batch_options),
        Choice("state", _l("On the list"), Wait.state, options=WAITING),
        Flag("stands", _l("Waits now"), Wait.state.in_(("waiting", "offered"))),
        Period("joined", _l("Joined"), Wait.joined_at),
        of_person(Wait.user_id),
    )
    search = (people_by(Wait.user_id), Sought(Wait.batch_id, (CourseBatch.name,), row=CourseBatch.id))

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to what an instructor teaches."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """Everybody who waits or waited."""
        rows = (
            select(Wait)
            .join(Member, Member.id == Wait.user_id)
            .join(CourseBatch, CourseBatch.id == Wait.batch_id)
            .join(Course, Course.id == CourseBatch.course_id)
        )
        return rows if by.is_admin else rows.where(batches_seen(by))
