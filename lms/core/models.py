"""The kernel's own tables: the diary of events, the outbox, audit, scheduler slots, mails, idempotency keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to


class EventRow(Tenant, Base):
    """One fact that happened: the diary reports and read models are made from."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_name", "channel_id", "name", "happened_at"),
        Index("ix_events_at", "channel_id", "happened_at"),
        {"schema": "core"},
    )

    name: Mapped[str]
    actor_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]]
    happened_at: Mapped[datetime] = mapped_column(default=now)


class Outbox(Tenant, Base):
    """One thing to do after the commit: a handler of an event, or a job; done when `done_at` is set."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "run_at", postgresql_where=text("done_at IS NULL AND dead_at IS NULL")),
        Index(
            "ix_outbox_key",
            "channel_id",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL AND done_at IS NULL AND dead_at IS NULL"),
        ),
        Index("ix_outbox_dead", "channel_id", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
        Index("ix_outbox_made", "channel_id", "created_at"),
        {"schema": "core"},
    )

    task: Mapped[str]
    payload: Mapped[dict[str, Any]]
    queue: Mapped[str]
    key: Mapped[str | None]
    event_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    run_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=5)
    lease_seconds: Mapped[int] = mapped_column(default=60)
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None]
    progress: Mapped[dict[str, Any] | None]

    @property
    def state(self) -> str:
        """Where the row stands: done, quarantined, running, or waiting."""
        if self.done_at:
            return "done"
        if self.dead_at:
            return "quarantined"
        return "running" if self.lease_until and self.lease_until > now() else "waiting"


class AuditRow(Tenant, Base):
    """Who did what to what, with the values before and after; only ever inserted."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at", "channel_id", "at"),
        Index("ix_audit_target", "channel_id", "target_kind", "target_id", "at"),
        Index("ix_audit_actor", "channel_id", "actor_id", "at"),
        Index("ix_audit_action", "channel_id", "action", "at"),
        {"schema": "core"},
    )

    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[UUID | None]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    action: Mapped[str]
    target_kind: Mapped[str]
    target_id: Mapped[UUID | None]
    target_name: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    request_id: Mapped[str | None]


class AuditSeal(Tenant, Base):
    """One link of a channel's audit chain: the hash of the audit row with the link before it.

    `covers` says of how much of the row: 1 without, 2 with the names as they stood.
    """

    __tablename__ = "audit_seals"
    __table_args__ = (
        UniqueConstraint("channel_id", "seq"),
        UniqueConstraint("channel_id", "audit_id"),
        belongs_to("audit_id", "core.audit"),
        {"schema": "core"},
    )

    seq: Mapped[int]
    audit_id: Mapped[UUID]
    hash: Mapped[bytes] = mapped_column(LargeBinary())
    covers: Mapped[int] = mapped_column(SmallInteger(), default=1)


class AuditCheck(Tenant, Base):
    """One reading of the audit log's chain: who asked, up to which entry, and what was wrong in plain sentences."""

    __tablename__ = "audit_checks"
    __table_args__ = (Index("ix_audit_checks_asked", "channel_id", "asked_at"), {"schema": "core"})

    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]
    took_ms: Mapped[int | None]
    seq: Mapped[int | None]
    head: Mapped[str | None]
    faults: Mapped[list[Any]] = mapped_column(default=list)


class Slot(Base):
    """One tick of the scheduler, taken by whoever inserts it first; belongs to the install."""

    __tablename__ = "slots"
    __table_args__ = {"schema": "core"}

    task: Mapped[str] = mapped_column(primary_key=True)
    slot_time: Mapped[datetime] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(default=now)


class Mail(Tenant, Base):
    """One message to one address: what was written, and what became of it."""

    __tablename__ = "mails"
    __table_args__ = (
        Index("ix_mails_at", "channel_id", "created_at"),
        Index("ix_mails_to", "channel_id", "to_address", "created_at"),
        {"schema": "core"},
    )

    to_address: Mapped[str]
    to_user_id: Mapped[UUID | None]
    template: Mapped[str]
    subject: Mapped[str]
    body_text: Mapped[str]
    body_html: Mapped[str]
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_secret: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="queued")
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    error: Mapped[str | None]


