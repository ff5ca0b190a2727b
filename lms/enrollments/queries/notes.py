"""People's own notes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.courses.models import Course, Lesson
from lms.enrollments.models import Note


def get_note(note_id: UUID) -> Note:
    """One note, thrown away or not."""
    found = db.session().get(Note, note_id)
    if found is None:
        raise NotFound(_("This note is not here. It may have been deleted."))
    return found


def notes_of_lesson(user_id: UUID, lesson_id: UUID) -> Sequence[Note]:
    """A person's notes to a lesson, in the order of the video, then those at no moment."""
    statement = (
        select(Note)
        .where(Note.user_id == user_id, Note.lesson_id == lesson_id, Note.deleted_at.is_(None))
        .order_by(Note.at_ms.asc().nulls_last(), Note.created_at, Note.id)
    )
    return db.session().scalars(statement).all()


def notes_of(user_id: UUID, *, word: str = "", limit: int = 500) -> list[tuple[Note, Lesson, Course]]:
    """A person's notes with their lessons and courses, by course and lesson; those with a word of theirs when one is given."""
    statement = (
        select(Note, Lesson, Course)
        .join(Lesson, Lesson.id == Note.lesson_id)
        .join(Course, Course.id == Note.course_id)
        .where(Note.user_id == user_id, Note.deleted_at.is_(None))
        .order_by(func.lower(Course.title), Course.id, Lesson.position, Lesson.id, Note.at_ms.asc().nulls_last(), Note.created_at)
        .limit(limit)
    )
    if word:
        statement = statement.where(func.lower(Note.body).contains(word.lower(), autoescape=True))
    return [(note, lesson, course) for note, lesson, course in db.session().execute(statement)]
