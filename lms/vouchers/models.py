"""Batches, codes and redemptions. A code itself is nowhere here: its digest finds it, its last four symbols name it."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import FetchedValue, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import local_day, now, zone
from lms.core.db import Base, Tenant, belongs_to
from lms.core.money import Money

OPEN_STATES = ("created", "sent", "printed")
STATES = (*OPEN_STATES, "redeemed", "expired", "void")
KINDS = ("value", "course", "percent", "amount")
COUPONS = ("percent", "amount")


class Batch(Tenant, Base):
    """Codes made together: what they give, how many, until when, for whom, and who answers for them.

    `value` puts money into a wallet, `course` opens courses; `percent` and `amount` are coupons, which take something off a price.
    """

    __tablename__ = "batches"
    __table_args__ = (
        UniqueConstraint("channel_id", "request_digest"),
        belongs_to("owner_id", "channels.members"),
        belongs_to("created_by", "channels.members"),
        belongs_to("replaces_id", "vouchers.batches"),
        Index("ix_batches_created", "channel_id", "created_at", "id"),
        Index("ix_batches_owner", "channel_id", "owner_id"),
        Index("ix_batches_expires", "channel_id", "expires_at"),
        {"schema": "vouchers"},
    )

    label: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(default="value")
    value_minor: Mapped[int]
    percent: Mapped[int | None]
    currency: Mapped[str]
    code_count: Mapped[int]
    uses_per_code: Mapped[int] = mapped_column(default=1)
    prefix: Mapped[str] = mapped_column(default="")
    grouping: Mapped[int] = mapped_column(default=4)
    is_word: Mapped[bool] = mapped_column(default=False)
    is_gift: Mapped[bool] = mapped_column(default=False)
    domains: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    starts_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    per_person: Mapped[int | None]
    sold_for_minor: Mapped[int | None]
    money_days: Mapped[int | None]
    money_until: Mapped[datetime | None]
    replaces_id: Mapped[UUID | None]
    request_digest: Mapped[bytes] = mapped_column(LargeBinary())
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def value(self) -> Money:
        """What one use of one code is worth: money for the wallet, or the most a coupon takes off; nothing for the other kinds."""
        return Money(self.value_minor, self.currency)

    @property
    def is_coupon(self) -> bool:
        """Whether its codes take something off a price."""
        return self.kind in COUPONS

    def takes_off(self, price: Money, value: Money) -> Money:
        """What a coupon of that value takes off a price: never more than the price; half a minor unit rounds up."""
        if self.percent is not None:
            return Money((price.minor * self.percent + 50) // 100, price.currency)
        return Money(min(value.minor, price.minor), price.currency)

    @property
    def worth(self) -> Money:
        """What all codes of the batch are worth together."""
        return self.value * (self.code_count * self.uses_per_code)

    def money_ends(self, redeemed_at: datetime, zone_name: str) -> datetime | None:
        """Until when money of the batch lasts in a wallet: so many whole days after it was redeemed, or a day; None for ever."""
        if self.money_days is None:
            return self.money_until
        last = local_day(redeemed_at, zone_name) + timedelta(days=self.money_days)
        return datetime.combine(last + timedelta(days=1), time(), zone(zone_name))

    def is_expired(self, at: datetime) -> bool:
        """Whether the batch's own date is past."""
        return self.expires_at is not None and self.expires_at <= at


class BatchCourse(Tenant, Base):
    """One course that a batch opens, or to which its coupons are bound."""

    __tablename__ = "batch_courses"
    __table_args__ = (
        UniqueConstraint("channel_id", "batch_id", "course_id", name="uq_batch_courses_course"),
        belongs_to("batch_id", "vouchers.batches"),
        belongs_to("course_id", "courses.courses"),
        Index("ix_batch_courses_course", "channel_id", "course_id"),
        {"schema": "vouchers"},
    )

    batch_id: Mapped[UUID]
    course_id: Mapped[UUID]


class Code(Tenant, Base):
    """One code: found by its digest, shown by its last four symbols; its state, with when and by whom it came about."""

    __tablename__ = "codes"
    __table_args__ = (
        UniqueConstraint("channel_id", "digest"),
        UniqueConstraint("channel_id", "batch_id", "number"),
        belongs_to("batch_id", "vouchers.batches"),
        Index("ix_codes_state", "channel_id", "batch_id", "state"),
        Index("ix_codes_last4", "channel_id", "last4"),
        Index("ix_codes_due", "channel_id", "expires_at", postgresql_where=text("state IN ('created', 'sent', 'printed')")),
        {"schema": "vouchers"},
    )

    batch_id: Mapped[UUID]
    number: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary())
    last4: Mapped[str]
    value_minor: Mapped[int]
    expires_at: Mapped[datetime | None]
    uses: Mapped[int] = mapped_column(default=0)
    max_uses: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(default="created")
    state_at: Mapped[datetime] = mapped_column(default=now)
    state_by: Mapped[UUID | None]

    @property
    def is_open(self) -> bool:
        """Whether the code is still to be redeemed (its date apart)."""
        return self.state in OPEN_STATES

    def state_on(self, at: datetime) -> str:
        """The state at a moment: an open code past its date is expired before the sweep has written it down."""
        return "expired" if self.is_open and self.expires_at is not None and self.expires_at <= at else self.state


