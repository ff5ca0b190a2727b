"""Batches of courses: their seats, who teaches them, who waits, and the vouchers that give a place."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to


class CourseBatch(Tenant, Base):
    """One dated run of a course with its own students ("Spring 2027"); days are of the channel's zone.

    `taken` (open enrolments) and `held` (places offered to those who wait) are counted by the database, which refuses one more
    than there are seats.
    """

    __tablename__ = "course_batches"
    __table_args__ = (
        CheckConstraint("seats IS NULL OR taken + held <= seats", name="seats"),
        CheckConstraint("taken >= 0 AND held >= 0 AND coalesce(seats, 1) > 0", name="counted"),
        CheckConstraint("ends_on >= starts_on", name="days"),
        CheckConstraint("enrol_until >= enrol_from", name="window"),
        CheckConstraint("price_minor >= 0", name="price"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        Index(
            "uq_course_batches_name",
            "channel_id",
            "course_id",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_course_batches_starts", "channel_id", "starts_on", "id"),
        {"schema": "enrollments"},
    )

    course_id: Mapped[UUID]
    name: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date | None]  # the first day of the lessons; None: at once
    ends_on: Mapped[date | None]  # the last day of access; None: no end
    enrol_from: Mapped[date | None]
    enrol_until: Mapped[date | None]
    seats: Mapped[int | None]  # None: as many as come
    taken: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    price_minor: Mapped[int | None]  # None: the course's own price
    cancelled_at: Mapped[datetime | None]
    cancelled_reason: Mapped[str] = mapped_column(default="")
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def left(self) -> int | None:
        """How many seats nobody has and nobody was offered; None without a limit."""
        return None if self.seats is None else self.seats - self.taken - self.held

    @property
    def is_full(self) -> bool:
        """Whether no seat is left."""
        return self.left == 0

    def state_on(self, day: date) -> str:
        """cancelled, closed, running, open or planned, on a day of the channel's zone."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.ends_on is not None and self.ends_on < day:
            return "closed"
        if self.starts_on is not None and self.starts_on <= day:
            return "running"
        if self.takes_on(day):
            return "open"
        is_over = self.starts_on is None and self.enrol_until is not None and self.enrol_until < day
        return "running" if is_over else "planned"

    def takes_on(self, day: date) -> bool:
        """Whether people may enrol on that day, as far as the days say."""
        last = min((one for one in (self.enrol_until, self.ends_on) if one is not None), default=day)
        return self.cancelled_at is None and self.deleted_at is None and (self.enrol_from or day) <= day <= last


class BatchInstructor(Tenant, Base):
    """Somebody who teaches a batch beside the course's own instructor."""

    __tablename__ = "batch_instructors"
    __table_args__ = (
        UniqueConstraint("channel_id", "batch_id", "user_id", name="uq_batch_instructors_person"),
        belongs_to("batch_id", "enrollments.course_batches", name="fk_batch_id_enrollments_course_batches", ondelete="CASCADE"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_batch_instructors_user", "channel_id", "user_id"),
        {"schema": "enrollments"},
    )

    batch_id: Mapped[UUID]
    user_id: Mapped[UUID]


class VoucherPlace(Tenant, Base):
    """Which batch of a course the codes of a batch of vouchers give a place in."""

    __tablename__ = "voucher_places"
    __table_args__ = (
        UniqueConstraint("channel_id", "voucher_batch_id", "course_id", name="uq_voucher_places_course"),
        belongs_to("voucher_batch_id", "vouchers.batches", name="fk_voucher_batch_id_vouchers_batches", ondelete="CASCADE"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses", ondelete="CASCADE"),
        belongs_to("batch_id", "enrollments.course_batches", name="fk_batch_id_enrollments_course_batches", ondelete="CASCADE"),
        Index("ix_voucher_places_batch", "channel_id", "batch_id"),
        {"schema": "enrollments"},
    )

    voucher_batch_id: Mapped[UUID]
    course_id: Mapped[UUID]
    batch_id: Mapped[UUID]


class Wait(Tenant, Base):
    """One person on the waitlist of a batch; while it is `offered`, a seat is held for them."""

    __tablename__ = "waits"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'offered', 'taken', 'passed', 'left', 'removed')", name="state"),
        CheckConstraint("state <> 'offered' OR offered_until IS NOT NULL", name="offered"),
        belongs_to("batch_id", "enrollments.course_batches", name="fk_batch_id_enrollments_course_batches"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index(
            "uq_waits_standing", "channel_id", "batch_id", "user_id", unique=True, postgresql_where=text("state IN ('waiting', 'offered')")
        ),
        Index("ix_waits_place", "channel_id", "batch_id", "place", "id", postgresql_where=text("state IN ('waiting', 'offered')")),
        Index("ix_waits_until", "channel_id", "offered_until", postgresql_where=text("state = 'offered'")),
        Index("ix_waits_user", "channel_id", "user_id"),
        {"schema": "enrollments"},
    )

    batch_id: Mapped[UUID]
    user_id: Mapped[UUID]
    place: Mapped[int]  # the order of the list; the lowest is the next
    state: Mapped[str] = mapped_column(default="waiting")
    joined_at: Mapped[datetime] = mapped_column(default=now)
    offered_at: Mapped[datetime | None]
    offered_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")

    @property
    def stands(self) -> bool:
        """Whether the person is on the list."""
        return self.state in ("waiting", "offered")


class MissedPlace(Tenant, Base):
    """A used code gave a place in a batch that was full or over by then: its person is in the course without it until this is settled."""

    __tablename__ = "missed_places"
    __table_args__ = (
        CheckConstraint("settled_as IN ('', 'moved', 'kept', 'paid')", name="settled_as"),
        CheckConstraint("(settled_at IS NULL) = (settled_as = '')", name="settled"),
        UniqueConstraint("channel_id", "enrollment_id", name="uq_missed_places_enrollment"),
        belongs_to("enrollment_id", "enrollments.enrollments", name="fk_enrollment_id_enrollments_enrollments", ondelete="CASCADE"),
        belongs_to("batch_id", "enrollments.course_batches", name="fk_batch_id_enrollments_course_batches", ondelete="CASCADE"),
        Index("ix_missed_places_batch", "channel_id", "batch_id"),
        Index("ix_missed_places_open", "channel_id", "noted_at", postgresql_where=text("settled_at IS NULL")),
        {"schema": "enrollments"},
    )

    enrollment_id: Mapped[UUID]
    batch_id: Mapped[UUID]
    noted_at: Mapped[datetime] = mapped_column(default=now)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None]
    settled_as: Mapped[str] = mapped_column(default="")
