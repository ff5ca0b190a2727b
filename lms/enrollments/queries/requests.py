"""Requests to be enrolled: one by one, of one person for one course, and whom a course lets in by itself."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, exists, func, select

from lms.channels.models import Member, MemberTag, Tag
from lms.channels.queries import people_of_segment
from lms.core import db
from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.enrollments.errors import NoRequest
from lms.enrollments.models import ANSWER_LIVES, REQUEST_LIVES, Request

AT_ONCE = 500


def get_request(request_id: UUID, *, lock: bool = False) -> Request:
    """One request, locked and fresh when asked; raises NoRequest."""
    query = select(Request).where(Request.id == request_id)
    if lock:
        db.session().flush()
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(query).one_or_none()
    if found is None:
        raise NoRequest(_("There is no such request here."))
    return found


def last_request(user_id: UUID | None, course_id: UUID) -> Request | None:
    """What this person asked for last in this course, whatever became of it."""
    if user_id is None:
        return None
    query = select(Request).where(Request.user_id == user_id, Request.course_id == course_id)
    return db.session().scalars(query.order_by(Request.asked_at.desc(), Request.id.desc()).limit(1)).one_or_none()


def lets_in(user_id: UUID | None, course: Course) -> bool:
    """Whether a request of this person was granted and opens the course to them now; asks only where requests are asked for."""
    found = last_request(user_id, course.id) if course.entry == "request" else None
    return found is not None and found.lets_in(now())


def fits_rule(user_id: UUID, email: str, course: Course) -> str:
    """By which rule of the course this person is let in at once: `domain`, `tag` or `segment`; "" by none."""
    if email.rpartition("@")[2].lower() in course.entry_domains:
        return "domain"
    if course.entry_tag and db.session().scalar(select(exists(_bearing(user_id, course.entry_tag)))):
        return "tag"
    if course.entry_segment_id is not None:
        people = people_of_segment(course.entry_segment_id).where(Member.id == user_id)
        return "segment" if db.session().scalar(select(exists(people))) else ""
    return ""


def _bearing(user_id: UUID, tag: str) -> Select[UUID]:
    query = select(MemberTag.id).join(Tag, Tag.id == MemberTag.tag_id)
    return query.where(MemberTag.user_id == user_id, func.lower(Tag.name) == tag.lower())


def open_requests(user_id: UUID, course_id: UUID) -> Sequence[Request]:
    """The requests of a person for a course that led to nothing yet; locked until the transaction ends."""
    query = select(Request).where(Request.user_id == user_id, Request.course_id == course_id, Request.used_at.is_(None))
    return db.session().scalars(query.where(Request.state.in_(("waiting", "approved"))).order_by(Request.id).with_for_update()).all()


def stale_requests() -> Sequence[Request]:
    """Some requests nobody answered in time, and granted ones nobody used; locked until the transaction ends."""
    unanswered = (Request.state == "waiting") & (Request.asked_at < now() - REQUEST_LIVES)
    unused = (Request.state == "approved") & Request.used_at.is_(None) & (Request.answered_at < now() - ANSWER_LIVES)
    query = select(Request).where(unanswered | unused).order_by(Request.id).limit(AT_ONCE)
    return db.session().scalars(query.with_for_update(skip_locked=True)).all()
