"""Orders, and what was given back of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.money import Money

STATUSES = ("pending", "paid", "refunded", "cancelled")
METHODS = ("wallet", "free", "card", "manual")


class Order(Tenant, Base):
    """One person buys one course at one price, frozen when the order is made; at most one such order is alive at a time.

    `number` is what people call it by; the database gives it.
    """

    __tablename__ = "orders"
    __table_args__ = (
        belongs_to("user_id", "channels.members"),
        belongs_to("redemption_id", "vouchers.redemptions"),
        UniqueConstraint("channel_id", "number", name="uq_orders_number"),
        Index("ix_orders_redemption", "channel_id", "redemption_id", postgresql_where=text("redemption_id IS NOT NULL")),
        Index(
            "ix_orders_live",
            "channel_id",
            "user_id",
            "course_id",
            unique=True,
            postgresql_where=text("status IN ('pending', 'paid') AND closed_at IS NULL"),
        ),
        Index("ix_orders_created", "channel_id", "created_at", "id"),
        Index("ix_orders_by_payment", "channel_id", "paid_at", "id"),
        Index("ix_orders_by_amount", "channel_id", "amount_minor", "id"),
        Index("ix_orders_by_status", "channel_id", "status", "created_at", "id"),
        Index("ix_orders_by_method", "channel_id", "method", "created_at", "id"),
        Index("ix_orders_by_person", "channel_id", "user_id", "created_at", "id"),
        Index("ix_orders_course", "channel_id", "course_id", "status"),
        {"schema": "payments"},
    )

    number: Mapped[str] = mapped_column(server_default=FetchedValue())
    user_id: Mapped[UUID]
    course_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(default="")
    amount_minor: Mapped[int]
    currency: Mapped[str]
    discount_minor: Mapped[int] = mapped_column(default=0)
    discount_note: Mapped[str] = mapped_column(default="")
    redemption_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(default="pending")
    method: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    paid_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    refunded_minor: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def amount(self) -> Money:
        """What the order costs."""
        return Money(self.amount_minor, self.currency)

    @property
    def list_price(self) -> Money:
        """What it would have cost without the coupon."""
        return Money(self.amount_minor + self.discount_minor, self.currency)

    @property
    def refundable(self) -> Money:
        """What has not been given back yet."""
        return Money(self.amount_minor - self.refunded_minor if self.method == "wallet" else 0, self.currency)


class Refund(Tenant, Base):
    """Money of one order given back to the wallet it came from; its id is the reference of the ledger's transactions."""

    __tablename__ = "refunds"
    __table_args__ = (
        belongs_to("order_id", "payments.orders"),
        belongs_to("user_id", "channels.members"),
        belongs_to("refunded_by", "channels.members"),
        belongs_to("undone_by", "channels.members"),
        UniqueConstraint("channel_id", "number", name="uq_refunds_number"),
        Index("ix_refunds_order", "channel_id", "order_id", "refunded_at"),
        Index("ix_refunds_at", "channel_id", "refunded_at", "id"),
        {"schema": "payments"},
    )

    number: Mapped[str] = mapped_column(server_default=FetchedValue())
    order_id: Mapped[UUID]
    user_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    ends_access: Mapped[bool]
    was_closed: Mapped[bool]
    money_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="applied")
    refunded_at: Mapped[datetime] = mapped_column(default=now)
    refunded_by: Mapped[UUID | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]

    @property
    def amount(self) -> Money:
        """What was given back."""
        return Money(self.amount_minor, self.currency)

    @property
    def stands(self) -> bool:
        """Whether it has not been taken back."""
        return self.state == "applied"
