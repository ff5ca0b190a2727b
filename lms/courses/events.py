"""Facts about courses and lessons."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CoursePublished(Event):
    """A course went on sale, or came back to the catalogue."""

    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class CourseEdited(Event):
    """Something a reader of the course could see has changed: words, price, cover, status, instructor."""

    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class CourseWithdrawn(Event):
    """A course left the catalogue; `status` says where to: draft, archived or deleted."""

    course_id: UUID
    status: str


@dataclass(frozen=True, kw_only=True)
class CourseSubmitted(Event):
    """An instructor asks for a course to be approved."""

    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class CourseSentBack(Event):
    """An admin sent a course back to its instructor, with the reason."""

    course_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class LessonAdded(Event):
    """A lesson was added to a course, as a draft."""

    course_id: UUID
    lesson_id: UUID


@dataclass(frozen=True, kw_only=True)
class LessonEdited(Event):
    """A lesson's words or place changed, or it was unpublished, deleted or brought back."""

    course_id: UUID
    lesson_id: UUID


@dataclass(frozen=True, kw_only=True)
class LessonPublished(Event):
    """Students of the course can see the lesson from now on."""

    course_id: UUID
    lesson_id: UUID
