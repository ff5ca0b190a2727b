"""What stands beside a lesson's video: one's own notes, and the words that are said in it, to search and jump by."""

from typing import Any
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.content.operations import note_spent
from lms.content.queries import download_url, get_asset, picture_url, tracks_of
from lms.core.captions import Cue, plain, read_time
from lms.core.clock import now
from lms.core.errors import NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.core.storage import disposition
from lms.courses import queries as courses
from lms.courses.models import Lesson
from lms.courses.operations import count_download
from lms.enrollments import operations, policies, queries
from lms.enrollments.forms import NoteForm
from lms.enrollments.models import Note
from lms.enrollments.views.door import bp
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.toasts import toast

LINES_SHOWN = 60
LINES_A_PAGE = 1000


@bp.route("/lessons/<uuid:lesson_id>/notes", methods=["GET", "POST"])
def lessons_notes(lesson_id: UUID) -> ResponseReturnValue:
    """My notes to a lesson, and a form for another."""
    lesson = courses.get_lesson(lesson_id)
    _, course, enrollment = queries.desk(lesson.course_id, lesson_id, actor().user_id)
    allow(policies.can_write_notes(actor()) & policies.can_open(actor(), lesson, enrollment, at=now(), course=course))
    page, form = _page_of(lesson), NoteForm()
    if request.method == "GET":
        return fragment("enrollments/_notes.html", page=page, **_notes(lesson, form))
    try:
        if form.validate():
            operations.write_note(lesson, form.body.data or "", at=_moment(form), by=actor(), note_id=form.note_id.data)
            return changed("enrollments/_notes.html", otherwise=page, **_notes(lesson, NoteForm(formdata=None)))
    except Refusal as refusal:
        form.refuse(refusal)
    return invalid("enrollments/_notes.html", page="enrollments/lessons_notes.html", **_notes(lesson, form))


@bp.route("/notes")
def notes() -> ResponseReturnValue:
    """All my notes, by course and lesson; a search shows those with a word."""
    allow(policies.can_write_notes(actor()))
    word = request.args.get("q", "").strip()[:200]
    return render_template("enrollments/notes.html", notes=queries.notes_of(_me(), word=word), word=word)


@bp.route("/notes/export")
def notes_export() -> ResponseReturnValue:
    """All my notes in one file (Markdown)."""
    allow(policies.can_write_notes(actor()))
    lines: list[str] = []
    before: tuple[Any, Any] = (None, None)
    for note, lesson, course in queries.notes_of(_me(), limit=100_000):
        if course.id != before[0]:
            lines.append(f"# {course.title}\n")
        if lesson.id != before[1]:
            lines.append(f"## {lesson.title}\n")
        before = (course.id, lesson.id)
        moment = f"**{_clock(note.at_seconds)}** " if note.at_seconds is not None else ""
        lines.append(f"{moment}{note.body}\n")
    headers = {"Content-Type": "text/markdown; charset=utf-8", "Content-Disposition": disposition("notes.md", inline=False)}
    return make_response("\n".join(lines), 200, headers)


@bp.route("/notes/<uuid:note_id>/edit", methods=["GET", "POST"])
def notes_edit(note_id: UUID) -> ResponseReturnValue:
    """Other words for a note."""
    note = _mine(note_id)
    lesson = courses.get_lesson(note.lesson_id)
    form, page = NoteForm(), "enrollments/notes_edit.html"
    if not form.is_submitted():
        form.body.data = note.body
        return render_template(page, form=form, note=note, lesson=lesson)
    try:
        if form.validate():
            operations.change_note(note, form.body.data or "", by=actor())
            return moved(_page_of(lesson))
    except Refusal as refusal:
        form.refuse(refusal)
    return invalid(page, page=page, form=form, note=note, lesson=lesson)


@bp.route("/notes/<uuid:note_id>/delete", methods=["POST"])
def notes_delete(note_id: UUID) -> ResponseReturnValue:
    """Throw a note away, with a way back."""
    note = _mine(note_id)
    operations.delete_note(note, by=actor())
    toast(_("The note is gone."), undo=url_for(".notes_restore", note_id=note.id))
    lesson = courses.get_lesson(note.lesson_id)
    return changed("enrollments/_notes.html", otherwise=_page_of(lesson), **_notes(lesson, NoteForm(formdata=None)))


