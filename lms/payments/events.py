"""Facts of payments."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class OrderPaid(Event):
    """An order is paid (or free): what it buys may be given."""

    order_id: UUID
    user_id: UUID
    course_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class OrderRefunded(Event):
    """An order's money, or a part of it, went back; `ends_access` says whether what it bought is taken."""

    refund_id: UUID
    order_id: UUID
    user_id: UUID
    course_id: UUID
    amount_minor: int
    currency: str
    ends_access: bool


@dataclass(frozen=True, kw_only=True)
class RefundUndone(Event):
    """A refund was taken back: what was taken returns."""

    refund_id: UUID
    order_id: UUID
    user_id: UUID
    course_id: UUID
    amount_minor: int
    currency: str
    ends_access: bool
