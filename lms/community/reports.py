"""Lists of community: what students say."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from lms.channels.models import Member
from lms.community.models import Review
from lms.community.policies import can_list
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report
from lms.courses.models import Course

STATUSES = (("visible", _l("Visible")), ("hidden", _l("Hidden")))


def _courses() -> Sequence[tuple[str, str]]:
    rows = db.session().execute(select(Course.id, Course.title).where(Course.status != "deleted").order_by(Course.title, Course.id))
    return [(str(course_id), title) for course_id, title in rows]


class Reviews(Report):
    """Every review; instructors see those of their own courses."""

    name = "community.reviews"
    path = "/admin/community/reviews"
    title = _l("Reviews")
    lead = _l("What students say about the courses.")
    key = Review.id
    href = "/admin/community/reviews/{id}"
    sort = "-created_at"
    empty = ("star", _l("No reviews yet"), _l("Students can review a course once they have done a fifth of it."))
    columns = (
        Column("name", _l("Student"), Member.name, href="/admin/community/reviews/{id}"),
        Column("course", _l("Course"), Course.title),
        Column("rating", _l("Rating"), Review.rating, kind="stars"),
        Column("body", _l("Words"), Review.body, sortable=False),
        Column(
            "status", _l("Status"), Review.status, kind="state", words=dict(STATUSES), tones={"visible": "success", "hidden": "warning"}
        ),
        Column("created_at", _l("Written"), Review.created_at, kind="time"),
        Column("edited_at", _l("Changed"), Review.edited_at, kind="time", shown=False),
        Column("hidden_reason", _l("Hidden because"), Review.hidden_reason, shown=False),
    )
    filters = (
        Choice("course", _l("Course"), Review.course_id, options=_courses),
        Choice("rating", _l("Rating"), Review.rating, options=tuple((str(stars), str(stars)) for stars in (5, 4, 3, 2, 1))),
        Choice("status", _l("Status"), Review.status, options=STATUSES),
        Period("written", _l("Written"), Review.created_at),
    )
    search = (Member.name, Course.title, Review.body)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return can_list(by)

    def query(self, by: Actor) -> Select[Any]:
        """All for admins, an instructor's own courses' otherwise."""
        rows = select(Review).join(Member, Member.id == Review.user_id).join(Course, Course.id == Review.course_id)
        return rows if by.is_admin else rows.where(Course.instructor_id == by.user_id)
