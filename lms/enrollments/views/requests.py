"""Asking to be let into a course, and taking it back."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, policies, queries
from lms.enrollments.forms import RequestForm
from lms.enrollments.models import Request
from lms.enrollments.views.door import bp
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast

ANSWERED = ("asked", "approved", "refused")  # not a way in, and still something to be told on the page


@bp.route("/courses/<uuid:course_id>/request", methods=["GET", "POST"])
def courses_request(course_id: UUID) -> ResponseReturnValue:
    """Ask to be let in, or see how the request stands."""
    course = courses.get_course(course_id)
    standing = queries.last_request(actor().user_id, course_id)
    decision = policies.can_ask(actor(), course, queries.active_enrollment(actor().user_id, course_id), standing, at=now())
    if decision.rule == "enrolled_already":
        allow(policies.can_learn(actor()))
        return moved(url_for(".courses_continue", course_id=course.id))
    form, page = RequestForm(), "enrollments/courses_request.html"
    shown = {"form": form, "decision": decision, "course": course, "standing": standing, "in_batches": queries.runs_in_batches(course.id)}
    if decision.rule in ANSWERED:
        allow(policies.can_learn(actor()))
        return render_template(page, **shown)
    allow(decision)
    if not form.is_submitted():
        return render_template(page, **shown)
    if form.validate():
        try:
            return _asked(operations.ask_to_enroll(course, form.reason.data or "", by=actor()), course)
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, **shown)


@bp.route("/courses/<uuid:course_id>/request/withdraw", methods=["POST"])
def courses_request_withdraw(course_id: UUID) -> ResponseReturnValue:
    """Take the request back while nobody has answered."""
    course = courses.get_course(course_id)
    standing = queries.last_request(actor().user_id, course_id)
    allow(policies.can_withdraw(actor(), standing) if standing is not None else policies.can_learn(actor()))
    if standing is not None:
        operations.withdraw_request(standing, by=actor())
        toast(_("Your request is taken back."))
    return moved(url_for("courses.show", slug=course.slug))


def _asked(made: Request, course: Course) -> ResponseReturnValue:
    """Where the person goes after asking: into the course, or to how the request stands."""
    if made.used_at is not None:
        toast(_("You are enrolled in %(title)s.", title=course.title), tone="success")
        return moved(url_for(".courses_continue", course_id=course.id))
    toast(_("You may enrol now.") if made.state == "approved" else _("Asked. You are told the answer by mail."))
    return moved(url_for(".courses_request", course_id=course.id))
