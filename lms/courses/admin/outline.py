"""Sections of a course: added, renamed, sorted, deleted and restored; and lessons added to them and sorted."""

from collections.abc import Sequence
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses import operations, policies, queries
from lms.courses.admin.courses import content_of
from lms.courses.admin.door import bp, head_of
from lms.courses.forms import NewLessonForm, SectionForm, uuid_or_none
from lms.courses.models import Course
from lms.web.access import actor, allow
from lms.web.answers import changed, invalid, own_path
from lms.web.toasts import toast


def outline_of(course: Course) -> ResponseReturnValue:
    """The outline after a change: the piece for htmx, else the page the change came from."""
    back = own_path(request.form.get("next"), url_for(".show", course_id=course.id))
    return changed("courses/admin/_outline.html", otherwise=back, course=course, **content_of(course))


def refused(course: Course, **forms: object) -> ResponseReturnValue:
    """The outline with the form that did not fit."""
    content = content_of(course) | forms
    return invalid("courses/admin/_outline.html", page="courses/admin/show.html", **(head_of(course, "show") | content))


@bp.route("/<uuid:course_id>/sections", methods=["POST"])
def sections(course_id: UUID) -> ResponseReturnValue:
    """Add a section."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    form = SectionForm()
    if not form.validate():
        return refused(course, section_form=form)
    operations.add_section(course, form.title.data, by=actor(), section_id=form.section_id.data)
    return outline_of(course)


@bp.route("/<uuid:course_id>/order", methods=["POST"])
def order(course_id: UUID) -> ResponseReturnValue:
    """Put the sections into the order sent (`order`), or move one a step (`move=up:<id>`)."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    ids = sent_order()
    operations.order_sections(course, ids or stepped([section.id for section in queries.sections_of(course.id)]), by=actor())
    return outline_of(course)


@bp.route("/sections/<uuid:section_id>/rename", methods=["GET", "POST"])
def sections_rename(section_id: UUID) -> ResponseReturnValue:
    """Give a section another title."""
    section = queries.get_section(section_id)
    course = queries.get_course(section.course_id)
    allow(policies.can_edit(actor(), course))
    form = SectionForm()
    page = "courses/admin/sections_rename.html"
    if not form.is_submitted():
        form.title.data, form.section_id.data = section.title, section.id
        return render_template(page, section=section, course=course, form=form)
    if form.validate():
        try:
            operations.rename_section(section, form.title.data, by=actor())
            return outline_of(course)
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, section=section, course=course, form=form)


@bp.route("/sections/<uuid:section_id>/delete", methods=["POST"])
def sections_delete(section_id: UUID) -> ResponseReturnValue:
    """Delete a section with its lessons, with a way back."""
    section = queries.get_section(section_id)
    course = queries.get_course(section.course_id)
    allow(policies.can_edit(actor(), course))
    operations.delete_section(section, by=actor())
    toast(
        _("The section “%(title)s” and its lessons are deleted.", title=section.title),
        undo=url_for(".sections_restore", section_id=section.id),
    )
    return outline_of(course)


@bp.route("/sections/<uuid:section_id>/restore", methods=["POST"])
def sections_restore(section_id: UUID) -> ResponseReturnValue:
    """Bring a deleted section back with its lessons."""
    section = queries.get_section(section_id)
    course = queries.get_course(section.course_id)
    allow(policies.can_edit(actor(), course))
    operations.restore_section(section, by=actor())
    return outline_of(course)


@bp.route("/sections/<uuid:section_id>/lessons", methods=["POST"])
def sections_lessons(section_id: UUID) -> ResponseReturnValue:
    """Add a lesson to a section."""
    section = queries.get_section(section_id)
    course = queries.get_course(section.course_id)
    allow(policies.can_edit(actor(), course))
    form = NewLessonForm()
    if not form.validate():
        return refused(course, lesson_forms=content_of(course)["lesson_forms"] | {section.id: form})
    try:
        is_text = form.kind.data == "text"
        lesson = operations.add_lesson(
            section,
            form.title.data,
            kind=form.kind.data,
            by=actor(),
            lesson_id=form.lesson_id.data,
            asset_id=None if is_text else form.asset_id.data,
        )
        if is_text and form.asset_id.data is not None:
            operations.add_resource(lesson, form.asset_id.data, by=actor())
    except Refusal as refusal:
        form.refuse(refusal)
        return refused(course, lesson_forms=content_of(course)["lesson_forms"] | {section.id: form})
    return outline_of(course)


@bp.route("/sections/<uuid:section_id>/order", methods=["POST"])
def sections_order(section_id: UUID) -> ResponseReturnValue:
    """Put the lessons of a section into the order sent (`order`), or move one a step (`move=up:<id>`)."""
    section = queries.get_section(section_id)
    course = queries.get_course(section.course_id)
    allow(policies.can_edit(actor(), course))
    ids = sent_order()
    operations.order_lessons(section, ids or stepped([lesson.id for lesson in queries.siblings_of(section.id)]), by=actor())
    return outline_of(course)


def sent_order() -> list[UUID]:
    """The ids of the form in their order; empty when one of them is to move a step instead."""
    if "move" in request.form:
        return []
    return read_ids(request.form.getlist("order"))


def stepped(ids: Sequence[UUID]) -> list[UUID]:
    """The ids with the one of `move=up:<id>` or `down:<id>` a step earlier or later."""
    direction, _sep, which = request.form.get("move", "").partition(":")
    moved = list(ids)
    for one in read_ids([which]):
        if one in moved:
            place = moved.index(one)
            moved.remove(one)
            moved.insert(max(place - 1, 0) if direction == "up" else place + 1, one)
    return moved


def read_ids(texts: Sequence[str]) -> list[UUID]:
    """The texts that are ids."""
    found = []
    for text in texts:
        try:
            found.append(uuid_or_none(text))
        except ValueError:
            continue
    return [one for one in found if one is not None]
