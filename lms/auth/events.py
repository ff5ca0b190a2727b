"""What auth announces."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class UserRegistered(Event):
    """Somebody proved an address and has an account now."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class EmailVerified(Event):
    """Somebody proved that an address is theirs."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserSuspended(Event):
    """An account may not sign in any more."""

    user_id: UUID
