"""Lists of courses: those one works on, and those that were deleted."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from sqlalchemy import Select, and_, func, select

from lms.channels.models import Member
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Flag, Period, Report
from lms.core.reports.fields import Filter, Words
from lms.courses import policies, queries
from lms.courses.models import Category, Course, Lesson

STATUSES = (
    ("draft", _l("Draft")),
    ("submitted", _l("Waiting for approval")),
    ("published", _l("Published")),
    ("archived", _l("Archived")),
)
TONES = {"submitted": "warning", "published": "success", "archived": "outline"}
LESSONS = (
    select(func.count())
    .select_from(Lesson)
    .where(Lesson.channel_id == Course.channel_id, Lesson.course_id == Course.id, Lesson.status == "published")
    .correlate(Course)
    .scalar_subquery()
)


def once(name: str, ask: Callable[[], Sequence[tuple[str, str]]]) -> Sequence[tuple[str, str | Lazy]]:
    """What a question answers, asked once in a unit of work however often a list shows it."""
    kept: dict[str, Any] = db.session().info
    if name not in kept:
        kept[name] = ask()
    found: Sequence[tuple[str, str | Lazy]] = kept[name]
    return found


def category_options() -> Sequence[tuple[str, str | Lazy]]:
    """The categories to filter by."""
    return once("courses.categories", lambda: [(str(category.id), category.name) for category in queries.categories()])


def instructor_options() -> Sequence[tuple[str, str | Lazy]]:
    """The teachers to filter by."""
    return once("courses.instructors", lambda: [(str(member.id), member.name) for member in queries.instructors()])


class Courses(Report):
    """The courses one works on: an instructor's own, an admin's all."""

    name = "courses.courses"
    path = "/admin/courses/"
    title = _l("Courses")
    lead = _l("From the first draft to the catalogue and the archive.")
    key = Course.id
    href = "/admin/courses/{id}"
    sort = "-updated_at"
    empty: ClassVar[tuple[str, Words, Words]] = (
        "book-open",
        _l("No courses yet"),
        _l("Make the first one: four short steps, each of them saved."),
    )
    columns: Sequence[Column] = (
        Column("title", _l("Course"), Course.title),
        Column("status", _l("Status"), Course.status, kind="state", words=dict(STATUSES), tones=TONES),
        Column("instructor", _l("Instructor"), Member.name),
        Column("category", _l("Category"), Category.name, nullable=True),
        Column("lessons", _l("Lessons"), LESSONS, kind="int", nullable=False),
        Column("price_minor", _l("Price"), Course.price_minor, kind="money", currency=Course.currency),
        Column("sale_price", _l("Sale price"), Course.sale_price_minor, kind="money", currency=Course.currency, shown=False),
        Column("sale_ends_at", _l("Sale ends"), Course.sale_ends_at, kind="time", shown=False),
        Column("updated_at", _l("Changed"), Course.updated_at, kind="time"),
        Column("published_at", _l("Published"), Course.published_at, kind="time", shown=False),
        Column("submitted_at", _l("Submitted"), Course.submitted_at, kind="time", shown=False),
        Column("created_at", _l("Made"), Course.created_at, kind="time", shown=False),
        Column("slug", _l("Address"), Course.slug, shown=False),
    )
    filters: Sequence[Filter] = (
        Choice("status", _l("Status"), Course.status, options=STATUSES),
        Choice("category", _l("Category"), Course.category_id, options=category_options),
        Choice("instructor", _l("Instructor"), Course.instructor_id, options=instructor_options),
        Flag("free", _l("Free"), Course.price_minor == 0),
        Flag("on_sale", _l("On sale now"), and_(Course.sale_starts_at <= func.now(), Course.sale_ends_at > func.now())),
        Period("published", _l("Published"), Course.published_at),
    )
    search = (Course.title, Course.summary, Member.name)

    def allowed(self, by: Actor) -> Decision:
        """Those who teach or run the channel."""
        return policies.can_list(by)

    def query(self, by: Actor) -> Select[Any]:
        """The courses this person may see that are not deleted."""
        return self.seen(by).where(Course.status != "deleted")

    def seen(self, by: Actor) -> Select[Any]:
        """The courses of this person, or all for an admin, with their teacher and category."""
        statement = select(Course).join(Member, Member.id == Course.instructor_id).outerjoin(Category, Category.id == Course.category_id)
        return statement if by.is_admin else statement.where(Course.instructor_id == by.user_id)


class DeletedCourses(Courses):
    """Courses that were deleted and can be restored."""

    name = "courses.deleted"
    path = "/admin/courses/deleted"
    title = _l("Deleted courses")
    lead = _l("Open one to restore it.")
    empty = ("trash-2", _l("Nothing was deleted"), "")
    columns = tuple(column for column in Courses.columns if column.key not in ("status", "published_at", "submitted_at"))
    filters = Courses.filters[1:4]

    def query(self, by: Actor) -> Select[Any]:
        """The deleted courses this person may see."""
        return self.seen(by).where(Course.status == "deleted")
