"""Notes people write for themselves beside a lesson: written, changed, thrown away and brought back. Private, so not in the audit log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete

from lms.core import db, limits
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel
from lms.courses.models import Lesson
from lms.enrollments.models import Note

LONGEST = 5000


def write_note(lesson: Lesson, body: str, *, at: float | None, by: Actor, note_id: UUID | None = None) -> Note:
    """A note to a lesson, at a moment of its video or at none; the same `note_id` sent twice gives back the first."""
    if by.user_id is None:
        raise Invalid(_("Sign in first."))
    words = _checked(body)
    found = db.session().get(Note, note_id) if note_id is not None else None
    if found is not None and found.user_id == by.user_id:
        return found
    limits.hit("enrollments.notes", f"{current_channel()}:{by.user_id}", most=300, seconds=3600)
    note = Note(
        user_id=by.user_id, course_id=lesson.course_id, lesson_id=lesson.id, at_ms=None if at is None else round(at * 1000), body=words
    )
    if note_id is not None and found is None:
        note.id = note_id
    db.session().add(note)
    db.session().flush()
    return note


def change_note(note: Note, body: str, *, by: Actor) -> None:
    """Other words for a note."""
    note.body = _checked(body)


def delete_note(note: Note, *, by: Actor) -> None:
    """Throw a note away; it can be brought back for 30 days. Twice changes nothing."""
    note.deleted_at = note.deleted_at or now()


def restore_note(note: Note, *, by: Actor) -> None:
    """Bring a note back."""
    note.deleted_at = None


def forget_notes(before: datetime) -> None:
    """Take away for good what was thrown away before the moment."""
    db.session().execute(delete(Note).where(Note.deleted_at < before))


def _checked(body: str) -> str:
    words = body.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST:
        raise Invalid(_("Write a note of at most 5,000 letters."), fields={"body": _("Write a note of at most 5,000 letters.")})
    return words
