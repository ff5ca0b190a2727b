"""What chat announces."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class MessagePosted(Event):
    """Messages were posted in a room: those numbered from `first_seq` to `last_seq`. Told once a minute, not for each."""

    room_id: UUID
    first_seq: int
    last_seq: int


@dataclass(frozen=True, kw_only=True)
class MessageDeleted(Event):
    """A message was taken out of sight, by its author or a moderator."""

    message_id: UUID
    room_id: UUID


@dataclass(frozen=True, kw_only=True)
class MessageFlagged(Event):
    """Somebody reported a message to the moderators."""

    message_id: UUID
    room_id: UUID
    author_id: UUID
    reason: str
