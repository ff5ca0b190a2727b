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
    """An order's money went back: what it bought may be taken."""

    order_id: UUID
    user_id: UUID
    course_id: UUID
    amount_minor: int
    currency: str
