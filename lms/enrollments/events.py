"""What enrollments announces."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class UserEnrolled(Event):
    """Somebody may learn a course from now on."""

    enrollment_id: UUID
    user_id: UUID
    course_id: UUID
    source: str = "wallet"
    batch_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class EnrollmentEnded(Event):
    """Somebody may no longer learn a course."""

    enrollment_id: UUID
    user_id: UUID
    course_id: UUID
    reason: str = ""
    batch_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class EnrollmentMoved(Event):
    """Somebody is in another batch of their course now, or in none."""

    enrollment_id: UUID
    user_id: UUID
    course_id: UUID
    batch_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class LessonCompleted(Event):
    """Somebody finished a lesson; announced once for each enrolment and lesson."""

    enrollment_id: UUID
    lesson_id: UUID
    user_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class CourseCompleted(Event):
    """Somebody finished every lesson of a course; announced once for each enrolment."""

    enrollment_id: UUID
    user_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class RequestMade(Event):
    """Somebody asks to be let into a course, and waits for an answer."""

    request_id: UUID
    user_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class RequestAnswered(Event):
    """A request was approved or refused, or expired."""

    request_id: UUID
    user_id: UUID
    course_id: UUID
    state: str


@dataclass(frozen=True, kw_only=True)
class BatchChanged(Event):
    """The days of a batch are others now."""

    batch_id: UUID
    course_id: UUID
    name: str
    starts_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class BatchCancelled(Event):
    """A batch does not take place."""

    batch_id: UUID
    course_id: UUID
    name: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class HireTaken(Event):
    """Somebody took the role that a link gives; it is theirs once they have signed in with it."""

    hire_id: UUID
    link_id: UUID
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class HireWithdrawn(Event):
    """A role that a link gave was taken back before it was confirmed."""

    hire_id: UUID
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class PlaceOffered(Event):
    """Somebody on a waitlist may take a place until a moment; a seat is held for them."""

    wait_id: UUID
    batch_id: UUID
    course_id: UUID
    user_id: UUID
    until: datetime


@dataclass(frozen=True, kw_only=True)
class PlaceLapsed(Event):
    """Somebody did not take the place they were offered in time."""

    wait_id: UUID
    batch_id: UUID
    course_id: UUID
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class WaitEnded(Event):
    """Somebody was taken off a waitlist, with the reason they read."""

    wait_id: UUID
    batch_id: UUID
    course_id: UUID
    user_id: UUID
    reason: str = ""
