"""Sessions of live classes and the visits people paid to them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from lms.channels.models import Member
from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.enrollments.models import CourseBatch

STATES = ("scheduled", "open", "live", "ended", "recorded", "cancelled")
# What each state may become; everything else is impossible, by the conditional UPDATE in operations.
MOVES: dict[str, tuple[str, ...]] = {
    "scheduled": ("open", "cancelled"),
    "open": ("live", "cancelled"),
    "live": ("ended",),
    "ended": ("recorded",),
    "recorded": (),
    "cancelled": (),
}
EARLY = timedelta(minutes=15)
SOURCES = ("page", "chat", "provider")
EVERY = ("day", "week", "fortnight", "month")
MOST_TIMES = 52


class Series(Tenant, Base):
    """Classes planned together: how often, how many times, and the zone whose clock they keep to."""

    __tablename__ = "series"
    __table_args__ = (
        CheckConstraint("every IN ('day', 'week', 'fortnight', 'month')", name="every"),
        CheckConstraint("times BETWEEN 2 AND 52", name="times"),
        belongs_to("course_id", "courses.courses"),
        {"schema": "streaming"},
    )

    course_id: Mapped[UUID]
    every: Mapped[str]
    zone: Mapped[str]
    times: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Session(Tenant, Base):
    """One live class of a course: scheduled → open → live → ended → recorded, or cancelled on the way to live."""

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("state IN ('scheduled', 'open', 'live', 'ended', 'recorded', 'cancelled')", name="state"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("provider IN ('link', 'browser', 'rtmp', 'webhook')", name="provider"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        belongs_to("host_id", "channels.members", name="fk_host_id_channels_members"),
        Index("ix_sessions_starts", "channel_id", "starts_at", "id"),
        Index("ix_sessions_course", "channel_id", "course_id", "starts_at"),
        Index("ix_sessions_host", "channel_id", "host_id", "starts_at"),
        belongs_to("batch_id", "enrollments.course_batches"),
        Index("ix_sessions_batch", "channel_id", "batch_id", "starts_at", postgresql_where=text("batch_id IS NOT NULL")),
        belongs_to("series_id", "streaming.series"),
        Index("ix_sessions_series", "channel_id", "series_id", "series_number", postgresql_where=text("series_id IS NOT NULL")),
        Index("ix_sessions_running", "starts_at", postgresql_where=text("state IN ('scheduled', 'open', 'live')")),
        {"schema": "streaming"},
    )

    course_id: Mapped[UUID]
    batch_id: Mapped[UUID | None]  # its people alone see and join it; None: everybody of the course
    host_id: Mapped[UUID]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="scheduled")
    provider: Mapped[str] = mapped_column(default="link")
    join_url: Mapped[str] = mapped_column(default="")
    series_id: Mapped[UUID | None]
    series_number: Mapped[int | None]
    opened_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(default="")
    key_version: Mapped[int] = mapped_column(default=1)  # of the key with which it is sent over RTMP
    created_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)

    course: Mapped[Course] = relationship(primaryjoin=lambda: foreign(Session.course_id) == Course.id, viewonly=True, lazy="raise_on_sql")
    batch: Mapped[CourseBatch | None] = relationship(
        primaryjoin=lambda: foreign(Session.batch_id) == CourseBatch.id, viewonly=True, lazy="raise_on_sql"
    )
    host: Mapped[Member] = relationship(primaryjoin=lambda: foreign(Session.host_id) == Member.id, viewonly=True, lazy="raise_on_sql")

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.state in ("ended", "recorded", "cancelled")

    @property
    def is_running(self) -> bool:
        """Whether its room stands open."""
        return self.state in ("open", "live")

    @property
    def state_name(self) -> str:
        """The state in the reader's words."""
        names = {
            "scheduled": _("Scheduled"),
            "open": _("Room open"),
            "live": _("Live"),
            "ended": _("Ended"),
            "recorded": _("Recorded"),
            "cancelled": _("Cancelled"),
        }
        return names[self.state]

    @property
    def is_staged(self) -> bool:
        """Whether its picture plays on our own page and is recorded here, from the browser or from OBS."""
        return self.provider in ("browser", "rtmp")

    def can_become(self, state: str) -> bool:
        """Whether that state may follow this one."""
        return state in MOVES[self.state]

    def opens_at(self) -> datetime:
        """When Join appears: fifteen minutes before the start."""
        return self.starts_at - EARLY

    def is_joinable(self, at: datetime) -> bool:
        """Whether Join stands on the page at that moment: while it is live, and from 15 minutes before until its end while open."""
        return self.state == "live" or (self.state == "open" and self.opens_at() <= at < self.ends_at)


