"""Beside a lesson's video: notes nobody else reads, and the words that are said, to search and jump by."""

from uuid import UUID

import pytest

from lms.content import operations as content
from lms.core import db
from lms.core.clock import now
from lms.core.errors import Invalid, NotFound
from lms.core.ids import uuid7
from lms.courses import operations as courses
from lms.courses import queries as courses_asked
from lms.courses.models import Lesson
from lms.enrollments import operations, queries
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.content.test_tracks import VTT, a_video
from tests.enrollments.test_views import enrolled, lesson_path, made
from tests.factories.people import ada, root, sam


def film(browser: Browser | None = None) -> Lesson:
    """A published video lesson with captions; whoever sits at the browser is enrolled."""
    course, _lessons = made(lessons=1)
    with db.unit_of_work(CHANNEL):
        from_ada = a_video()
        content.add_track(from_ada, VTT, kind="captions", language="en", label="English", by=ada())
        section = courses_asked.sections_of(course.id)[0]
        lesson = courses.add_lesson(section, "The pier", kind="video", by=root(), asset_id=from_ada.id)
        courses.publish_lesson(lesson, by=root())
    if browser is not None:
        enrolled(browser, course)
    return lesson


def test_lessons_notes__are_kept_changed_exported_and_thrown_away(as_sam: Browser, as_ada: Browser) -> None:
    lesson = film(as_sam)
    url, note_id = f"/enrollments/lessons/{lesson.id}/notes", str(uuid7())
    page = as_sam.get(lesson_path(lesson), status=200)
    assert url in page.body and "lines" in page.body
    assert as_sam.get(url, status=303).location.endswith(lesson_path(lesson))
    typed = {"body": "Look <b>here</b>", "at": "1:05", "note_id": note_id}
    assert "Write the moment" in as_sam.post(url, {**typed, "at": "soon"}, htmx=True, status=422).words
    for _twice in range(2):
        assert "1:05" in as_sam.post(url, typed, htmx=True, status=200).words
    assert as_sam.post(url, {**typed, "body": ""}, status=422)
    assert as_sam.get("/enrollments/notes", status=200).body.count("&lt;b&gt;") == 1
    assert "No notes yet" not in as_sam.get("/enrollments/notes?q=LOOK", status=200).words
    exported = as_sam.get("/enrollments/notes/export", check=False, status=200).response.get_data(as_text=True)
    assert "## The pier" in exported and "**1:05** Look" in exported
    edit = f"/enrollments/notes/{note_id}"
    for act in ("edit", "delete", "restore"):
        assert as_ada.post(f"{edit}/{act}", {"body": "Mine"}, status=403)
    assert as_sam.get(f"{edit}/edit", status=200)
    as_sam.post(f"{edit}/edit", {"body": ""}, status=422)
    as_sam.post(f"{edit}/edit", {"body": "Better"}, status=303)
    as_sam.post(f"{edit}/delete", status=303)
    assert "No notes yet" in as_sam.get("/enrollments/notes", status=200).words
    as_sam.post(f"{edit}/restore", status=303)
    assert "Better" in as_sam.get("/enrollments/notes", status=200).body


def test_write_note__is_private_and_goes_after_thirty_days(connection: object) -> None:
    lesson = film()
    with db.unit_of_work(CHANNEL) as session:
        note = operations.write_note(lesson, "Hm", at=None, by=sam())
        with pytest.raises(Invalid):
            operations.change_note(note, " ", by=sam())
        operations.delete_note(note, by=sam())
        operations.forget_notes(note.deleted_at)  # type: ignore[arg-type]
        assert queries.notes_of_lesson(UUID(str(note.user_id)), lesson.id) == []
        operations.forget_notes(now())
        session.expire_all()
        with pytest.raises(NotFound):
            queries.get_note(note.id)


def test_lessons_lines__find_a_word_and_jump_there(as_sam: Browser, as_eve: Browser) -> None:
    lesson = film(as_sam)
    url = f"/enrollments/lessons/{lesson.id}"
    found = as_sam.get(f"{url}/lines?q=PIER", htmx=True, status=200)
    assert "to the pier" in found.words and "Welcome" not in found.words and f"{lesson_path(lesson)}?t=1.0" in found.body
    assert "Welcome" in as_sam.get(f"{url}/transcript", status=200).words
    assert "No line" in as_sam.get(f"{url}/transcript?q=zebra", status=200).words
    assert as_eve.get(f"{url}/transcript").status in (303, 403)
    assert 'data-resume="1.0"' in as_sam.get(f"{lesson_path(lesson)}?t=1.0", status=200).body
