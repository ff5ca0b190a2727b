"""The sections of a course, and the order of things."""

from uuid import UUID

from lms.courses import operations, policies, queries
from lms.courses.api.door import LessonAnswer, NewLesson, NewSection, OutlineAnswer, SectionAnswer, SectionChange, bp
from lms.courses.models import Course, Section
from lms.web.access import actor, allow
from lms.web.api import Body, Ids, endpoint


class Order(Body):
    """Ids in the order wanted."""

    ids: Ids


@bp.get("/<uuid:course_id>/outline")
@endpoint(public=True)
def outline(course_id: UUID) -> OutlineAnswer:
    """The sections and lessons in order: published lessons for everybody, drafts for those who work on the course."""
    course = queries.get_course(course_id)
    allow(policies.can_read(actor(), course))
    return OutlineAnswer.of(queries.outline(course.id, published_only=not policies.can_view(actor(), course)))


@bp.post("/<uuid:course_id>/sections")
@endpoint(status=201)
def sections_create(course_id: UUID, body: NewSection) -> SectionAnswer:
    """Add a section at the end."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    return SectionAnswer.of(operations.add_section(course, body.title, by=actor(), section_id=body.id))


@bp.post("/<uuid:course_id>/order")
@endpoint()
def order(course_id: UUID, body: Order) -> OutlineAnswer:
    """Put the sections into this order."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    operations.order_sections(course, body.ids, by=actor())
    return OutlineAnswer.of(queries.outline(course.id))


@bp.patch("/sections/<uuid:section_id>")
@endpoint()
def sections_edit(section_id: UUID, body: SectionChange) -> SectionAnswer:
    """Give a section another title."""
    section, course = _load(section_id)
    allow(policies.can_edit(actor(), course))
    operations.rename_section(section, body.title, by=actor())
    return SectionAnswer.of(section)


@bp.delete("/sections/<uuid:section_id>")
@endpoint(status=204)
def sections_delete(section_id: UUID) -> None:
    """Delete a section with its lessons; both can be restored."""
    section, course = _load(section_id)
    allow(policies.can_edit(actor(), course))
    operations.delete_section(section, by=actor())


@bp.post("/sections/<uuid:section_id>/restore")
@endpoint()
def sections_restore(section_id: UUID) -> SectionAnswer:
    """Bring a deleted section back with its lessons."""
    section, course = _load(section_id)
    allow(policies.can_edit(actor(), course))
    operations.restore_section(section, by=actor())
    return SectionAnswer.of(section)


@bp.post("/sections/<uuid:section_id>/lessons")
@endpoint(status=201)
def sections_lessons_create(section_id: UUID, body: NewLesson) -> LessonAnswer:
    """Add a lesson at the end of a section; it is a draft."""
    section, course = _load(section_id)
    allow(policies.can_edit(actor(), course))
    lesson = operations.add_lesson(
        section, body.title, by=actor(), kind=body.kind, lesson_id=body.id, body=body.body, asset_id=body.asset_id
    )
    return LessonAnswer.of(lesson)


@bp.post("/sections/<uuid:section_id>/order")
@endpoint()
def sections_order(section_id: UUID, body: Order) -> OutlineAnswer:
    """Put the lessons of a section into this order; lessons of other sections of the course move in."""
    section, course = _load(section_id)
    allow(policies.can_edit(actor(), course))
    operations.order_lessons(section, body.ids, by=actor())
    return OutlineAnswer.of(queries.outline(course.id))


def _load(section_id: UUID) -> tuple[Section, Course]:
    section = queries.get_section(section_id)
    return section, queries.get_course(section.course_id)