class IdempotencyKey(Tenant, Base):
    """A reply kept for a key, so that the same request sent twice is done once."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("channel_id", "user_id", "route", "key"), {"schema": "core"})

    user_id: Mapped[UUID]
    route: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    reply: Mapped[str | None]
    location: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class BinRow(Tenant, Base):
    """One thing that was deleted: what, by whom and when; until it is restored, or deleted for good (`outcome`)."""

    __tablename__ = "bin"
    __table_args__ = (
        Index("ix_bin_deleted", "channel_id", "deleted_at", "id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_bin_target", "channel_id", "kind", "target_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_bin_ended", "channel_id", "kind", "target_id", "outcome"),
        {"schema": "core"},
    )

    kind: Mapped[str]
    target_id: Mapped[UUID]
    title: Mapped[str]
    kept: Mapped[dict[str, Any]] = mapped_column(default=dict)
    deleted_at: Mapped[datetime] = mapped_column(default=now)
    deleted_by: Mapped[UUID | None]
    deleted_by_name: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    outcome: Mapped[str] = mapped_column(default="")


class Plan(Tenant, Base):
    """A bulk act: planned row by row, applied, and a receipt that can be taken back until `undo_until`.

    `place` is the number of the last row done in the running phase, `done_count` how many rows that is; `columns` are the
    headings of the file it came from, each with the field it means.
    """

    __tablename__ = "plans"
    __table_args__ = (Index("ix_plans_created", "channel_id", "created_at"), {"schema": "core"})

    act: Mapped[str]
    title: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    columns: Mapped[list[Any]] = mapped_column(default=list)
    source_name: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="en")
    state: Mapped[str] = mapped_column(default="planning")
    row_count: Mapped[int] = mapped_column(default=0)
    new_count: Mapped[int] = mapped_column(default=0)
    changed_count: Mapped[int] = mapped_column(default=0)
    same_count: Mapped[int] = mapped_column(default=0)
    refused_count: Mapped[int] = mapped_column(default=0)
    applied_count: Mapped[int] = mapped_column(default=0)
    conflict_count: Mapped[int] = mapped_column(default=0)
    undone_count: Mapped[int] = mapped_column(default=0)
    place: Mapped[int] = mapped_column(default=0)
    done_count: Mapped[int] = mapped_column(default=0)
    is_read: Mapped[bool] = mapped_column(default=False)
    is_single: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[str] = mapped_column(default="")
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    planned_at: Mapped[datetime | None]
    applied_by: Mapped[UUID | None]
    applied_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]
    undone_at: Mapped[datetime | None]
    undo_until: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]

    @property
    def to_apply(self) -> int:
        """How many rows applying it would touch."""
        return self.new_count + self.changed_count

    @property
    def is_working(self) -> bool:
        """Whether a worker has it in hand."""
        return self.state in ("planning", "checking", "applying", "undoing")

    @property
    def may_be_undone(self) -> bool:
        """Whether it can still be taken back."""
        return self.state == "applied" and self.applied_count > 0 and self.undo_until is not None and self.undo_until > now()


class PlanRow(Tenant, Base):
    """One row of a plan: what it would do and why not, and what became of it."""

    __tablename__ = "plan_rows"
    __table_args__ = (UniqueConstraint("channel_id", "plan_id", "number"), {"schema": "core"})

    plan_id: Mapped[UUID]
    number: Mapped[int]
    subject_id: Mapped[UUID | None]
    label: Mapped[str] = mapped_column(default="")
    key: Mapped[str] = mapped_column(default="")
    verdict: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    source: Mapped[list[Any]] = mapped_column(default=list)
    result: Mapped[str] = mapped_column(default="")


class PlanFile(Tenant, Base):
    """The file a plan is made from, until it is read."""

    __tablename__ = "plan_files"
    __table_args__ = (UniqueConstraint("channel_id", "plan_id"), belongs_to("plan_id", "core.plans"), {"schema": "core"})

    plan_id: Mapped[UUID]
    content: Mapped[bytes] = mapped_column(LargeBinary())
