"""Saved views, schedules and their runs, downloads, the figures of each day, and who was here on it."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from lms.channels.models import Member
from lms.core.clock import now, zone
from lms.core.db import Base, Tenant, belongs_to

CADENCES = ("hourly", "daily", "weekdays", "weekly", "monthly")
FORMATS = ("csv", "xlsx")
MONDAY = 0
FRIDAY = 4
WEEK = 7


class SavedView(Tenant, Base):
    """One view of a list under a name: `query` its canonical query string, `path` the list's own page, `pin` whose dashboard has it."""

    __tablename__ = "views"
    __table_args__ = (
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("uq_views_title", "channel_id", "user_id", "report", "title", unique=True, postgresql_where=text("deleted_at IS NULL")),
        Index(
            "uq_views_default", "channel_id", "user_id", "report", unique=True, postgresql_where=text("is_default AND deleted_at IS NULL")
        ),
        CheckConstraint("pin IN ('', 'me', 'all')", name="pin"),
        Index("ix_views_report", "channel_id", "report"),
        Index("ix_views_pinned", "channel_id", "pin", "user_id", postgresql_where=text("pin <> '' AND deleted_at IS NULL")),
        {"schema": "reporting"},
    )

    user_id: Mapped[UUID]
    report: Mapped[str]
    title: Mapped[str]
    query: Mapped[str] = mapped_column(default="")
    path: Mapped[str] = mapped_column(default="")
    is_shared: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    pin: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]

    owner: Mapped[Member] = relationship(primaryjoin=lambda: foreign(SavedView.user_id) == Member.id, viewonly=True, lazy="raise_on_sql")

    @property
    def href(self) -> str:
        """Where the view is seen."""
        path = self.path or f"/admin/reporting/reports/{self.report}"
        return f"{path}?{self.query}" if self.query else f"{path}?view=all"


class Schedule(Tenant, Base):
    """A saved view sent by mail at a time of the wall clock in one zone; it runs with its owner's rights.

    `days` are the weekdays of a weekly one (empty: `weekday` alone), `every` how many weeks lie between, counted from the week of
    `anchor_on`. With `above` it is an alert: it speaks when the view comes to have more rows than that, and again after it had not.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("cadence IN ('hourly', 'daily', 'weekdays', 'weekly', 'monthly')", name="cadence"),
        CheckConstraint("every BETWEEN 1 AND 52 AND (above IS NULL OR above >= 0)", name="every"),
        CheckConstraint("weekday BETWEEN 0 AND 6 AND month_day BETWEEN 1 AND 31 AND hour BETWEEN 0 AND 23", name="when"),
        CheckConstraint("format IN ('csv', 'xlsx')", name="format"),
        belongs_to("view_id", "reporting.views", name="fk_view_id_reporting_views", ondelete="CASCADE"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_schedules_due", "channel_id", "next_run_at", postgresql_where=text("is_on")),
        Index("ix_schedules_view", "channel_id", "view_id"),
        {"schema": "reporting"},
    )

    view_id: Mapped[UUID]
    user_id: Mapped[UUID]
    cadence: Mapped[str] = mapped_column(default="weekly")
    weekday: Mapped[int] = mapped_column(default=MONDAY)
    month_day: Mapped[int] = mapped_column(default=1)
    hour: Mapped[int] = mapped_column(default=8)
    zone: Mapped[str]
    recipients: Mapped[list[Any]] = mapped_column(default=list)
    format: Mapped[str] = mapped_column(default="csv")
    deleted_at: Mapped[datetime | None]
    only_if_rows: Mapped[bool] = mapped_column(default=False)
    days: Mapped[list[Any]] = mapped_column(default=list)
    every: Mapped[int] = mapped_column(default=1)
    anchor_on: Mapped[date] = mapped_column(default=lambda: now().date())
    only_if_changed: Mapped[bool] = mapped_column(default=False)
    above: Mapped[int | None]
    is_true: Mapped[bool] = mapped_column(default=False)
    last_checksum: Mapped[str] = mapped_column(default="")
    is_on: Mapped[bool] = mapped_column(default=True)
    next_run_at: Mapped[datetime]
    last_run_at: Mapped[datetime | None]
    stopped_because: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)

    view: Mapped[SavedView] = relationship(
        primaryjoin=lambda: foreign(Schedule.view_id) == SavedView.id, viewonly=True, lazy="raise_on_sql"
    )
    owner: Mapped[Member] = relationship(primaryjoin=lambda: foreign(Schedule.user_id) == Member.id, viewonly=True, lazy="raise_on_sql")

    def run_after(self, moment: datetime) -> datetime:
        """The next time it is due after the moment."""
        return next_run(
            self.cadence,
            zone_name=self.zone,
            hour=self.hour,
            days=self.days or [self.weekday],
            month_day=self.month_day,
            every=self.every,
            anchor=self.anchor_on,
            after=moment,
        )


class Run(Tenant, Base):
    """One time a schedule was due: what was sent, with the checksum of its rows."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("channel_id", "schedule_id", "due_at"),
        CheckConstraint("state IN ('waiting', 'sent', 'empty', 'unchanged', 'quiet', 'failed')", name="state"),
        belongs_to("schedule_id", "reporting.schedules", name="fk_schedule_id_reporting_schedules", ondelete="CASCADE"),
        Index("ix_runs_made", "channel_id", "made_at"),
        {"schema": "reporting"},
    )

    schedule_id: Mapped[UUID]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="waiting")
    made_at: Mapped[datetime | None]
    row_count: Mapped[int | None]
    checksum: Mapped[str] = mapped_column(default="")
    key: Mapped[str] = mapped_column(default="")
    filename: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(default=0)
    mail_count: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str] = mapped_column(default="")


