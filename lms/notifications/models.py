"""Notices, what each person wishes to hear, and lessons that wait to be announced."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.decisions import ROLES, STAFF
from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l

ADMINS = frozenset({"admin", "owner"})
EVERYBODY = frozenset(ROLES)
PACES = ("now", "daily", "weekly")
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of news: its words on the preferences page, whose it is, its icon, and what is on until somebody says otherwise."""

    key: str
    title: Lazy
    help: Lazy
    icon: str
    roles: frozenset[str] = EVERYBODY
    in_app: bool = True
    mail: bool = True
    tone: str = "info"
    is_urgent: bool = False  # of no use tomorrow: comes in quiet hours too, and never in a digest

    @property
    def paces(self) -> tuple[str, ...]:
        """How its mails may come."""
        return ("now",) if self.is_urgent else PACES


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("enrolled", _l("You are enrolled"), _l("When a course opens to you."), "book-open", tone="success"),
        Kind(
            "request_answer",
            _l("Answers to your requests"),
            _l("When you are let into a course you asked for, or not."),
            "hand",
            tone="success",
        ),
        Kind("lesson", _l("New lessons"), _l("When a course you learn gets a lesson; several within an hour come as one."), "circle-play"),
        Kind("announcement", _l("Messages"), _l("What the academy or your teachers write to you."), "message-square"),
        Kind(
            "money_ending",
            _l("Money that ends soon"),
            _l("14 and 3 days before money in your wallet expires."),
            "clock",
            tone="warning",
        ),
        Kind("work", _l("Work by a link"), _l("When a link that gives a role is taken, or withdrawn before it counted."), "user-cog"),
        Kind("refund", _l("Refunds"), _l("When money for a course goes back to your wallet."), "undo-2"),
        Kind(
            "session_soon",
            _l("A live class begins soon"),
            _l("An hour before it starts, in your time zone."),
            "calendar-clock",
            tone="warning",
            is_urgent=True,
        ),
        Kind(
            "session_changed",
            _l("A live class is moved or called off"),
            _l("So that nobody waits in an empty room."),
            "calendar",
            tone="warning",
            is_urgent=True,
        ),
        Kind(
            "place",
            _l("Places in batches"),
            _l("When a place is held for you, and when a batch of yours gets other days or is called off."),
            "users",
            tone="warning",
            is_urgent=True,
        ),
        Kind("session_planned", _l("A live class is planned"), _l("When a course you learn gets a date."), "calendar-plus", mail=False),
        Kind(
            "new_student",
            _l("New students"),
            _l("When somebody enrols in a course of yours."),
            "user-plus",
            STAFF,
            mail=False,
            tone="success",
        ),
        Kind(
            "course_answer",
            _l("Answers about your courses"),
            _l("When a course is published or sent back to you."),
            "clipboard-check",
            STAFF,
        ),
        Kind(
            "file_failed",
            _l("A file or recording of yours failed"),
            _l("With the reason, and what to do."),
            "film",
            STAFF,
            tone="danger",
        ),
        Kind(
            "report",
            _l("Your reports"),
            _l("When a download is ready, or a scheduled report had to stop."),
            "chart-column",
            STAFF,
            mail=False,
        ),
        Kind("approval", _l("Courses waiting for approval"), _l("When an instructor submits one."), "inbox", ADMINS, tone="warning"),
        Kind(
            "request",
            _l("Requests to be enrolled"),
            _l("When somebody asks to be let into a course you answer for."),
            "hand",
            STAFF,
            mail=False,
            tone="warning",
        ),
        Kind("batch", _l("Voucher batches"), _l("When codes are created, by anybody."), "ticket", ADMINS),
    )
}


