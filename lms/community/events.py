"""What community announces."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class ReviewPosted(Event):
    """Somebody reviewed a course, or changed what they said; the figures are those after it."""

    review_id: UUID
    course_id: UUID
    rating: int
    user_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ReviewHidden(Event):
    """An admin took a review off its course page."""

    review_id: UUID
    course_id: UUID
    user_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReviewShown(Event):
    """An admin put a hidden review back."""

    review_id: UUID
    course_id: UUID
    user_id: UUID
