"""The lesson editor, and what becomes of a lesson: published, unpublished, moved, deleted, restored."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.content.queries import picture_url
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.markdown import render
from lms.courses import operations, policies, queries
from lms.courses.admin.door import bp, lesson_badge
from lms.courses.admin.outline import read_ids
from lms.courses.errors import EditedMeanwhile
from lms.courses.forms import LessonForm, see_version
from lms.courses.models import Course, Lesson
from lms.web.access import actor, allow
from lms.web.answers import changed, invalid, moved
from lms.web.toasts import toast


def load(lesson_id: UUID) -> tuple[Lesson, Course]:
    """A lesson with its course; only those who may change the course go on."""
    lesson = queries.get_lesson(lesson_id)
    course = queries.get_course(lesson.course_id)
    allow(policies.can_edit(actor(), course))
    return lesson, course


@bp.route("/lessons/<uuid:lesson_id>/edit", methods=["GET", "POST"])
def lessons_edit(lesson_id: UUID) -> ResponseReturnValue:
    """Write a lesson; `act` says what the button does: save, publish, or only preview."""
    lesson, course = load(lesson_id)
    form = LessonForm()
    form.asset_pick.offer(queries.files_of(actor(), "video"))
    page = "courses/admin/lessons_edit.html"
    if not form.is_submitted():
        form.fill(lesson)
        return render_template(page, **editor(lesson, course, form))
    if request.form.get("act") == "preview":
        return render_template(page, **editor(lesson, course, form, preview=True))
    conflict = None
    if form.validate():
        try:
            sentence = save(lesson, form, publish=request.form.get("act") == "publish")
            toast(sentence, tone="success")
            return moved(url_for(".lessons_edit", lesson_id=lesson.id))
        except EditedMeanwhile as refusal:
            conflict = refusal
            see_version(form, refusal.version)
            form.refuse(refusal)
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, **editor(lesson, course, form, conflict=conflict))


def save(lesson: Lesson, form: LessonForm, *, publish: bool) -> str:
    """Save what was written, publish it if asked, and say what happened."""
    operations.edit_lesson(
        lesson,
        version=form.version.data,
        by=actor(),
        title=form.title.data,
        kind=form.kind.data,
        body=form.body.data,
        is_preview=form.is_preview.data,
    )
    if form.kind.data == "video" or form.video() is None:
        operations.set_video(lesson, form.video(), by=actor())
    if not publish:
        return _("Saved.")
    if operations.publish_lesson(lesson, by=actor(), when_ready=True):
        return _("Saved and published.")
    return _("Saved. The lesson will be published as soon as its video is ready.")


def editor(
    lesson: Lesson, course: Course, form: LessonForm, *, preview: bool = False, conflict: EditedMeanwhile | None = None
) -> dict[str, Any]:
    """What the editor's page shows."""
    lessons = queries.lessons_of(course.id, published_only=False)
    ids = [other.id for other in lessons]
    place = ids.index(lesson.id) if lesson.id in ids else -1
    asset = queries.assets_of([lesson]).get(lesson.asset_id) if lesson.asset_id else None
    return {
        "lesson": lesson,
        "course": course,
        "form": form,
        "video_file": asset,
        "poster_url": picture_url(asset),
        "preview": render(form.body.data or "") if preview else None,
        "conflict": conflict,
        "sections": queries.sections_of(course.id),
        "badge": lesson_badge(lesson),
        "earlier": lessons[place - 1] if place > 0 else None,
        "later": lessons[place + 1] if 0 <= place < len(lessons) - 1 else None,
    }


@bp.route("/markdown/preview", methods=["POST"])
def markdown_preview() -> ResponseReturnValue:
    """What was typed (`body` or `description`) as it will look; nothing is saved."""
    allow(policies.can_create(actor()))
    source = request.form.get("body", request.form.get("description", ""))
    return changed("courses/admin/_preview.html", otherwise=url_for(".index"), preview=render(source.replace("\r\n", "\n")))


@bp.route("/lessons/<uuid:lesson_id>/publish", methods=["POST"])
def lessons_publish(lesson_id: UUID) -> ResponseReturnValue:
    """Let students see the lesson, as soon as its video is ready."""
    lesson, course = load(lesson_id)
    done = operations.publish_lesson(lesson, by=actor(), when_ready=True)
    toast(_("Published.") if done else _("The lesson will be published as soon as its video is ready."), tone="success")
    return moved(url_for(".show", course_id=course.id))


@bp.route("/lessons/<uuid:lesson_id>/unpublish", methods=["POST"])
def lessons_unpublish(lesson_id: UUID) -> ResponseReturnValue:
    """Take the lesson back from the students."""
    lesson, course = load(lesson_id)
    operations.unpublish_lesson(lesson, by=actor())
    toast(_("Unpublished: students do not see the lesson now."), undo=url_for(".lessons_publish", lesson_id=lesson.id))
    return moved(url_for(".show", course_id=course.id))


@bp.route("/lessons/<uuid:lesson_id>/delete", methods=["POST"])
def lessons_delete(lesson_id: UUID) -> ResponseReturnValue:
    """Delete the lesson, with a way back."""
    lesson, course = load(lesson_id)
    operations.delete_lesson(lesson, by=actor())
    toast(_("The lesson “%(title)s” is deleted.", title=lesson.title), undo=url_for(".lessons_restore", lesson_id=lesson.id))
    return moved(url_for(".show", course_id=course.id))


@bp.route("/lessons/<uuid:lesson_id>/restore", methods=["POST"])
def lessons_restore(lesson_id: UUID) -> ResponseReturnValue:
    """Bring a deleted lesson back."""
    lesson, course = load(lesson_id)
    operations.restore_lesson(lesson, by=actor())
    toast(_("Restored."), tone="success")
    return moved(url_for(".show", course_id=course.id))


@bp.route("/lessons/<uuid:lesson_id>/move", methods=["POST"])
def lessons_move(lesson_id: UUID) -> ResponseReturnValue:
    """Put the lesson at the end of another section of its course."""
    lesson, course = load(lesson_id)
    for section_id in read_ids([request.form.get("section_id", "")]):
        operations.move_lesson(lesson, 10**6, by=actor(), section=queries.get_section(section_id))
    toast(_("Moved."), tone="success")
    return moved(url_for(".lessons_edit", lesson_id=lesson.id) if "stay" in request.form else url_for(".show", course_id=course.id))