class Notice(Tenant, Base):
    """One thing one person was told; `event_id` names the occasion, so that nobody is told twice.

    `course_id` is set when only those enrolled there may still get the mail; `stale_at` is when the mail has no use any more;
    `due_at` is when it goes out with the next digest, until it has.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("channel_id", "user_id", "event_id"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_notices_person", "channel_id", "user_id", "id", postgresql_where=text("is_in_app")),
        Index("ix_notices_unseen", "channel_id", "user_id", postgresql_where=text("is_in_app AND seen_at IS NULL")),
        Index("ix_notices_event", "channel_id", "event_id", "user_id"),
        Index("ix_notices_mail", "channel_id", "mail_id", postgresql_where=text("mail_id IS NOT NULL")),
        Index("ix_notices_at", "channel_id", "created_at"),
        Index("ix_notices_due", "channel_id", "due_at", "user_id", postgresql_where=text("due_at IS NOT NULL")),
        {"schema": "notifications"},
    )

    user_id: Mapped[UUID]
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    href: Mapped[str]
    event_id: Mapped[UUID]
    course_id: Mapped[UUID | None]
    mail_id: Mapped[UUID | None]
    is_in_app: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime | None]
    stale_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]

    @property
    def is_seen(self) -> bool:
        """Whether the person has seen it."""
        return self.seen_at is not None

    @property
    def about(self) -> Kind:
        """The kind of news it is; a kind that is gone reads as plain news."""
        return KINDS.get(self.kind) or Kind(self.kind, _l("News"), _l(""), "bell")


class Wish(Tenant, Base):
    """What one person wishes for one kind of news; where it says nothing, the academy's word holds.

    Only the person changes it: no enrolment, import or role brings back what was stopped.
    """

    __tablename__ = "wishes"
    __table_args__ = (
        UniqueConstraint("channel_id", "user_id", "kind"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "notifications"},
    )

    user_id: Mapped[UUID]
    kind: Mapped[str]
    in_app: Mapped[bool | None]
    mail: Mapped[bool | None]
    pace: Mapped[str] = mapped_column(default="now")
    changed_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Default(Tenant, Base):
    """How one kind of news comes to everybody of the academy who said nothing else; without a row the product's own word holds."""

    __tablename__ = "defaults"
    __table_args__ = (UniqueConstraint("channel_id", "kind"), {"schema": "notifications"})

    kind: Mapped[str]
    in_app: Mapped[bool]
    mail: Mapped[bool]
    pace: Mapped[str] = mapped_column(default="now")
    changed_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Habit(Tenant, Base):
    """When mails may reach one person: hour and weekday of digests, quiet hours of their own zone, or never at all."""

    __tablename__ = "habits"
    __table_args__ = (
        UniqueConstraint("channel_id", "user_id"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "notifications"},
    )

    user_id: Mapped[UUID]
    digest_hour: Mapped[int] = mapped_column(default=8)
    digest_day: Mapped[int] = mapped_column(default=0)
    quiet_from: Mapped[int | None]
    quiet_to: Mapped[int | None]
    is_silent: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Announcement(Tenant, Base):
    """One published lesson and when the students of its course were told; each lesson is announced once."""

    __tablename__ = "announcements"
    __table_args__ = (
        UniqueConstraint("channel_id", "lesson_id"),
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        belongs_to("lesson_id", "courses.lessons", name="fk_lesson_id_courses_lessons"),
        Index("ix_announcements_course", "channel_id", "course_id", "announced_at"),
        {"schema": "notifications"},
    )

    course_id: Mapped[UUID]
    lesson_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)
    announced_at: Mapped[datetime | None]


class Broadcast(Tenant, Base):
    """One message to many: what is said, on which ways, to whom by which condition, and how far it is.

    `audience` is an `Audience` as JSON; `course_id` makes being enrolled there a condition, checked for each person as it is sent.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (
        belongs_to("course_id", "courses.courses", name="fk_course_id_courses_courses"),
        Index("ix_broadcasts_created", "channel_id", "created_at", "id"),
        {"schema": "notifications"},
    )

    subject: Mapped[str]
    body: Mapped[str]
    in_app: Mapped[bool] = mapped_column(default=True)
    mail: Mapped[bool] = mapped_column(default=True)
    audience: Mapped[dict[str, Any]]
    course_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default="draft")
    send_at: Mapped[datetime | None]
    person_count: Mapped[int] = mapped_column(default=0)
    told_count: Mapped[int] = mapped_column(default=0)
    skipped_count: Mapped[int] = mapped_column(default=0)
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def is_working(self) -> bool:
        """Whether a worker has it in hand."""
        return self.state in ("collecting", "sending")

    @property
    def done_count(self) -> int:
        """For how many people it is settled."""
        return self.told_count + self.skipped_count


class Recipient(Tenant, Base):
    """One person a message is for: told, or not and why; nobody is told twice."""

    __tablename__ = "recipients"
    __table_args__ = (
        UniqueConstraint("channel_id", "broadcast_id", "user_id", name="uq_recipients_person"),
        belongs_to("broadcast_id", "notifications.broadcasts", name="fk_broadcast_id_notifications_broadcasts"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_recipients_waiting", "channel_id", "broadcast_id", "user_id", postgresql_where=text("state = 'waiting'")),
        Index("ix_recipients_state", "channel_id", "broadcast_id", "state", "id"),
        Index("ix_recipients_user", "channel_id", "user_id"),
        {"schema": "notifications"},
    )

    broadcast_id: Mapped[UUID]
    user_id: Mapped[UUID]
    course_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default="waiting")
    reason: Mapped[str] = mapped_column(default="")
    notice_id: Mapped[UUID | None]
    at: Mapped[datetime | None]


class Template(Tenant, Base):
    """The academy's own words for the mail of one message in one language; variables stand in {{name}}."""

    __tablename__ = "templates"
    __table_args__ = (
        UniqueConstraint("channel_id", "message", "language", name="uq_templates_language"),
        {"schema": "notifications"},
    )

    message: Mapped[str]
    language: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Bounce(Tenant, Base):
    """An address that mails come back from; nothing but codes is sent there until somebody clears it."""

    __tablename__ = "bounces"
    __table_args__ = (
        Index("uq_bounces_standing", "channel_id", "address", unique=True, postgresql_where=text("cleared_at IS NULL")),
        Index("ix_bounces_at", "channel_id", "at", "id"),
        {"schema": "notifications"},
    )

    address: Mapped[str]
    reason: Mapped[str]
    mail_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(default=now)
    cleared_at: Mapped[datetime | None]
    cleared_by: Mapped[UUID | None]
