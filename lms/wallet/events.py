"""Facts of the wallet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class WalletCredited(Event):
    """Money came into a person's wallet."""

    user_id: UUID
    amount_minor: int
    currency: str
    source: str
    reference_id: UUID


@dataclass(frozen=True, kw_only=True)
class WalletDebited(Event):
    """Money left a person's wallet."""

    user_id: UUID
    amount_minor: int
    currency: str
    source: str
    reference_id: UUID


@dataclass(frozen=True, kw_only=True)
class MoneyEnding(Event):
    """Money of a person's wallet ends within so many days; said once for each of the warnings."""

    user_id: UUID
    amount_minor: int
    currency: str
    until: datetime
    days: int
