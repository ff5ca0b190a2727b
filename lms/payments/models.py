"""Orders."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.money import Money

STATUSES = ("pending", "paid", "refunded", "cancelled")
METHODS = ("wallet", "free", "card", "manual")


class Order(Tenant, Base):
    """One person buys one course at one price, frozen when the order is made; at most one such order is alive at a time."""

    __tablename__ = "orders"
    __table_args__ = (
        belongs_to("user_id", "channels.members"),
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
        Index("ix_orders_by_refund", "channel_id", "refunded_at", "id"),
        Index("ix_orders_by_amount", "channel_id", "amount_minor", "id"),
        Index("ix_orders_by_status", "channel_id", "status", "created_at", "id"),
        Index("ix_orders_by_method", "channel_id", "method", "created_at", "id"),
        Index("ix_orders_by_person", "channel_id", "user_id", "created_at", "id"),
        Index("ix_orders_course", "channel_id", "course_id", "status"),
        {"schema": "payments"},
    )

    user_id: Mapped[UUID]
    course_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(default="")
    amount_minor: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending")
    method: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    paid_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def amount(self) -> Money:
        """What the order costs."""
        return Money(self.amount_minor, self.currency)
