"""Links and keys: one by one, by what somebody holds, with the courses they open and the people who came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import exists, func, select

from lms.core import db
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.enrollments.errors import NoLink
from lms.enrollments.models import CourseBatch, Enrollment, Hire, Link, LinkCourse, LinkUse


@dataclass(frozen=True, slots=True)
class Way:
    """A link or key with the courses it opens, and by course the batches it gives places of."""

    link: Link
    courses: Sequence[Course]
    batches: Mapping[UUID, CourseBatch] = field(default_factory=dict)

    def opens(self, course_id: UUID) -> bool:
        """Whether it opens that course."""
        return any(course.id == course_id for course in self.courses)


def get_link(link_id: UUID, *, lock: bool = False) -> Link:
    """One link or key, locked and fresh when asked; raises NoLink."""
    query = select(Link).where(Link.id == link_id)
    if lock:
        db.session().flush()
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(query).one_or_none()
    if found is None:
        raise NoLink(_("There is no such link or key here."))
    return found


def find_way(digest: bytes) -> Way | None:
    """The link or key whose digest this is, with its courses; None for one nobody made, or that was replaced."""
    found = db.session().scalars(select(Link).where(Link.digest == digest)).one_or_none()
    return Way(found, courses_of_link(found.id), batches_of_link(found.id)) if found is not None else None


def get_way(link_id: UUID) -> Way:
    """One link or key with its courses; raises NoLink."""
    return Way(get_link(link_id), courses_of_link(link_id), batches_of_link(link_id))


def courses_of_link(link_id: UUID) -> Sequence[Course]:
    """The courses a link or key opens, by title; deleted ones are left out."""
    query = select(Course).join(LinkCourse, LinkCourse.course_id == Course.id)
    return (
        db.session().scalars(query.where(LinkCourse.link_id == link_id, Course.status != "deleted").order_by(Course.title, Course.id)).all()
    )


def batches_of_link(link_id: UUID) -> dict[UUID, CourseBatch]:
    """The batches a link or key gives places of, by course."""
    query = select(CourseBatch).join(LinkCourse, LinkCourse.batch_id == CourseBatch.id).where(LinkCourse.link_id == link_id)
    return {batch.course_id: batch for batch in db.session().scalars(query)}


def came_through(link_id: UUID, user_id: UUID | None) -> bool:
    """Whether this person came through the link or key before, and so has a place of it."""
    return bool(db.session().scalar(select(exists().where(LinkUse.link_id == link_id, LinkUse.user_id == user_id))))


def hire_of(link_id: UUID, user_id: UUID | None) -> Hire | None:
    """The work this person took through the link, also when it was taken back."""
    return db.session().scalars(select(Hire).where(Hire.link_id == link_id, Hire.user_id == user_id)).one_or_none()


def get_hire(hire_id: UUID) -> tuple[Hire, Link]:
    """Work that somebody took, with its link."""
    found = db.session().get_one(Hire, hire_id)
    return found, get_link(found.link_id)


def lock_open_hires(*, link_id: UUID | None = None, user_id: UUID | None = None) -> Sequence[Hire]:
    """The work of a link, or of a person, that was taken and neither confirmed nor taken back; locked, in order."""
    db.session().flush()
    query = select(Hire).where(Hire.confirmed_at.is_(None), Hire.withdrawn_at.is_(None))
    query = query.where(Hire.link_id == link_id) if link_id else query.where(Hire.user_id == user_id)
    return db.session().scalars(query.order_by(Hire.id).with_for_update().execution_options(populate_existing=True)).all()


def enrollments_in(user_id: UUID | None, course_ids: Sequence[UUID]) -> dict[UUID, Enrollment]:
    """The person's open enrolments in these courses, by course; one query."""
    if user_id is None or not course_ids:
        return {}
    query = select(Enrollment).where(Enrollment.user_id == user_id, Enrollment.course_id.in_(course_ids), Enrollment.status != "ended")
    return {one.course_id: one for one in db.session().scalars(query)}


def has_key(course_id: UUID) -> bool:
    """Whether some key opens the course by now, so that its page has a field for it."""
    query = exists().where(
        LinkCourse.course_id == course_id,
        LinkCourse.link_id == Link.id,
        Link.kind == "key",
        Link.revoked_at.is_(None),
        func.coalesce(Link.ends_at > func.now(), True),
    )
    return bool(db.session().scalar(select(query)))
