"""Each person with all their courses side by side: one row a person, one column a course."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Numeric, Select, Text, cast, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import JSONB

from lms.channels.models import Member
from lms.channels.reports import people_by
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report
from lms.core.reports.fields import Words
from lms.courses.models import Course
from lms.enrollments.models import Enrollment
from lms.enrollments.policies import can_see_students
from lms.enrollments.reports.lists import batch_options, course_options

SHOWN = 12
MOST = 500


def _cells(only: Any) -> Any:
    """What each person has reached in each course, as one object for a person, of these courses or of all."""
    rows = select(
        func.jsonb_object_agg(cast(Enrollment.course_id, Text), Enrollment.progress).label("progress"),
        func.count().label("courses"),
        func.count(Enrollment.completed_at).label("completed"),
        cast(func.round(func.avg(Enrollment.progress)), Numeric).label("average"),
    ).where(Enrollment.channel_id == Member.channel_id, Enrollment.user_id == Member.id, Enrollment.status != "ended")
    rows = rows if only is None else rows.where(Enrollment.course_id.in_(only))
    return rows.correlate(Member).lateral("cells")


def _cell(name: str, kind: Any) -> Any:
    """A part of a person's cells, whichever courses they are of."""
    return literal_column(f"cells.{name}", kind)


def _in_course(raw: str) -> Any:
    return _enrolled().where(Enrollment.course_id == raw).exists()


def _in_batch(raw: str) -> Any:
    return _enrolled().where(Enrollment.batch_id == raw).exists()


def _enrolled() -> Any:
    return select(Enrollment.id).where(
        Enrollment.channel_id == Member.channel_id, Enrollment.user_id == Member.id, Enrollment.status != "ended"
    )


class Matrix(Report):
    """Students by courses; an instructor sees their own courses and the people in them."""

    name = "enrollments.matrix"
    is_settled = False
    title = _l("People and their courses")
    lead = _l("One row a person, one column a course: how far each of them is. Choose the courses under Columns.")
    key = Member.id
    href = "/admin/channels/people/{id}"
    sort = "name"
    is_wide = True
    empty = ("columns-3", _l("No students yet"), _l("Each student gets a row here, each published course a column."))
    figures: ClassVar[Mapping[str, Words]] = {
        "matrix": _l("Students of the academy. A cell is the progress of an enrolment that runs or is completed; empty: not enrolled."),
    }
    filters = (
        Choice("course", _l("In the course"), _in_course, options=course_options),
        Choice("batch", _l("In the batch"), _in_batch, options=batch_options),
        Period("joined", _l("Joined"), Member.joined_at),
        Period("seen", _l("Last here"), Member.seen_at),
    )
    search = (people_by(Member.id),)

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]  # the courses of the moment
        """The person, what they add up to, and each published or archived course, the newest first."""
        kept = db.session().info
        if "enrollments.matrix" not in kept:
            kept["enrollments.matrix"] = [*PERSON, *(_column(*course) for course in enumerate(_courses()))]
        columns: Sequence[Column] = kept["enrollments.matrix"]
        return columns

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """Every student for admins; for an instructor those in their courses, with these courses alone."""
        own = None if by.is_admin else select(Course.id).where(Course.instructor_id == by.user_id)
        return self._students(own).outerjoin(_cells(own), true())

    def bare(self, by: Actor) -> Select[Any]:
        """The students without their cells."""
        return self._students(None if by.is_admin else select(Course.id).where(Course.instructor_id == by.user_id))

    def _students(self, own: Any) -> Select[Any]:
        rows = select(Member).where(Member.role == "student", Member.status != "deleted")
        return rows if own is None else rows.where(_enrolled().where(Enrollment.course_id.in_(own)).exists())


PERSON = (
    Column("name", _l("Person"), Member.name, href="/admin/channels/people/{id}"),
    Column("email", _l("E-mail"), Member.email),
    Column("seen_at", _l("Last here"), Member.seen_at, kind="time", shown=False),
    Column("joined_at", _l("Joined"), Member.joined_at, kind="time", shown=False),
    Column("courses", _l("Courses"), _cell("courses", BigInteger), kind="int", sortable=False),
    Column("completed", _l("Completed"), _cell("completed", BigInteger), kind="int", sortable=False),
    Column("average", _l("Average"), _cell("average", Numeric), kind="percent", sortable=False, nullable=True),
)


def _courses() -> Sequence[Any]:
    shown = select(Course.id, Course.title).where(Course.status.in_(("published", "archived")))
    return db.session().execute(shown.order_by(Course.published_at.desc().nulls_last(), Course.id.desc()).limit(MOST)).all()


def _column(place: int, course: Any) -> Column:
    value = cast(_cell("progress", JSONB)[str(course.id)].astext, BigInteger)
    return Column(f"course_{course.id.hex}", course.title, value, kind="percent", sortable=False, shown=place < SHOWN, nullable=True)
