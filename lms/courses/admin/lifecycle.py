"""What becomes of a course: submitted, published, sent back, unpublished, archived, deleted, restored."""

from collections.abc import Callable
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.core.decisions import Actor, Decision
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses import operations, policies, queries
from lms.courses.admin.door import bp, head_of
from lms.courses.forms import DatesForm, ReasonForm
from lms.courses.models import Course
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast


def _act(
    course_id: UUID, may: Callable[[Actor, Course], Decision], does: Callable[..., object], sentence: str, *, undo: str | None = None
) -> ResponseReturnValue:
    """Load, allow, act, and lead back to the course with a sentence, and an undo where there is one."""
    course = queries.get_course(course_id)
    allow(may(actor(), course))
    does(course, by=actor())
    toast(sentence, tone="success", undo=url_for(undo, course_id=course.id) if undo else None)
    return moved(url_for(".show", course_id=course.id))


@bp.route("/<uuid:course_id>/submit", methods=["POST"])
def submit(course_id: UUID) -> ResponseReturnValue:
    """Ask for approval."""
    return _act(course_id, policies.can_submit, operations.submit_for_approval, _("Submitted. An admin will look at it and publish it."))


@bp.route("/<uuid:course_id>/publish", methods=["POST"])
def publish(course_id: UUID) -> ResponseReturnValue:
    """Approve and put into the catalogue."""
    return _act(course_id, policies.can_publish, operations.publish_course, _("Published: the course is in the catalogue now."))


@bp.route("/<uuid:course_id>/unpublish", methods=["POST"])
def unpublish(course_id: UUID) -> ResponseReturnValue:
    """Take out of the catalogue."""
    return _act(course_id, policies.can_unpublish, operations.unpublish_course, _("Unpublished: the course is a draft again."))


@bp.route("/<uuid:course_id>/archive", methods=["POST"])
def archive(course_id: UUID) -> ResponseReturnValue:
    """Put away."""
    return _act(course_id, policies.can_archive, operations.archive_course, _("Archived."))


@bp.route("/<uuid:course_id>/dates", methods=["GET", "POST"])
def dates(course_id: UUID) -> ResponseReturnValue:
    """When the course goes into the catalogue, and when it leaves it."""
    course = queries.get_course(course_id)
    allow(policies.can_set_dates(actor(), course))
    form = DatesForm()
    page = "courses/admin/dates.html"
    if not form.is_submitted():
        form.fill(course)
        return render_template(page, form=form, **head_of(course, "show"))
    if form.validate():
        try:
            changed = operations.set_dates(course, form.moment("publish_at"), form.moment("unpublish_at"), by=actor())
            toast(_("Saved.") if changed else _("Nothing was changed."))
            return moved(url_for(".show", course_id=course.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, **head_of(course, "show"))


@bp.route("/<uuid:course_id>/delete", methods=["POST"])
def delete(course_id: UUID) -> ResponseReturnValue:
    """Delete, with a way back."""
    return _act(course_id, policies.can_delete, operations.delete_course, _("The course is in the bin."), undo=".restore")


@bp.route("/<uuid:course_id>/restore", methods=["POST"])
def restore(course_id: UUID) -> ResponseReturnValue:
    """Bring back what was deleted."""
    return _act(course_id, policies.can_restore, operations.restore_course, _("Restored."))


@bp.route("/<uuid:course_id>/publish-lessons", methods=["POST"])
def publish_lessons(course_id: UUID) -> ResponseReturnValue:
    """Publish every draft lesson that lacks nothing."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    count = operations.publish_ready_lessons(course, by=actor())
    toast(_("%(count)s lessons are published, or will be as soon as their video is ready.", count=count), tone="success")
    return moved(url_for(".show", course_id=course.id))


@bp.route("/<uuid:course_id>/send-back", methods=["GET", "POST"])
def send_back(course_id: UUID) -> ResponseReturnValue:
    """Return a submitted course with the reason."""
    course = queries.get_course(course_id)
    allow(policies.can_send_back(actor(), course))
    form = ReasonForm()
    if not form.is_submitted():
        return render_template("courses/admin/send_back.html", form=form, **head_of(course, "show"))
    if form.validate():
        try:
            operations.send_back(course, form.reason.data, by=actor())
            toast(_("Sent back. %(name)s will read your reason.", name=course.instructor.name), tone="success")
            return moved(url_for(".show", course_id=course.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid("courses/admin/send_back.html", page="courses/admin/send_back.html", form=form, **head_of(course, "show"))