class Visit(Tenant, Base):
    """One stay of one person in one session: from a join to a leave, or to the last sign of life."""

    __tablename__ = "visits"
    __table_args__ = (
        CheckConstraint("source IN ('page', 'chat', 'provider')", name="source"),
        CheckConstraint("seen_at >= joined_at", name="seen_at"),
        belongs_to("session_id", "streaming.sessions", name="fk_session_id_streaming_sessions"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_visits_session", "channel_id", "session_id", "user_id", "joined_at"),
        Index("ix_visits_person", "channel_id", "user_id", "joined_at"),
        Index("ix_visits_joined", "channel_id", "joined_at", "id"),
        {"schema": "streaming"},
    )

    session_id: Mapped[UUID]
    user_id: Mapped[UUID]
    source: Mapped[str]
    joined_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    left_at: Mapped[datetime | None]


class Take(Tenant, Base):
    """One unbroken stretch of what a host sends; its id is the host's browser's, so beginning it twice begins it once."""

    __tablename__ = "takes"
    __table_args__ = (
        UniqueConstraint("channel_id", "session_id", "number"),
        belongs_to("session_id", "streaming.sessions"),
        {"schema": "streaming"},
    )

    session_id: Mapped[UUID]
    number: Mapped[int]
    mime: Mapped[str]
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[float | None] = mapped_column(Float(53))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Recording(Tenant, Base):
    """What is left of a class to watch again: waited for, fetched from where it lies, in the making, a lesson, failed with its reason,
    missing, or gone by the rule. `url` is where an outside room keeps it; the bytes say how much of it is here."""

    __tablename__ = "recordings"
    __table_args__ = (
        UniqueConstraint("channel_id", "session_id"),
        CheckConstraint("state IN ('waiting', 'fetching', 'processing', 'ready', 'failed', 'missing', 'gone')", name="state"),
        belongs_to("session_id", "streaming.sessions"),
        belongs_to("asset_id", "content.assets"),
        belongs_to("lesson_id", "courses.lessons"),
        Index("ix_recordings_asset", "channel_id", "asset_id", postgresql_where=text("asset_id IS NOT NULL")),
        {"schema": "streaming"},
    )

    session_id: Mapped[UUID]
    source: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    reason: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    fetched_bytes: Mapped[int] = mapped_column(default=0)
    total_bytes: Mapped[int | None]
    asset_id: Mapped[UUID | None]
    lesson_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @property
    def fetched_percent(self) -> int | None:
        """How much of it is here, of a hundred; None while nobody says how large it is."""
        return min(100, self.fetched_bytes * 100 // self.total_bytes) if self.total_bytes else None


class Rule(Tenant, Base):
    """For how many days recordings stay that are no published lesson (None: for good), and how often the secret of reports was changed."""

    __tablename__ = "rules"
    __table_args__ = (
        UniqueConstraint("channel_id"),
        CheckConstraint("keep_days BETWEEN 7 AND 3650", name="keep_days"),
        {"schema": "streaming"},
    )

    keep_days: Mapped[int | None]
    hook_version: Mapped[int] = mapped_column(default=1)
    hook_changed_at: Mapped[datetime | None]


class Moment(Tenant, Base):
    """A moment the host marked while the class was on: a chapter of its recording."""

    __tablename__ = "moments"
    __table_args__ = (
        belongs_to("session_id", "streaming.sessions"),
        Index("ix_moments_session", "channel_id", "session_id", "at"),
        {"schema": "streaming"},
    )

    session_id: Mapped[UUID]
    at: Mapped[datetime]
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Receipt(Tenant, Base):
    """One report of an outside room as it came; `reason` says why nothing was done about it."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("channel_id", "event_id"), {"schema": "streaming"})

    event_id: Mapped[str]
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class Signal(Tenant, Base):
    """A join or a leave an outside room reported; visits are made of them, again and again."""

    __tablename__ = "signals"
    __table_args__ = (
        UniqueConstraint("channel_id", "receipt_id"),
        CheckConstraint("kind IN ('join', 'leave')", name="kind"),
        belongs_to("session_id", "streaming.sessions"),
        belongs_to("user_id", "channels.members"),
        belongs_to("receipt_id", "streaming.receipts"),
        Index("ix_signals_session", "channel_id", "session_id", "user_id", "at"),
        {"schema": "streaming"},
    )

    session_id: Mapped[UUID]
    user_id: Mapped[UUID]
    receipt_id: Mapped[UUID]
    kind: Mapped[str]
    at: Mapped[datetime]


class Feed(Tenant, Base):
    """A person's private calendar address; it works until it is revoked."""

    __tablename__ = "feeds"
    __table_args__ = (
        belongs_to("user_id", "channels.members"),
        Index("uq_feeds_standing", "channel_id", "user_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
        {"schema": "streaming"},
    )

    user_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None]
