"""What streaming announces."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class SessionScheduled(Event):
    """A live class was planned. A quiet one follows another of its series that tells of all."""

    session_id: UUID
    course_id: UUID
    is_quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionMoved(Event):
    """A live class got another time. A quiet one follows another of its series that tells of all."""

    session_id: UUID
    course_id: UUID
    is_quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionOpened(Event):
    """The room of a live class was opened."""

    session_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class SessionStarted(Event):
    """A live class began."""

    session_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class SessionEnded(Event):
    """A live class is over."""

    session_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class SessionCancelled(Event):
    """A live class will not take place. A quiet one follows another of its series that tells of all."""

    session_id: UUID
    course_id: UUID
    is_quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class RecordingReady(Event):
    """The recording of a live class can be watched; `lesson_id` is its draft lesson."""

    session_id: UUID
    course_id: UUID
    lesson_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class RecordingMissing(Event):
    """There will be no recording of a live class unless somebody does something; `reason` says why."""

    session_id: UUID
    course_id: UUID
    reason: str
