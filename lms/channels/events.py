"""What channels announce."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class MemberJoined(Event):
    """Somebody is a member of the channel now."""

    user_id: UUID
    role: str


@dataclass(frozen=True, kw_only=True)
class RoleChanged(Event):
    """A member's role changed."""

    user_id: UUID
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class MemberSuspended(Event):
    """A member may not sign in any more."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class MemberEdited(Event):
    """What is known of a member changed, or a suspended one may sign in again."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class MemberLeft(Event):
    """Somebody is no member of the channel any more."""

    user_id: UUID