@bp.route("/notes/<uuid:note_id>/restore", methods=["POST"])
def notes_restore(note_id: UUID) -> ResponseReturnValue:
    """Bring a note back."""
    note = _mine(note_id)
    operations.restore_note(note, by=actor())
    return moved(_page_of(courses.get_lesson(note.lesson_id)))


@bp.route("/lessons/<uuid:lesson_id>/lines")
def lessons_lines(lesson_id: UUID) -> ResponseReturnValue:
    """What is said in a video, the lines with a word; each jumps to its moment."""
    lesson = _opened(lesson_id)
    return fragment("enrollments/_lines.html", page=url_for(".lessons_transcript", lesson_id=lesson_id), **_lines(lesson, LINES_SHOWN))


@bp.route("/lessons/<uuid:lesson_id>/transcript")
def lessons_transcript(lesson_id: UUID) -> ResponseReturnValue:
    """What is said in a video, to read."""
    lesson = _opened(lesson_id)
    return render_template("enrollments/lessons_transcript.html", **_lines(lesson, LINES_A_PAGE))


@bp.route("/lessons/<uuid:lesson_id>/resources")
def lessons_resources(lesson_id: UUID) -> ResponseReturnValue:
    """The files to download beside a lesson."""
    lesson = _opened(lesson_id)
    ready = [(resource, file) for resource, file in courses.resources_of(lesson.id) if file.is_ready]
    return fragment("enrollments/_resources.html", page=_page_of(lesson), lesson=lesson, resources=ready)


@bp.route("/resources/<uuid:resource_id>/download", methods=["POST"])
def resources_download(resource_id: UUID) -> ResponseReturnValue:
    """Count one download, and go to the file by a short signed address."""
    resource = courses.get_resource(resource_id)
    _opened(resource.lesson_id)
    file = get_asset(resource.asset_id)
    url = download_url(file) or picture_url(file)
    if not url:
        raise NotFound(_("This file is not ready yet. Try again in a minute."))
    count_download(resource)
    note_spent(file.id, given=file.size)
    return redirect(url, 303)


def _opened(lesson_id: UUID) -> Lesson:
    """A lesson that may be opened."""
    lesson = courses.get_lesson(lesson_id)
    _, course, enrollment = queries.desk(lesson.course_id, lesson_id, actor().user_id)
    allow(policies.can_open(actor(), lesson, enrollment, at=now(), course=course))
    return lesson


def _mine(note_id: UUID) -> Note:
    note = queries.get_note(note_id)
    allow(policies.can_read_note(actor(), note))
    return note


def _me() -> UUID:
    user_id = actor().user_id
    if user_id is None:
        raise NotFound(_("There is nothing here for somebody who is not signed in."))
    return user_id


def _page_of(lesson: Lesson) -> str:
    return url_for(".courses_lessons_show", course_id=lesson.course_id, lesson_id=lesson.id)


def _notes(lesson: Lesson, form: NoteForm) -> dict[str, Any]:
    return {"lesson": lesson, "notes": queries.notes_of_lesson(_me(), lesson.id), "form": form}


def _moment(form: NoteForm) -> float | None:
    return read_time(form.at.data) if form.at.data else None


def _lines(lesson: Lesson, most: int) -> dict[str, Any]:
    """The captions of the language asked for, or of the one shown first; those with the word."""
    tracks = [track for track in tracks_of(lesson.asset_id) if track.kind == "captions"] if lesson.asset_id else []
    wanted, word = request.args.get("lang", ""), request.args.get("q", "").strip()[:200]
    track = next((one for one in tracks if one.language == wanted), next((one for one in tracks if one.is_default), None))
    cues: list[Cue] = [cue for cue in track.cues if word.lower() in plain(cue.text).lower()] if track else []
    shown = [{"at": cue.start, "text": plain(cue.text)} for cue in cues[:most]]
    return {"lesson": lesson, "tracks": tracks, "track": track, "lines": shown, "found": len(cues), "word": word}


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02d}"
