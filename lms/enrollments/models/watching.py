"""What enrolled people did in each lesson: watched ranges, days, and their own notes."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to

REPLAY_PART_MS = 10_000  # how fine it is noted what was watched again
ENOUGH = 0.9  # the share of a video that counts as watched


class LessonProgress(Tenant, Base):
    """What one enrolled person did in one lesson; times inside a video are milliseconds.

    `watched` is the union of what was played: seeking adds nothing, and a second tab adds nothing twice. `clock_at` is how far
    the person's own clock has paid for new ranges; it never runs ahead of real time.
    """

    __tablename__ = "lesson_progress"
    __table_args__ = (
        UniqueConstraint("channel_id", "enrollment_id", "lesson_id"),
        CheckConstraint("watch_ms >= 0 AND position_ms >= 0", name="not_negative"),
        belongs_to("enrollment_id", "enrollments.enrollments", name="fk_enrollment_id_enrollments_enrollments", ondelete="CASCADE"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        belongs_to("lesson_id", "courses.lessons", name="fk_lesson_id_courses_lessons"),
        Index("ix_lesson_progress_lesson", "channel_id", "lesson_id"),
        Index("ix_lesson_progress_done", "channel_id", "completed_at", "id"),
        Index("ix_lesson_progress_person", "channel_id", "user_id"),
        {"schema": "enrollments"},
    )

    enrollment_id: Mapped[UUID]
    user_id: Mapped[UUID]
    lesson_id: Mapped[UUID]
    watched: Mapped[Sequence[Range[int]]] = mapped_column(INT4MULTIRANGE(), default=list)
    position_ms: Mapped[int] = mapped_column(default=0)
    watch_ms: Mapped[int] = mapped_column(default=0)
    clock_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    completed_at: Mapped[datetime | None]

    @property
    def watched_seconds(self) -> int:
        """How much of the video was played at least once."""
        return sum(part.upper - part.lower for part in self.watched if part.upper is not None and part.lower is not None) // 1000

    @property
    def watch_seconds(self) -> int:
        """How long the person watched, by the clock; watching twice counts, two tabs at once do not."""
        return self.watch_ms // 1000

    @property
    def position_seconds(self) -> int:
        """Where the person stopped."""
        return self.position_ms // 1000


class Note(Tenant, Base):
    """What somebody wrote for themselves beside a lesson, at a moment of its video or at none; nobody else reads it."""

    __tablename__ = "notes"
    __table_args__ = (
        CheckConstraint("at_ms >= 0", name="at_ms"),
        belongs_to("user_id", "channels.members"),
        belongs_to("course_id", "courses.courses"),
        belongs_to("lesson_id", "courses.lessons"),
        Index("ix_notes_person", "channel_id", "user_id", "course_id", "lesson_id", "at_ms"),
        {"schema": "enrollments"},
    )

    user_id: Mapped[UUID]
    course_id: Mapped[UUID]
    lesson_id: Mapped[UUID]
    at_ms: Mapped[int | None]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    deleted_at: Mapped[datetime | None]

    @property
    def at_seconds(self) -> float | None:
        """The moment of the video it belongs to."""
        return None if self.at_ms is None else self.at_ms / 1000


class Replay(Tenant, Base):
    """How much of ten seconds of a lesson was watched again, by everybody together; it only grows."""

    __tablename__ = "replays"
    __table_args__ = (
        UniqueConstraint("channel_id", "lesson_id", "part"),
        CheckConstraint("part >= 0 AND again_ms > 0", name="part"),
        belongs_to("lesson_id", "courses.lessons"),
        {"schema": "enrollments"},
    )

    lesson_id: Mapped[UUID]
    part: Mapped[int] = mapped_column(Integer)
    again_ms: Mapped[int]


class WatchDay(Tenant, Base):
    """How long one person watched videos of one course on one day of the channel's zone, and the bytes their players took as far
    as those can tell; it only grows."""

    __tablename__ = "watch_days"
    __table_args__ = (
        UniqueConstraint("channel_id", "day", "course_id", "user_id"),
        CheckConstraint("watch_ms > 0", name="positive"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        Index("ix_watch_days_person", "channel_id", "user_id"),
        {"schema": "enrollments"},
    )

    day: Mapped[date]
    course_id: Mapped[UUID]
    user_id: Mapped[UUID]
    watch_ms: Mapped[int]
    bytes: Mapped[int] = mapped_column(default=0)
