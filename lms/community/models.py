"""Reviews of courses, the figures made of them, and the cases that reports open."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from lms.channels.models import Member
from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to

RATINGS = (1, 2, 3, 4, 5)
MIN_PROGRESS = 20
MOST_LETTERS = 4000


class Review(Tenant, Base):
    """What one student says about one course, with 1 to 5 stars; hidden ones count for nothing."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("channel_id", "user_id", "course_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint("status IN ('visible', 'hidden')", name="status"),
        CheckConstraint("(status = 'hidden') = (hidden_at IS NOT NULL)", name="hidden"),
        belongs_to("course_id", "courses.courses"),
        belongs_to("user_id", "channels.members"),
        Index("ix_reviews_course", "channel_id", "course_id", "created_at"),
        Index("ix_reviews_at", "channel_id", "created_at"),
        {"schema": "community"},
    )

    course_id: Mapped[UUID]
    user_id: Mapped[UUID]
    rating: Mapped[int]
    body: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="visible")
    hidden_reason: Mapped[str] = mapped_column(default="")
    hidden_by: Mapped[UUID | None]
    hidden_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    edited_at: Mapped[datetime | None]

    author: Mapped[Member] = relationship(primaryjoin=lambda: foreign(Review.user_id) == Member.id, viewonly=True, lazy="raise_on_sql")

    @property
    def is_hidden(self) -> bool:
        """Whether an admin took it off the course page."""
        return self.status == "hidden"


class Rating(Tenant, Base):
    """The figures of a course's visible reviews, kept so that no page has to count them."""

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint("channel_id", "course_id"),
        CheckConstraint("rating_sum BETWEEN review_count AND 5 * review_count", name="sum"),
        belongs_to("course_id", "courses.courses"),
        {"schema": "community"},
    )

    course_id: Mapped[UUID]
    review_count: Mapped[int] = mapped_column(default=0)
    rating_sum: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def average(self) -> float | None:
        """Stars to one decimal; nothing while there is no review."""
        return round(self.rating_sum / self.review_count, 1) if self.review_count else None


class Case(Tenant, Base):
    """Something people reported: open until a moderator settles it or it is deleted, and open again when it is reported again."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("channel_id", "kind", "target_id"),
        CheckConstraint("kind IN ('message')", name="kind"),
        Index("ix_cases_open", "channel_id", "opened_at", postgresql_where=text("settled_at IS NULL")),
        {"schema": "community"},
    )

    kind: Mapped[str]
    target_id: Mapped[UUID]
    place_id: Mapped[UUID]
    reports: Mapped[int] = mapped_column(default=1)
    reason: Mapped[str] = mapped_column(default="")
    opened_at: Mapped[datetime] = mapped_column(default=now)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None]
