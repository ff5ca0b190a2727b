"""One lesson: written, published, moved, deleted, restored."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from lms.courses import operations, policies, queries
from lms.courses.api.door import LessonAnswer, LessonChange, bp
from lms.courses.models import Course, Lesson
from lms.web.access import actor, allow
from lms.web.api import Body, endpoint, given


class Move(Body):
    """A place in a section, counted from 0; without a section, in the lesson's own."""

    position: Annotated[int, Field(ge=0, le=10_000)]
    section_id: UUID | None = None


@bp.get("/lessons/<uuid:lesson_id>")
@endpoint()
def lessons_show(lesson_id: UUID) -> LessonAnswer:
    """A lesson as those who teach see it."""
    lesson, course = _load(lesson_id)
    allow(policies.can_view(actor(), course))
    return LessonAnswer.of(lesson)


@bp.patch("/lessons/<uuid:lesson_id>")
@endpoint()
def lessons_edit(lesson_id: UUID, body: LessonChange) -> LessonAnswer:
    """Change a lesson."""
    lesson, course = _load(lesson_id)
    allow(policies.can_edit(actor(), course))
    values = {name: getattr(lesson, name) for name in ("title", "kind", "body", "is_preview")} | given(body, "asset_id")
    values.pop("asset_id", None)
    version = values.pop("version", lesson.version)
    operations.edit_lesson(lesson, version=version, by=actor(), **values)
    if "asset_id" in body.model_fields_set:
        operations.set_video(lesson, body.asset_id, by=actor())
    return LessonAnswer.of(lesson)


@bp.post("/lessons/<uuid:lesson_id>/publish")
@endpoint()
def lessons_publish(lesson_id: UUID) -> LessonAnswer:
    """Let students see the lesson, as soon as its video is ready."""
    lesson, course = _load(lesson_id)
    allow(policies.can_edit(actor(), course))
    operations.publish_lesson(lesson, by=actor(), when_ready=True)
    return LessonAnswer.of(lesson)


@bp.post("/lessons/<uuid:lesson_id>/unpublish")
@endpoint()
def lessons_unpublish(lesson_id: UUID) -> LessonAnswer:
    """Take the lesson back from the students."""
    lesson, course = _load(lesson_id)
    allow(policies.can_edit(actor(), course))
    operations.unpublish_lesson(lesson, by=actor())
    return LessonAnswer.of(lesson)


@bp.delete("/lessons/<uuid:lesson_id>")
@endpoint(status=204)
def lessons_delete(lesson_id: UUID) -> None:
    """Delete a lesson; it can be restored."""
    lesson, course = _load(lesson_id)
    allow(policies.can_edit(actor(), course))
    operations.delete_lesson(lesson, by=actor())


@bp.post("/lessons/<uuid:lesson_id>/restore")
@endpoint()
def lessons_restore(lesson_id: UUID) -> LessonAnswer:
    """Bring a deleted lesson back."""
    lesson, course = _load(lesson_id)
    allow(policies.can_edit(actor(), course))
    operations.restore_lesson(lesson, by=actor())
    return LessonAnswer.of(lesson)


@bp.post("/lessons/<uuid:lesson_id>/move")
@endpoint()
def lessons_move(lesson_id: UUID, body: Move) -> LessonAnswer:
    """Put a lesson at another place of its section, or of another section of the course."""
    lesson, course = _load(lesson_id)
    allow(policies.can_edit(actor(), course))
    section = queries.get_section(body.section_id) if body.section_id is not None else None
    operations.move_lesson(lesson, body.position, by=actor(), section=section)
    return LessonAnswer.of(lesson)


def _load(lesson_id: UUID) -> tuple[Lesson, Course]:
    lesson = queries.get_lesson(lesson_id)
    return lesson, queries.get_course(lesson.course_id)
