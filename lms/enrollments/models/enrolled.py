"""Enrolments, and what each enrolled person did in each lesson."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to

STATUSES = ("active", "completed", "ended")
SOURCES = ("wallet", "free", "manual", "voucher", "link", "request")
REQUEST_LIVES = timedelta(days=30)  # unanswered
COMES_BACK = timedelta(days=14)  # after leaving by themselves
ANSWER_LIVES = timedelta(days=14)  # granted and not used


class Enrollment(Tenant, Base):
    """One person in one course; `completed` still opens the course, `ended` does not."""

    __tablename__ = "enrollments"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'completed', 'ended')", name="status"),
        CheckConstraint("source IN ('wallet', 'free', 'manual', 'voucher', 'link', 'request')", name="source"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
        CheckConstraint("(status = 'ended') = (ended_at IS NOT NULL)", name="ended_at"),
        CheckConstraint("status <> 'completed' OR completed_at IS NOT NULL", name="completed_at"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        belongs_to("order_id", "payments.orders", name="fk_order_id_payments_orders"),
        belongs_to("redemption_id", "vouchers.redemptions", name="fk_redemption_id_vouchers_redemptions"),
        belongs_to("refund_id", "payments.refunds", name="fk_refund_id_payments_refunds"),
        belongs_to("batch_id", "enrollments.course_batches", name="fk_batch_id_enrollments_course_batches"),
        Index("ix_enrollments_batch", "channel_id", "batch_id", "enrolled_at", postgresql_where=text("batch_id IS NOT NULL")),
        Index("ix_enrollments_order", "channel_id", "order_id", postgresql_where=text("order_id IS NOT NULL")),
        belongs_to("last_lesson_id", "courses.lessons", name="fk_last_lesson_id_courses_lessons"),
        Index("uq_enrollments_open", "channel_id", "user_id", "course_id", unique=True, postgresql_where=text("status <> 'ended'")),
        Index("ix_enrollments_course", "channel_id", "course_id", "enrolled_at"),
        Index("ix_enrollments_course_status", "channel_id", "course_id", "status", "enrolled_at", "id"),
        Index("ix_enrollments_person", "channel_id", "user_id", "enrolled_at"),
        Index("ix_enrollments_by_time", "channel_id", "enrolled_at", "id"),
        Index("ix_enrollments_by_seen", "channel_id", "last_seen_at", "id"),
        Index("ix_enrollments_by_progress", "channel_id", "progress", "id"),
        Index("ix_enrollments_by_completion", "channel_id", "completed_at", "id"),
        Index("ix_enrollments_by_status", "channel_id", "status", "enrolled_at", "id"),
        Index("ix_enrollments_by_source", "channel_id", "source", "enrolled_at", "id"),
        Index("ix_enrollments_until", "channel_id", "until_on", postgresql_where=text("until_on IS NOT NULL")),
        Index("ix_enrollments_redemption", "channel_id", "redemption_id", postgresql_where=text("redemption_id IS NOT NULL")),
        {"schema": "enrollments"},
    )

    user_id: Mapped[UUID]
    course_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(default="active")
    source: Mapped[str]
    order_id: Mapped[UUID | None]
    redemption_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")
    enrolled_at: Mapped[datetime] = mapped_column(default=now)
    enrolled_by: Mapped[UUID | None]
    progress: Mapped[int] = mapped_column(default=0)
    last_lesson_id: Mapped[UUID | None]
    last_seen_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str] = mapped_column(default="")
    left_at: Mapped[datetime | None]  # the same moment as `ended_at` while they left by themselves
    until_on: Mapped[date | None]  # the last day on which it is open, of the channel's zone
    batch_id: Mapped[UUID | None]  # the run of the course it is in; the database counts its seats
    opens_at: Mapped[datetime | None]  # when its lessons open; None: at once

    @property
    def is_open(self) -> bool:
        """Whether it lets the person into the course."""
        return self.status != "ended"

    @property
    def was_left(self) -> bool:
        """Whether the person left by themselves."""
        return self.ended_at is not None and self.left_at == self.ended_at

    @property
    def comes_back_until(self) -> datetime | None:
        """Until when somebody who left by themselves may come back by themselves; None for everybody else."""
        return self.left_at + COMES_BACK if self.left_at is not None and self.was_left else None

    @property
    def is_early(self) -> bool:
        """Whether its lessons do not open yet."""
        return self.opens_at is not None and self.opens_at > now()


class Link(Tenant, Base):
    """A way into courses that somebody hands out: a link with a secret in it, or a key that people type; both are kept as digests.

    With a `role` it is a way into the staff instead: its courses and batches are those its people teach.
    `uses` are the people who came through, which the database never lets grow past `seats`; `hint` is the end of a key.
    """

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("channel_id", "digest"),
        CheckConstraint("kind IN ('link', 'key')", name="kind"),
        CheckConstraint("uses >= 0 AND (seats IS NULL OR (seats > 0 AND uses <= seats))", name="seats"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("role = '' OR (role = 'instructor' AND kind = 'link' AND seats IS NOT NULL AND ends_at IS NOT NULL)", name="role"),
        {"schema": "enrollments"},
    )

    kind: Mapped[str]
    role: Mapped[str] = mapped_column(default="")
    label: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    digest: Mapped[bytes]
    hint: Mapped[str] = mapped_column(default="")
    is_free: Mapped[bool] = mapped_column(default=True)  # enters without paying; otherwise it only lets one enrol at the price
    tag: Mapped[str] = mapped_column(default="")  # borne by whoever came through
    domains: Mapped[list[Any]] = mapped_column(default=list)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    seats: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0)
    revoked_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def is_key(self) -> bool:
        """Whether people type it."""
        return self.kind == "key"

    def state_at(self, moment: datetime) -> str:
        """revoked, ended, waiting (not begun), full or open."""
        if self.revoked_at is not None:
            return "revoked"
        if self.ends_at is not None and self.ends_at <= moment:
            return "ended"
        if self.starts_at is not None and self.starts_at > moment:
            return "waiting"
        return "full" if self.seats is not None and self.uses >= self.seats else "open"


class LinkCourse(Tenant, Base):
    """One course a link or key opens, and the batch it gives a place of."""

    __tablename__ = "link_courses"
    __table_args__ = (
        UniqueConstraint("channel_id", "link_id", "course_id", name="uq_link_courses_course"),
        belongs_to("link_id", "enrollments.links", name="fk_link_id_enrollments_links", ondelete="CASCADE"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        belongs_to("batch_id", "enrollments.course_batches", name="fk_batch_id_enrollments_course_batches"),
        Index("ix_link_courses_course", "channel_id", "course_id"),
        Index("ix_link_courses_batch", "channel_id", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        {"schema": "enrollments"},
    )

    link_id: Mapped[UUID]
    course_id: Mapped[UUID]
    batch_id: Mapped[UUID | None]


class LinkUse(Tenant, Base):
    """One person who came into one course through a link or key."""

    __tablename__ = "link_uses"
    __table_args__ = (
        UniqueConstraint("channel_id", "link_id", "user_id", "course_id", name="uq_link_uses_person"),
        belongs_to("link_id", "enrollments.links", name="fk_link_id_enrollments_links"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        belongs_to("enrollment_id", "enrollments.enrollments", name="fk_enrollment_id_enrollments_enrollments", ondelete="CASCADE"),
        Index("ix_link_uses_at", "channel_id", "link_id", "at"),
        Index("ix_link_uses_user", "channel_id", "user_id"),
        Index("ix_link_uses_course", "channel_id", "course_id"),
        Index("ix_link_uses_enrollment", "channel_id", "enrollment_id"),
        {"schema": "enrollments"},
    )

    link_id: Mapped[UUID]
    user_id: Mapped[UUID]
    course_id: Mapped[UUID]
    enrollment_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(default=now)


class Hire(Tenant, Base):
    """One person took work here through a link; it is theirs once they have signed in as staff do, and goes with the link before that.

    `role_before` is what they are again when it is taken back.
    """

    __tablename__ = "hires"
    __table_args__ = (
        UniqueConstraint("channel_id", "link_id", "user_id", name="uq_hires_person"),
        CheckConstraint("confirmed_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        belongs_to("link_id", "enrollments.links", name="fk_link_id_enrollments_links"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_hires_user", "channel_id", "user_id"),
        {"schema": "enrollments"},
    )

    link_id: Mapped[UUID]
    user_id: Mapped[UUID]
    role_before: Mapped[str]
    taken_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    @property
    def stands(self) -> bool:
        """Whether it was not taken back."""
        return self.withdrawn_at is None


class Request(Tenant, Base):
    """Somebody asks to be let into a course; one at a time. `used_at` is when it led to an enrolment."""

    __tablename__ = "requests"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn', 'expired')", name="state"),
        CheckConstraint("(state = 'waiting') = (answered_at IS NULL)", name="answered"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        Index("uq_requests_waiting", "channel_id", "user_id", "course_id", unique=True, postgresql_where=text("state = 'waiting'")),
        Index("ix_requests_asked", "channel_id", "asked_at", "id"),
        Index("ix_requests_course", "channel_id", "course_id", "state"),
        Index("ix_requests_user", "channel_id", "user_id", "course_id"),
        Index("ix_requests_state", "channel_id", "state", "asked_at", postgresql_where=text("state IN ('waiting', 'approved')")),
        {"schema": "enrollments"},
    )

    user_id: Mapped[UUID]
    course_id: Mapped[UUID]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    answer: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None]
    is_by_rule: Mapped[bool] = mapped_column(default=False)
    used_at: Mapped[datetime | None]

    def lets_in(self, moment: datetime) -> bool:
        """Whether it was granted, not used yet, and not too long ago."""
        fresh = self.answered_at is not None and self.answered_at + ANSWER_LIVES > moment
        return self.state == "approved" and self.used_at is None and fresh
