"""Every change of community: posting, hiding and showing reviews, opening and settling cases."""

from uuid import UUID

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from lms.community.events import ReviewHidden, ReviewPosted, ReviewShown
from lms.community.models import MOST_LETTERS, RATINGS, Case, Rating, Review
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.courses.models import Course


def post_review(course: Course, *, rating: int, body: str, by: Actor) -> Review:
    """Say what the actor thinks of a course, or say it differently; one review for each person and course."""
    body = body.strip()
    if rating not in RATINGS:
        raise Invalid(_("Choose 1 to 5 stars."), fields={"rating": _("Choose 1 to 5 stars.")})
    if len(body) > MOST_LETTERS:
        raise Invalid(_("Shorten this to 4,000 characters."), fields={"body": _("Shorten this to 4,000 characters.")})
    if by.user_id is None:
        raise Invalid(_("Sign in first."))
    review, is_new = _own_review(course.id, by.user_id, rating, body)
    if is_new:
        audit.record("community.review", review, by=by, after={"rating": rating, "body": body}, name=course.title)
    elif audit.update(review, "community.edit_review", by=by, rating=rating, body=body):
        review.edited_at = now()
    else:
        return review
    recount(course.id)
    emit(ReviewPosted(by=by.user_id, review_id=review.id, course_id=course.id, rating=rating, user_id=by.user_id))
    return review


def hide_review(review: Review, *, reason: str, by: Actor) -> None:
    """Take a review off its course page, with the reason its author reads; hiding twice changes nothing."""
    if not reason.strip():
        raise Invalid(_("Say why; the author reads it."), fields={"reason": _("Say why; the author reads it.")})
    if review.is_hidden:
        return
    audit.update(
        review, "community.hide_review", by=by, status="hidden", hidden_reason=reason.strip(), hidden_by=by.user_id, hidden_at=now()
    )
    recount(review.course_id)
    emit(ReviewHidden(by=by.user_id, review_id=review.id, course_id=review.course_id, user_id=review.user_id, reason=reason.strip()))


def show_review(review: Review, *, by: Actor) -> None:
    """Put a hidden review back; showing twice changes nothing."""
    if not review.is_hidden:
        return
    audit.update(review, "community.show_review", by=by, status="visible", hidden_reason="", hidden_by=None, hidden_at=None)
    recount(review.course_id)
    emit(ReviewShown(by=by.user_id, review_id=review.id, course_id=review.course_id, user_id=review.user_id))


def recount(course_id: UUID) -> Rating:
    """Make a course's figures again from its visible reviews; two at once wait for each other, so none is lost."""
    session = db.session()
    session.flush()
    session.execute(insert(Rating).values(id=uuid7(), channel_id=current_channel(), course_id=course_id).on_conflict_do_nothing())
    lock = select(Rating).where(Rating.course_id == course_id).with_for_update().execution_options(populate_existing=True)
    rating = session.scalars(lock).one()
    count, total = session.execute(
        select(func.count(), func.coalesce(func.sum(Review.rating), 0)).where(Review.course_id == course_id, Review.status == "visible")
    ).one()
    rating.review_count, rating.rating_sum, rating.updated_at = (int(count), int(total), now())
    return rating


def open_case(kind: str, target_id: UUID, place_id: UUID, *, reason: str) -> None:
    """Put something reported before the moderators; a further report counts, and opens again what was settled."""
    values = {"channel_id": current_channel(), "kind": kind, "target_id": target_id, "place_id": place_id, "reason": reason}
    again = {
        "reports": Case.reports + 1,
        "reason": case((literal(reason) != "", reason), else_=Case.reason),
        "opened_at": case((Case.settled_at.is_(None), Case.opened_at), else_=now()),
        "settled_at": None,
        "settled_by": None,
    }
    made = insert(Case).values(id=uuid7(), reports=1, opened_at=now(), **values)
    db.session().execute(made.on_conflict_do_update(index_elements=["channel_id", "kind", "target_id"], set_=again))


def settle_case(case_: Case, *, by: Actor) -> None:
    """Close a case: it was looked at, and nothing more is to be done; settling twice changes nothing."""
    if case_.settled_at is None:
        audit.update(case_, "community.settle_case", by=by, settled_at=now(), settled_by=by.user_id)


def close_case_of(kind: str, target_id: UUID) -> None:
    """Close the case of something that is gone; nothing happens when there is none."""
    gone = update(Case).where(Case.kind == kind, Case.target_id == target_id, Case.settled_at.is_(None))
    db.session().execute(gone.values(settled_at=now()))


def _own_review(course_id: UUID, user_id: UUID, rating: int, body: str) -> tuple[Review, bool]:
    """The person's review, and whether this made it; the unique key decides a race."""
    values = {"id": uuid7(), "channel_id": current_channel(), "course_id": course_id, "user_id": user_id, "rating": rating, "body": body}
    statement = (
        insert(Review).values(**values, status="visible", hidden_reason="", created_at=now()).on_conflict_do_nothing().returning(Review.id)
    )
    made = db.session().execute(statement).scalar_one_or_none()
    found = select(Review).where(Review.user_id == user_id, Review.course_id == course_id).with_for_update()
    return db.session().scalars(found.execution_options(populate_existing=True)).one(), made is not None
