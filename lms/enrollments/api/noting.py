"""My own notes beside lessons."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from lms.core.clock import now
from lms.courses import queries as courses
from lms.courses.models import Lesson
from lms.enrollments import operations, policies, queries
from lms.enrollments.api.door import bp
from lms.enrollments.models import Note
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, endpoint

Words = Annotated[str, Field(min_length=1, max_length=5000)]


class NewNote(Body):
    """A note, at a second of the lesson's video or at none; an id of yours makes sending it twice safe."""

    body: Words
    at: Annotated[float, Field(ge=0, le=86_400)] | None = None
    id: UUID | None = None


class NoteChange(Body):
    """Other words."""

    body: Words


class NoteAnswer(Answer):
    """A note of mine."""

    id: UUID
    lesson_id: UUID
    at_seconds: float | None
    body: str
    created_at: datetime
    updated_at: datetime


class NoteList(Answer):
    """My notes to one lesson, in the order of its video."""

    rows: list[NoteAnswer]


@bp.get("/lessons/<uuid:lesson_id>/notes")
@endpoint()
def lessons_notes(lesson_id: UUID) -> NoteList:
    """My notes to a lesson."""
    lesson = _opened(lesson_id)
    user_id = actor().user_id
    assert user_id is not None
    return NoteList(rows=[NoteAnswer.model_validate(note) for note in queries.notes_of_lesson(user_id, lesson.id)])


@bp.post("/lessons/<uuid:lesson_id>/notes")
@endpoint(status=201)
def lessons_notes_create(lesson_id: UUID, body: NewNote) -> NoteAnswer:
    """Write a note."""
    return NoteAnswer.model_validate(operations.write_note(_opened(lesson_id), body.body, at=body.at, by=actor(), note_id=body.id))


@bp.patch("/notes/<uuid:note_id>")
@endpoint()
def notes_edit(note_id: UUID, body: NoteChange) -> NoteAnswer:
    """Change the words of a note."""
    note = _mine(note_id)
    operations.change_note(note, body.body, by=actor())
    return NoteAnswer.model_validate(note)


@bp.delete("/notes/<uuid:note_id>")
@endpoint(status=204)
def notes_delete(note_id: UUID) -> None:
    """Throw a note away; for 30 days it can be brought back."""
    operations.delete_note(_mine(note_id), by=actor())


def _mine(note_id: UUID) -> Note:
    note = queries.get_note(note_id)
    allow(policies.can_read_note(actor(), note))
    return note


def _opened(lesson_id: UUID) -> Lesson:
    """A lesson I may open, to write notes to."""
    course_id = courses.get_lesson(lesson_id).course_id
    lesson, course, enrollment = queries.desk(course_id, lesson_id, actor().user_id)
    allow(policies.can_write_notes(actor()) & policies.can_open(actor(), lesson, enrollment, at=now(), course=course))
    return lesson
