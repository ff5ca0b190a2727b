"""Door 1: what students say about a course, and my own review of it."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.community import operations, policies, queries
from lms.community.forms import ReviewForm
from lms.core.errors import Invalid, NotFound
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments.models import Enrollment
from lms.enrollments.queries import active_enrollment
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid
from lms.web.toasts import toast

bp = Blueprint("community", __name__, url_prefix="/community")
PAGE = 20


@bp.route("/courses/<uuid:course_id>/reviews")
def courses_reviews(course_id: UUID) -> ResponseReturnValue:
    """The visible reviews of a course with their figures and my own, for the course's page."""
    course = courses.get_course(course_id)
    enrollment = active_enrollment(actor().user_id, course_id)
    allow(policies.can_read_reviews(actor(), course, enrollment))
    page = url_for(".courses_review", course_id=course_id)
    return fragment("community/_reviews.html", page=page, **_context(course, enrollment))


@bp.route("/courses/<uuid:course_id>/review", methods=["GET", "POST"])
def courses_review(course_id: UUID) -> ResponseReturnValue:
    """Read all reviews of a course; write or change my own."""
    course = courses.get_course(course_id)
    enrollment = active_enrollment(actor().user_id, course_id)
    if request.method == "GET":
        allow(policies.can_read_reviews(actor(), course, enrollment))
        return render_template("community/courses_review.html", **_context(course, enrollment))
    allow(policies.can_review(actor(), course, enrollment))
    form = ReviewForm()
    if not form.validate():
        return invalid("community/_reviews.html", page="community/courses_review.html", **_context(course, enrollment, form))
    try:
        operations.post_review(course, rating=int(form.rating.data), body=form.body.data or "", by=actor())
    except Invalid as refusal:
        form.refuse(refusal)
        return invalid("community/_reviews.html", page="community/courses_review.html", **_context(course, enrollment, form))
    toast(_("Thank you. Your review is on the course page."))
    here = url_for(".courses_review", course_id=course_id)
    return changed("community/_reviews.html", otherwise=here, **_context(course, enrollment))


def _context(course: Course, enrollment: Enrollment | None, form: ReviewForm | None = None) -> dict[str, Any]:
    """What the reviews of a course show to this person; the form is filled with their own review unless one is given."""
    mine = queries.review_of(actor().user_id, course.id)
    filled = {"rating": str(mine.rating), "body": mine.body} if mine else {}
    found = queries.visible_reviews(course.id, limit=PAGE + 1, after=_after())
    return {
        "course": course,
        "form": form or ReviewForm(formdata=None, **filled),
        "reviews": found[:PAGE],
        "more_after": found[PAGE - 1].id if len(found) > PAGE else None,
        "figures": queries.rating_of(course.id),
        "mine": mine,
        "may_review": policies.can_review(actor(), course, enrollment),
        "may_moderate": policies.can_moderate(actor()),
    }


def _after() -> UUID | None:
    """The review after which the page goes on, from `?after=`."""
    try:
        return UUID(request.args["after"]) if "after" in request.args else None
    except ValueError as error:
        raise NotFound(_("There is no such page of reviews.")) from error
