"""Facts of vouchers."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class VoucherBatchCreated(Event):
    """A batch was made and its codes wait to be handed out."""

    batch_id: UUID


@dataclass(frozen=True, kw_only=True)
class VoucherRedeemed(Event):
    """A person used a code: money is in the wallet, `course_ids` wait to be opened (or bought with it), or a coupon took `amount` off."""

    batch_id: UUID
    code_id: UUID
    user_id: UUID
    kind: str
    amount_minor: int
    currency: str
    redemption_id: UUID | None = None
    course_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VouchersVoided(Event):
    """Codes of a batch were made worthless."""

    batch_id: UUID
    count: int


@dataclass(frozen=True, kw_only=True)
class VoucherGuessing(Event):
    """Unusually many wrong codes were tried in this channel."""

    tries: int
    minutes: int