class Download(Tenant, Base):
    """A file of a view, made by a worker for one person and kept for some days."""

    __tablename__ = "downloads"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'ready', 'failed', 'expired', 'cancelled')", name="state"),
        CheckConstraint("format IN ('csv', 'xlsx')", name="format"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_downloads_person", "channel_id", "user_id", "created_at"),
        Index("ix_downloads_expires", "channel_id", "expires_at"),
        {"schema": "reporting"},
    )

    user_id: Mapped[UUID]
    report: Mapped[str]
    query: Mapped[str] = mapped_column(default="")
    format: Mapped[str] = mapped_column(default="csv")
    zone: Mapped[str] = mapped_column(default="UTC")
    locale: Mapped[str] = mapped_column(default="en")
    state: Mapped[str] = mapped_column(default="waiting")
    job_id: Mapped[UUID | None]
    row_count: Mapped[int | None]
    checksum: Mapped[str] = mapped_column(default="")
    key: Mapped[str] = mapped_column(default="")
    filename: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Daily(Tenant, Base):
    """One figure of one day (a day of the channel's zone): `dimension` is a course's id, or "" for the whole channel."""

    __tablename__ = "daily"
    __table_args__ = (
        UniqueConstraint("channel_id", "day", "metric", "dimension", "currency"),
        Index("ix_daily_metric", "channel_id", "metric", "day"),
        {"schema": "reporting"},
    )

    day: Mapped[date]
    metric: Mapped[str]
    dimension: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(default="")
    value: Mapped[int]
    counted_at: Mapped[datetime] = mapped_column(default=now)


class StaleDay(Tenant, Base):
    """Something that happened at `at` was taken out, or brought back, since its day was counted; the database notes it."""

    __tablename__ = "stale_days"
    __table_args__ = {"schema": "reporting"}

    at: Mapped[datetime]


class Presence(Tenant, Base):
    """Somebody was here on that day; written once and kept, since "last seen" forgets."""

    __tablename__ = "presences"
    __table_args__ = (
        UniqueConstraint("channel_id", "day", "user_id"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "reporting"},
    )

    day: Mapped[date]
    user_id: Mapped[UUID]


class Weekly(Tenant, Base):
    """How many of those who joined in one week were here in another; weeks by their Monday, days of the channel's zone."""

    __tablename__ = "weekly"
    __table_args__ = (UniqueConstraint("channel_id", "week", "cohort"), {"schema": "reporting"})

    week: Mapped[date]
    cohort: Mapped[date]
    people: Mapped[int]


class CourseFigures(Tenant, Base):
    """What the enrolments of one course add up to, counted anew now and then in a channel that has too many to count at once."""

    __tablename__ = "course_figures"
    __table_args__ = (
        UniqueConstraint("channel_id", "course_id"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses", ondelete="CASCADE"),
        {"schema": "reporting"},
    )

    course_id: Mapped[UUID]
    enrolled: Mapped[int]
    started: Mapped[int]
    completed: Mapped[int]
    median_seconds: Mapped[int | None]
    stopped_lesson_id: Mapped[UUID | None]
    stopped: Mapped[int]
    counted_at: Mapped[datetime]


def next_run(
    cadence: str,
    *,
    zone_name: str,
    hour: int,
    weekday: int = MONDAY,
    days: Sequence[int] = (),
    month_day: int = 1,
    every: int = 1,
    anchor: date = date(2026, 1, 5),
    after: datetime,
) -> datetime:
    """The first time after a moment that the wall clock of a zone shows the hour on a fitting day, in UTC.

    An hour the clocks leap over comes as soon as they have leapt; an hour they show twice counts the first time. So each fitting
    day has exactly one run. A month without that day runs on its last. Hourly means each full hour of UTC.
    """
    if cadence == "hourly":
        return after.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    place = zone(zone_name)
    day = after.astimezone(place).date() - timedelta(days=1)
    while True:
        if _fits(cadence, day, days=days or (weekday,), month_day=month_day, every=every, anchor=anchor):
            moment = datetime.combine(day, time(hour), place).astimezone(UTC)
            if moment > after:
                return moment
        day += timedelta(days=1)


def _fits(cadence: str, day: date, *, days: Sequence[int], month_day: int, every: int, anchor: date) -> bool:
    """Whether a cadence has a run on that day."""
    if cadence == "weekdays":
        return day.weekday() <= FRIDAY
    if cadence == "weekly":
        weeks = (_monday(day) - _monday(anchor)).days // WEEK
        return day.weekday() in days and weeks % every == 0
    if cadence == "monthly":
        return day.day == min(month_day, monthrange(day.year, day.month)[1])
    return True


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
