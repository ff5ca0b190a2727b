"""What enrollments announces."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class UserEnrolled(Event):
    """Somebody may learn a course from now on."""

    enrollment_id: UUID
    user_id: UUID
    course_id: UUID
    source: str = "wallet"


@dataclass(frozen=True, kw_only=True)
class EnrollmentEnded(Event):
    """Somebody may no longer learn a course."""

    enrollment_id: UUID
    user_id: UUID
    course_id: UUID
    reason: str = ""


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
