"""The queue of those who ask to be enrolled: listed, looked at, answered."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels import queries as channels
from lms.core import plans
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.forms import AnswerForm
from lms.enrollments.models import Request
from lms.enrollments.reports import Requests
from lms.enrollments.reports.requests import REQUEST_STATES, REQUEST_TONES
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.lists import answer_list
from lms.web.toasts import toast

ACTS = {"approve": "enrollments.approve_requests", "refuse": "enrollments.refuse_requests"}


@bp.route("/requests")
def requests() -> ResponseReturnValue:
    """Every request this person may answer."""
    return answer_list(Requests(), "enrollments/admin/requests.html")


@bp.route("/requests/<uuid:request_id>", methods=["GET", "POST"])
def requests_show(request_id: UUID) -> ResponseReturnValue:
    """One request with what its person said; POST answers it, with a way back."""
    found = queries.get_request(request_id)
    course = courses.get_course(found.course_id)
    allow(policies.can_answer(actor(), course))
    form, page = AnswerForm(), "enrollments/admin/requests_show.html"
    if not form.is_submitted():
        return render_template(page, form=form, **_about(found, course))
    if form.validate():
        try:
            act = ACTS["refuse" if request.form.get("act") == "refuse" else "approve"]
            plan = plans.do_now(act, found.id, by=actor(), params={"answer": form.answer.data or ""})
            back = url_for("admin.plans_undo", plan_id=plan.id, back=url_for(".requests_show", request_id=found.id)) if plan else None
            toast(_("Answered. The person is told by mail."), undo=back)
            return moved(url_for(".requests", state="waiting"))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, **_about(queries.get_request(request_id), course))


def _about(found: Request, course: Course) -> dict[str, Any]:
    people = channels.members_by_id([one for one in (found.user_id, found.answered_by) if one is not None])
    return {
        "asked": found,
        "course": course,
        "member": people.get(found.user_id),
        "answerer": people.get(found.answered_by) if found.answered_by else None,
        "in_batches": queries.runs_in_batches(course.id),
        "states": dict(REQUEST_STATES),
        "tones": REQUEST_TONES,
    }
