"""Door 2: every review, hidden with a reason and shown again; cases that reports opened."""

from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import find_member
from lms.community import operations, policies, queries
from lms.community.forms import HideForm
from lms.community.models import Review
from lms.community.reports import Reviews
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.lists import answer_list
from lms.web.toasts import toast

bp = Blueprint("community_admin", __name__, url_prefix="/admin/community")


@bp.route("/reviews")
def reviews() -> ResponseReturnValue:
    """Every review this person may see."""
    return answer_list(Reviews(), "community/admin/reviews.html")


@bp.route("/reviews/<uuid:review_id>")
def reviews_show(review_id: UUID) -> ResponseReturnValue:
    """One review, and what became of it."""
    review, course = _review(review_id)
    allow(policies.can_see(actor(), course))
    by = find_member(review.hidden_by) if review.hidden_by else None
    return render_template(
        "community/admin/reviews_show.html", review=review, course=course, hidden_by=by, may_moderate=policies.can_moderate(actor(), review)
    )


@bp.route("/reviews/<uuid:review_id>/hide", methods=["GET", "POST"])
def reviews_hide(review_id: UUID) -> ResponseReturnValue:
    """Take a review off its course page, with the reason its author reads."""
    review, course = _review(review_id)
    allow(policies.can_moderate(actor(), review))
    form = HideForm()
    page = "community/admin/reviews_hide.html"
    if not form.is_submitted():
        return render_template(page, form=form, review=review, course=course)
    if not form.validate():
        return invalid(page, page=page, form=form, review=review, course=course)
    operations.hide_review(review, reason=form.reason.data or "", by=actor())
    toast(_("The review is hidden and no longer counts."), undo=url_for(".reviews_unhide", review_id=review.id))
    return moved(url_for(".reviews_show", review_id=review.id))


@bp.route("/reviews/<uuid:review_id>/unhide", methods=["POST"])
def reviews_unhide(review_id: UUID) -> ResponseReturnValue:
    """Put a hidden review back."""
    review, _course = _review(review_id)
    allow(policies.can_moderate(actor(), review))
    operations.show_review(review, by=actor())
    toast(_("The review is on the course page again."))
    return moved(url_for(".reviews_show", review_id=review.id))


@bp.route("/cases/<uuid:case_id>")
def cases_show(case_id: UUID) -> ResponseReturnValue:
    """Something people reported, with where to act on it."""
    case = queries.get_case(case_id)
    allow(policies.can_moderate(actor()))
    by = find_member(case.settled_by) if case.settled_by else None
    return render_template("community/admin/cases_show.html", case=case, settled_by=by)


@bp.route("/cases/<uuid:case_id>/settle", methods=["POST"])
def cases_settle(case_id: UUID) -> ResponseReturnValue:
    """Close a case: somebody has looked, and nothing more is to be done."""
    case = queries.get_case(case_id)
    allow(policies.can_moderate(actor()))
    operations.settle_case(case, by=actor())
    toast(_("Settled. It comes back when somebody reports it again."))
    return moved(url_for("admin.inbox"))


def _review(review_id: UUID) -> tuple[Review, Course]:
    review = queries.get_review(review_id)
    return review, courses.get_course(review.course_id)
