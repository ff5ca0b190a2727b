"""Every SELECT of community."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.community.errors import NoCase, NoReview
from lms.community.models import Case, Rating, Review
from lms.core import db
from lms.core.i18n import gettext as _


def get_review(review_id: UUID) -> Review:
    """One review with its author; raises NoReview."""
    found = db.session().scalars(select(Review).where(Review.id == review_id).options(joinedload(Review.author))).one_or_none()
    if found is None:
        raise NoReview(_("There is no such review here."))
    return found


def review_of(user_id: UUID | None, course_id: UUID) -> Review | None:
    """What this person said about the course, hidden or not."""
    if user_id is None:
        return None
    return db.session().scalars(select(Review).where(Review.user_id == user_id, Review.course_id == course_id)).one_or_none()


def visible_reviews(course_id: UUID, *, limit: int = 20, after: UUID | None = None) -> Sequence[Review]:
    """The visible reviews of a course with their authors, newest first; `after` is the last one of the page before."""
    statement = (
        select(Review)
        .where(Review.course_id == course_id, Review.status == "visible")
        .options(joinedload(Review.author))
        .order_by(Review.id.desc())
        .limit(limit)
    )
    return db.session().scalars(statement.where(Review.id < after) if after else statement).all()


def rating_of(course_id: UUID) -> Rating | None:
    """The figures of a course; nothing before its first review."""
    return db.session().scalars(select(Rating).where(Rating.course_id == course_id)).one_or_none()


def ratings_of(course_ids: Iterable[UUID]) -> dict[UUID, Rating]:
    """The figures of several courses, by course; those nobody reviewed are left out."""
    found = db.session().scalars(select(Rating).where(Rating.course_id.in_(list(course_ids)), Rating.review_count > 0))
    return {rating.course_id: rating for rating in found}


def get_case(case_id: UUID) -> Case:
    """One case; raises NoCase."""
    found = db.session().get(Case, case_id)
    if found is None:
        raise NoCase(_("There is no such case here."))
    return found
