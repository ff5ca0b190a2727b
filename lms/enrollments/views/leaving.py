"""Leaving a course by oneself, with what becomes of money, place and progress said first; and coming back."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody
from lms.enrollments.forms import LeaveForm
from lms.enrollments.views.door import bp
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast


@bp.route("/courses/<uuid:course_id>/leave", methods=["GET", "POST"])
def courses_leave(course_id: UUID) -> ResponseReturnValue:
    """Leave a course: the page says what that means, the button does it."""
    course = courses.get_course(course_id)
    enrollment = queries.active_enrollment(actor().user_id, course_id)
    allow(policies.can_leave(actor(), enrollment))
    if enrollment is None:
        return moved(url_for("courses.show", slug=course.slug))
    form, page = LeaveForm(), "enrollments/courses_leave.html"
    shown = {"form": form, "course": course, "enrollment": enrollment, "batch": queries.find_batch(enrollment.batch_id)}
    if not form.is_submitted():
        return render_template(page, **shown)
    if not form.validate():
        return invalid(page, page=page, **shown)
    operations.leave_course(enrollment, by=actor())
    toast(_("You left %(title)s.", title=course.title), undo=url_for(".courses_return", course_id=course.id))
    return moved(url_for(".index"))


@bp.route("/courses/<uuid:course_id>/return", methods=["POST"])
def courses_return(course_id: UUID) -> ResponseReturnValue:
    """Come back to a course one left oneself, to where one was."""
    course = courses.get_course(course_id)
    enrollment = queries.latest_enrollment(actor().user_id, course_id)
    if enrollment is not None and enrollment.is_open:
        allow(policies.can_learn(actor()))
        return moved(url_for(".courses_continue", course_id=course.id))
    refunded = enrollment is not None and queries.was_refunded(enrollment.user_id, course_id)
    allow(policies.can_return(actor(), course, enrollment, at=now(), day=operations.today(), refunded=refunded))
    try:
        operations.come_back(enrollment, by=actor())  # type: ignore[arg-type]
    except (BatchIsFull, BatchTakesNobody) as refusal:
        toast(refusal.sentence, tone="warning")
        return moved(url_for("courses.show", slug=course.slug))
    toast(_("You are back in %(title)s, with everything you had done.", title=course.title), tone="success")
    return moved(url_for(".courses_continue", course_id=course.id))
