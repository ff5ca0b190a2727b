"""Door 3: reviews."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.community import operations, policies, queries
from lms.community.models import Review
from lms.community.reports import Reviews as ReviewsReport
from lms.courses.queries import get_course
from lms.enrollments.queries import latest_enrollment
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Query, Rows, answer_rows, endpoint

bp = Blueprint("community_api", __name__, url_prefix="/api/v1/community")


class ReviewsQuery(Query):
    """Which page: the reviews after one."""

    after: UUID | None = None
    size: Annotated[int, Field(ge=1, le=100)] = 20


class ReviewAnswer(Answer):
    """What one student says about a course, with 1 to 5 stars."""

    id: UUID
    course_id: UUID
    author_name: str
    rating: int
    body: str
    status: str
    created_at: datetime
    edited_at: datetime | None


class CourseReviews(Answer):
    """The visible reviews of a course, newest first, and their average; `after` asks for the next page, null at the end."""

    rows: list[ReviewAnswer]
    count: int
    average: float | None
    after: UUID | None


class ReviewRequest(Body):
    """Stars, and words if you like."""

    rating: Annotated[int, Field(ge=1, le=5)]
    body: Annotated[str, Field(max_length=4000)] = ""


class HideRequest(Body):
    """Why a review is hidden; its author reads it."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


@bp.get("/courses/<uuid:course_id>/reviews")
@endpoint(public=True)
def courses_reviews(course_id: UUID, query: ReviewsQuery) -> CourseReviews:
    """What students say about a course."""
    course = get_course(course_id)
    allow(policies.can_read_reviews(actor(), course, latest_enrollment(actor().user_id, course_id)))
    found = queries.visible_reviews(course_id, limit=query.size + 1, after=query.after)
    rating = queries.rating_of(course_id)
    shown = found[: query.size]
    return CourseReviews(
        rows=[_review(review) for review in shown],
        count=rating.review_count if rating else 0,
        average=rating.average if rating else None,
        after=shown[-1].id if len(found) > query.size else None,
    )


@bp.post("/courses/<uuid:course_id>/reviews")
@endpoint()
def courses_reviews_create(course_id: UUID, body: ReviewRequest) -> ReviewAnswer:
    """Say what I think of a course, or say it differently."""
    course = get_course(course_id)
    allow(policies.can_review(actor(), course, latest_enrollment(actor().user_id, course_id)))
    review = operations.post_review(course, rating=body.rating, body=body.body, by=actor())
    return _review(queries.get_review(review.id))


@bp.get("/reviews")
@endpoint(lists=ReviewsReport)
def reviews() -> Rows:
    """Every review this person may see."""
    report = ReviewsReport()
    allow(report.allowed(actor()))
    return answer_rows(report)


@bp.post("/reviews/<uuid:review_id>/hide")
@endpoint()
def reviews_hide(review_id: UUID, body: HideRequest) -> ReviewAnswer:
    """Take a review off its course page."""
    review = queries.get_review(review_id)
    allow(policies.can_moderate(actor(), review))
    operations.hide_review(review, reason=body.reason, by=actor())
    return _review(review)


@bp.post("/reviews/<uuid:review_id>/unhide")
@endpoint()
def reviews_unhide(review_id: UUID) -> ReviewAnswer:
    """Put a hidden review back."""
    review = queries.get_review(review_id)
    allow(policies.can_moderate(actor(), review))
    operations.show_review(review, by=actor())
    return _review(review)


def _review(review: Review) -> ReviewAnswer:
    return ReviewAnswer(
        id=review.id,
        course_id=review.course_id,
        author_name=review.author.name,
        rating=review.rating,
        body=review.body,
        status=review.status,
        created_at=review.created_at,
        edited_at=review.edited_at,
    )
