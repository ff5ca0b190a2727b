"""Courses and categories one by one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import joinedload

from lms.channels.models import Member
from lms.core import db
from lms.core.decisions import STAFF
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow
from lms.courses.errors import NoSuchCategory, NoSuchCourse
from lms.courses.models import Category, Course, Lesson, Section

WITH_PEOPLE = (joinedload(Course.category), joinedload(Course.instructor))


def get_course(course_id: UUID) -> Course:
    """One course of any status with its category and instructor."""
    course = db.session().scalars(select(Course).where(Course.id == course_id).options(*WITH_PEOPLE)).one_or_none()
    if course is None:
        raise NoSuchCourse(_("There is no such course here."))
    return course


def get_course_by_slug(slug: str) -> Course:
    """One course of any status, by the name in its address, with its category and instructor."""
    course = db.session().scalars(select(Course).where(Course.slug == slug).options(*WITH_PEOPLE)).one_or_none()
    if course is None:
        raise NoSuchCourse(_("There is no such course here. Look for it in the catalogue."))
    return course


def lock_course(course_id: UUID) -> Course:
    """The course as it stands now, locked until the end of the transaction: changes of one course go one after the other."""
    query = select(Course).where(Course.id == course_id).options(*WITH_PEOPLE).with_for_update(of=Course)
    course = db.session().scalars(query.execution_options(populate_existing=True)).one_or_none()
    if course is None:
        raise NoSuchCourse(_("There is no such course here."))
    return course


def courses_due(moment: datetime, most: int = 500) -> Sequence[UUID]:
    """The courses whose day to be published, or to leave the catalogue, has come; the longest due first."""
    to_publish = and_(Course.publish_at <= moment, Course.status.not_in(("published", "deleted")))
    to_leave = and_(Course.unpublish_at <= moment, Course.status != "deleted")
    due = select(Course.id).where(or_(to_publish, to_leave)).order_by(func.least(Course.publish_at, Course.unpublish_at)).limit(most)
    return db.session().scalars(due).all()


def submitted_courses() -> Sequence[Course]:
    """The courses waiting for approval with their instructors, the longest waiting first."""
    query = (
        select(Course).where(Course.status == "submitted").options(joinedload(Course.instructor)).order_by(Course.submitted_at, Course.id)
    )
    return db.session().scalars(query).all()


def categories() -> Sequence[Category]:
    """Every category, by name."""
    return db.session().scalars(select(Category).order_by(Category.name)).all()


def get_category(category_id: UUID) -> Category:
    """One category."""
    category = db.session().scalars(select(Category).where(Category.id == category_id)).one_or_none()
    if category is None:
        raise NoSuchCategory(_("There is no such category here."))
    return category


def count_courses_in() -> dict[UUID, int]:
    """How many courses, deleted ones aside, each category holds."""
    query = (
        select(Course.category_id, func.count())
        .where(Course.category_id.is_not(None), Course.status != "deleted")
        .group_by(Course.category_id)
    )
    return {category_id: count for category_id, count in db.session().execute(query) if category_id}


def instructors() -> Sequence[Member]:
    """Everybody who may teach, by name."""
    query = select(Member).where(Member.role.in_(STAFF), Member.status == "active").order_by(Member.name, Member.id)
    return db.session().scalars(query).all()


def is_instructor(user_id: UUID) -> bool:
    """Whether this person may teach here."""
    query = select(Member.id).where(Member.id == user_id, Member.role.in_(STAFF), Member.status == "active")
    return db.session().scalar(query) is not None


def history_of(course: Course, *, before: UUID | None = None, most: int = 50) -> Sequence[AuditRow]:
    """The newest audit rows of a course and of its sections and lessons, `most` at a time, older than the row `before`."""
    query = (
        select(AuditRow)
        .where(
            or_(
                and_(AuditRow.target_kind == "courses", AuditRow.target_id == course.id),
                and_(AuditRow.target_kind == "sections", AuditRow.target_id.in_(select(Section.id).where(Section.course_id == course.id))),
                and_(AuditRow.target_kind == "lessons", AuditRow.target_id.in_(select(Lesson.id).where(Lesson.course_id == course.id))),
            )
        )
        .order_by(AuditRow.at.desc(), AuditRow.id.desc())
        .limit(most)
    )
    if before is not None:
        query = query.where(AuditRow.id < before)
    return db.session().scalars(query).all()
