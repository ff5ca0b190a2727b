"""The chapters of a course; every change locks the course, so that two people who sort at once do not mix the order."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from lms.core import audit, bin, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.courses import queries
from lms.courses.errors import NothingToPublish
from lms.courses.events import CourseEdited
from lms.courses.models import Course, Lesson, Section


def add_section(course: Course, title: str, *, by: Actor, section_id: UUID | None = None) -> Section:
    """A new section at the end of the course; the same `section_id` sent twice gives back the first."""
    title = _titled(title)
    course = queries.lock_course(course.id)
    if section_id is not None:
        made = db.session().scalars(select(Section).where(Section.id == section_id)).one_or_none()
        if made is not None:
            return made
    position = max((section.position for section in queries.sections_of(course.id)), default=-1) + 1
    section = Section(id=section_id or uuid7(), course_id=course.id, title=title, position=position)
    db.session().add(section)
    db.session().flush()
    audit.record("courses.add_section", section, by=by, after={"title": title})
    _told(course, by)
    return section


def rename_section(section: Section, title: str, *, by: Actor) -> None:
    """Give a section another title."""
    course = _locked(section)
    if audit.update(section, "courses.rename_section", by=by, title=_titled(title)):
        _told(course, by)


def move_section(section: Section, to: int, *, by: Actor) -> None:
    """Put a section at a place of its course, counted from 0; beyond the ends means at the end."""
    course = _locked(section)
    sections = [other for other in queries.sections_of(course.id) if other.id != section.id]
    sections.insert(min(max(to, 0), len(sections)), section)
    _number(course, sections, by)


def order_sections(course: Course, section_ids: Sequence[UUID], *, by: Actor) -> None:
    """Put the sections into this order; ids that are not of the course are ignored, sections not named keep their order behind."""
    course = queries.lock_course(course.id)
    place = {section_id: index for index, section_id in enumerate(section_ids)}
    _number(course, sorted(queries.sections_of(course.id), key=lambda section: place.get(section.id, len(place))), by)


def delete_section(section: Section, *, by: Actor) -> None:
    """Delete a section with its lessons, so that both can be restored; a published course keeps at least one published lesson."""
    course = _locked(section)
    if section.deleted_at is not None:
        return
    lessons = queries.siblings_of(section.id)
    if course.is_published and queries.count_published(course.id) <= sum(lesson.is_published for lesson in lessons):
        raise NothingToPublish(_("This section holds the last published lessons of a published course. Unpublish the course first."))
    moment = now()
    for lesson in lessons:
        lesson.status_before, lesson.status, lesson.deleted_at = lesson.status, "deleted", moment
    section.deleted_at = moment
    audit.record("courses.delete_section", section, by=by, before={"title": section.title, "lessons": len(lessons)})
    bin.put("section", section.id, section.title, by=by)
    _told(course, by)


def restore_section(section: Section, *, by: Actor) -> None:
    """Bring a deleted section back at its old place, with the lessons deleted together with it."""
    course = _locked(section)
    if section.deleted_at is None:
        return
    bin.expect_kept("section", section.id)
    together = select(Lesson).where(Lesson.section_id == section.id, Lesson.deleted_at == section.deleted_at)
    for lesson in db.session().scalars(together):
        lesson.status, lesson.status_before, lesson.deleted_at = lesson.status_before or "draft", None, None
    section.deleted_at = None
    audit.record("courses.restore_section", section, by=by, after={"title": section.title})
    bin.take_out("section", [section.id], by=by)
    _told(course, by)


def _locked(section: Section) -> Course:
    """The course, locked, with the section as it stands now."""
    course = queries.lock_course(section.course_id)
    db.session().refresh(section)
    return course


def _number(course: Course, sections: Sequence[Section], by: Actor) -> None:
    """Store the order; told and audited once, and only when it differs."""
    before = [str(section.id) for section in sorted(sections, key=lambda section: (section.position, section.id))]
    after = [str(section.id) for section in sections]
    for position, section in enumerate(sections):
        section.position = position
    if before != after:
        audit.record("courses.order_sections", course, by=by, before={"sections": before}, after={"sections": after})
        _told(course, by)


def _told(course: Course, by: Actor) -> None:
    course.updated_at = now()
    emit(CourseEdited(by=by.user_id, course_id=course.id))


def _titled(title: str) -> str:
    title = " ".join(title.split())
    if not title or len(title) > 160:
        raise Invalid(_("Give the section a title of at most 160 characters."), fields={"title": _("Give the section a title.")})
    return title