class Redemption(Tenant, Base):
    """One person used one code; its id is the reference of the ledger's transaction. Only ever inserted.

    `amount` is what came into the wallet, or what a coupon took off `price_minor`, the course's price in that moment.
    """

    __tablename__ = "redemptions"
    __table_args__ = (
        UniqueConstraint("channel_id", "code_id", "user_id"),
        UniqueConstraint("channel_id", "batch_id", "user_id", "nth"),
        belongs_to("batch_id", "vouchers.batches"),
        belongs_to("code_id", "vouchers.codes"),
        belongs_to("user_id", "channels.members"),
        belongs_to("course_id", "courses.courses"),
        Index("ix_redemptions_batch", "channel_id", "batch_id", "at"),
        Index("ix_redemptions_at", "channel_id", "at", "id"),
        Index("ix_redemptions_user", "channel_id", "user_id", "at"),
        {"schema": "vouchers"},
    )

    batch_id: Mapped[UUID]
    code_id: Mapped[UUID]
    user_id: Mapped[UUID]
    nth: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    course_id: Mapped[UUID | None]
    price_minor: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=now)

    @property
    def amount(self) -> Money:
        """What came into the wallet, or off the price."""
        return Money(self.amount_minor, self.currency)


class Step(Tenant, Base):
    """One step in a code's life after its making: the state it came to, when, by whom, and why. Only ever inserted."""

    __tablename__ = "steps"
    __table_args__ = (
        belongs_to("batch_id", "vouchers.batches"),
        belongs_to("code_id", "vouchers.codes"),
        Index("ix_steps_code", "channel_id", "code_id", "at"),
        {"schema": "vouchers"},
    )

    batch_id: Mapped[UUID]
    code_id: Mapped[UUID]
    state: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")


class Envelope(Tenant, Base):
    """The codes of a new batch, encrypted with a key that only the browser of who made it holds; gone after the download or an hour."""

    __tablename__ = "envelopes"
    __table_args__ = (UniqueConstraint("channel_id", "batch_id"), belongs_to("batch_id", "vouchers.batches"), {"schema": "vouchers"})

    batch_id: Mapped[UUID]
    made_by: Mapped[UUID | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary())
    made_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class Sheet(Tenant, Base):
    """Pages of a new batch's codes: made by a worker file by file, encrypted with the seal, gone with the envelope."""

    __tablename__ = "sheets"
    __table_args__ = (
        belongs_to("batch_id", "vouchers.batches"),
        Index("ix_sheets_batch", "channel_id", "batch_id", "made_at"),
        {"schema": "vouchers"},
    )

    batch_id: Mapped[UUID]
    layout: Mapped[str]
    words: Mapped[dict[str, Any]] = mapped_column(default=dict)
    file_count: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str] = mapped_column(default="")
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]

    @property
    def is_ready(self) -> bool:
        """Whether all its files are there."""
        return self.done == self.file_count


class Letter(Tenant, Base):
    """One code for one address, at a moment; the code lies encrypted until it goes, and nowhere afterwards."""

    __tablename__ = "letters"
    __table_args__ = (
        belongs_to("batch_id", "vouchers.batches"),
        belongs_to("code_id", "vouchers.codes"),
        Index("ix_letters_batch", "channel_id", "batch_id", "made_at"),
        Index("uq_letters_code", "channel_id", "code_id", unique=True, postgresql_where=text("state <> 'withheld'")),
        Index("ix_letters_due", "channel_id", "send_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_letters_mail", "channel_id", "mail_id", postgresql_where=text("mail_id IS NOT NULL")),
        {"schema": "vouchers"},
    )

    batch_id: Mapped[UUID]
    code_id: Mapped[UUID]
    email: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    send_at: Mapped[datetime]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary())
    state: Mapped[str] = mapped_column(default="waiting")
    reason: Mapped[str] = mapped_column(default="")
    mail_id: Mapped[UUID | None]
    sent_at: Mapped[datetime | None]
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime] = mapped_column(default=now)


class Gift(Tenant, Base):
    """A code one person bought for another: paid from the giver's wallet, mailed on its day; its id is the ledger's reference.

    With a course it is money of the course's price, and buys it as soon as the code is redeemed.
    """

    __tablename__ = "gifts"
    __table_args__ = (
        UniqueConstraint("channel_id", "batch_id"),
        belongs_to("giver_id", "channels.members"),
        belongs_to("batch_id", "vouchers.batches"),
        belongs_to("letter_id", "vouchers.letters"),
        belongs_to("course_id", "courses.courses"),
        belongs_to("cancelled_by", "channels.members"),
        UniqueConstraint("channel_id", "number", name="uq_gifts_number"),
        Index("ix_gifts_giver", "channel_id", "giver_id", "made_at"),
        Index("ix_gifts_made", "channel_id", "made_at", "id"),
        {"schema": "vouchers"},
    )

    number: Mapped[str] = mapped_column(server_default=FetchedValue())
    giver_id: Mapped[UUID]
    batch_id: Mapped[UUID]
    letter_id: Mapped[UUID]
    course_id: Mapped[UUID | None]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(default=now)
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[UUID | None]

    @property
    def amount(self) -> Money:
        """What it cost."""
        return Money(self.amount_minor, self.currency)


class Alert(Tenant, Base):
    """Something about vouchers that an admin should look at; one row for each time its cause came about."""

    __tablename__ = "alerts"
    __table_args__ = (
        belongs_to("batch_id", "vouchers.batches"),
        Index(
            "uq_alerts_running",
            "channel_id",
            "cause",
            "batch_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_alerts_open", "channel_id", "raised_at", postgresql_where=text("settled_at IS NULL")),
        {"schema": "vouchers"},
    )

    cause: Mapped[str]
    batch_id: Mapped[UUID | None]
    detail: Mapped[str] = mapped_column(default="")
    raised_at: Mapped[datetime] = mapped_column(default=now)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
