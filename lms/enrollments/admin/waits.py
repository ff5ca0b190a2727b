"""Waitlists, what is done with somebody's place on one, and people moved from one batch to another."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from lms.channels import queries as channels
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.enrollments import operations, policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.forms import MoveForm, WaitForm
from lms.enrollments.models import Wait
from lms.enrollments.reports import Waits
from lms.enrollments.reports.batches import WAITING
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.lists import answer_list
from lms.web.toasts import toast


@bp.route("/waits")
def waits() -> ResponseReturnValue:
    """Who waits for a place in which batch."""
    allow(policies.can_see_students(actor(), None))
    return answer_list(Waits(), "enrollments/admin/waits.html")


@bp.route("/waits/<uuid:wait_id>", methods=["GET", "POST"])
def waits_show(wait_id: UUID) -> ResponseReturnValue:
    """One person on a waitlist: offer a place, move or remove them, each with the reason."""
    wait = queries.get_wait(wait_id)
    batch = queries.get_batch(wait.batch_id)
    course = courses.get_course(batch.course_id)
    allow(policies.can_run(actor(), course))
    form, page = WaitForm(), "enrollments/admin/waits_show.html"
    list_of = queries.waiting_in(batch.id)
    place = next((number for number, one in enumerate(list_of, 1) if one.id == wait.id), None)
    member = channels.find_member(wait.user_id)
    shown = {"form": form, "wait": wait, "batch": batch, "course": course, "member": member, "place": place, "length": len(list_of)}
    shown["states"] = dict(WAITING)
    if not form.is_submitted():
        return render_template(page, **shown)
    try:
        if form.validate():
            toast(_acted(wait, form.act.data, form.reason.data or ""))
            return moved(url_for(".waits", batch=batch.id, stands="1"))
    except Refusal as refusal:
        form.refuse(refusal)
    return invalid(page, page=page, **shown)


@bp.route("/<uuid:enrollment_id>/move", methods=["GET", "POST"])
def move(enrollment_id: UUID) -> ResponseReturnValue:
    """Put somebody into another batch of their course, or out of any."""
    enrollment = queries.get_enrollment(enrollment_id)
    course = courses.get_course(enrollment.course_id)
    allow(policies.can_manage(actor()))
    form, page = MoveForm(), "enrollments/admin/move.html"
    choices = [
        (str(one.id), f"{one.name} · {queries.left_words(one)}") for one in queries.batches_of(course.id) if one.cancelled_at is None
    ]
    form.batch_id.choices = [SelectChoice("", _("No batch: at their own pace")), *(SelectChoice(*one) for one in choices)]
    shown: dict[str, Any] = {"form": form, "enrollment": enrollment, "course": course}
    shown["member"] = channels.find_member(enrollment.user_id)
    if not form.is_submitted():
        form.batch_id.data = str(enrollment.batch_id or "")
        return render_template(page, **shown)
    try:
        if form.validate():
            batch_id = UUID(form.batch_id.data) if form.batch_id.data else None
            operations.move_enrollment(enrollment, batch_id, reason=form.reason.data or "", by=actor())
            toast(_("Moved. The days of the course are those of the new batch."))
            return moved(url_for(".show", enrollment_id=enrollment.id))
    except Refusal as refusal:
        form.refuse(refusal)
    return invalid(page, page=page, **shown)


def _acted(wait: Wait, act: str, reason: str) -> str:
    """Do what the form says, and the sentence about it."""
    if act == "offer":
        operations.offer_by_hand(wait, reason=reason, by=actor())
        return _("A place is held for 24 hours, and the person hears of it.")
    if act == "remove":
        operations.remove_wait(wait, reason=reason, by=actor())
        return _("Taken off the list. The person hears why.")
    operations.move_wait(wait, act, reason=reason, by=actor())
    return _("Moved on the list.")
