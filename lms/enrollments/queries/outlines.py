"""A course as one person learns it: its published lessons with what was done in them, and the desk of one lesson."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from lms.core import db
from lms.core.i18n import gettext as _
from lms.core.settled import SettledObjects
from lms.courses.errors import NoSuchLesson
from lms.courses.models import Course, Lesson
from lms.enrollments.models import Enrollment


@dataclass(frozen=True, slots=True)
class Step:
    """A published lesson as outlines show it."""

    id: UUID
    title: str
    kind: str
    status: str
    is_preview: bool
    duration_seconds: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What an enrolment did in one lesson."""

    completed_at: datetime | None
    position_seconds: int
    watched_seconds: int
    watch_seconds: int
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A section's title and its published lessons in order."""

    title: str
    lessons: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Outline:
    """A course's published lessons in order, and what one enrolment did in them."""

    parts: Sequence[Part]
    progress: Mapping[UUID, Kept]

    @cached_property
    def lessons(self) -> list[Step]:
        """The lessons, one after the other."""
        return [lesson for part in self.parts for lesson in part.lessons]

    @cached_property
    def done_count(self) -> int:
        """How many of the lessons are done."""
        return sum(self.is_done(lesson) for lesson in self.lessons)

    @cached_property
    def _places(self) -> dict[UUID, int]:
        return {lesson.id: at for at, lesson in enumerate(self.lessons)}

    def is_done(self, lesson: Step | Lesson) -> bool:
        """Whether the lesson is done."""
        found = self.progress.get(lesson.id)
        return found is not None and found.completed_at is not None

    def before(self, lesson: Step | Lesson) -> Step | None:
        """The lesson before this one."""
        at = self._places.get(lesson.id, 0)
        return self.lessons[at - 1] if at > 0 else None

    def after(self, lesson: Step | Lesson) -> Step | None:
        """The lesson after this one."""
        at = self._places.get(lesson.id, len(self.lessons))
        return self.lessons[at + 1] if at < len(self.lessons) - 1 else None


_LATEST = aliased(Enrollment)
_DESK = SettledObjects(
    lambda: (
        select(Lesson)
        .join(Course, Course.id == Lesson.course_id)
        .outerjoin(
            Enrollment,
            Enrollment.id
            == select(_LATEST.id)
            .where(_LATEST.user_id == bindparam("user_id"), _LATEST.course_id == bindparam("course_id"))
            .order_by((_LATEST.status == "ended").asc(), _LATEST.enrolled_at.desc())
            .limit(1)
            .scalar_subquery(),
        )
        .where(Lesson.id == bindparam("lesson_id"), Lesson.course_id == bindparam("course_id"))
    ),
    Lesson,
    Course,
    Enrollment,
)


def desk(course_id: UUID, lesson_id: UUID, user_id: UUID | None) -> tuple[Lesson, Course, Enrollment | None]:
    """A lesson of a course, the course, and the person's enrolment in it (as `latest_enrollment`), to read; one query, or NoSuchLesson."""
    found = _DESK.rows(course_id=course_id, lesson_id=lesson_id, user_id=user_id)
    if not found or found[0][0].is_deleted:
        raise NoSuchLesson(_("There is no such lesson here. It may have been taken away."))
    lesson, course, enrollment = found[0]
    return lesson, course, enrollment


OUTLINE = """
    SELECT s.id AS section_id, s.title AS section_title, l.id, l.title, l.kind, l.status, l.is_preview, l.duration_seconds,
        p.id AS progress_id, p.completed_at, p.position_ms / 1000 AS position_seconds, p.watch_ms / 1000 AS watch_seconds, p.seen_at,
        (SELECT coalesce(sum(upper(played) - lower(played)), 0) / 1000 FROM unnest(p.watched) played) AS watched_seconds
    FROM courses.sections s JOIN courses.lessons l ON l.channel_id = s.channel_id AND l.section_id = s.id
    LEFT JOIN enrollments.lesson_progress p ON p.channel_id = l.channel_id AND p.lesson_id = l.id AND p.enrollment_id = %(enrollment_id)s
    WHERE s.channel_id = %(channel)s AND s.course_id = %(course_id)s AND s.deleted_at IS NULL AND l.status = 'published'
    ORDER BY s.position, s.id, l.position, l.id
"""


def outline_of(course_id: UUID, enrollment: Enrollment | None) -> Outline:
    """The published outline of a course with the enrolment's progress in it, without the lessons' texts; one query."""
    parts: dict[UUID, Part] = {}
    progress: dict[UUID, Kept] = {}
    for row in db.rows(OUTLINE, course_id=course_id, enrollment_id=enrollment.id if enrollment else None):
        part = parts.setdefault(row.section_id, Part(row.section_title))
        part.lessons.append(Step(row.id, row.title, row.kind, row.status, row.is_preview, row.duration_seconds))
        if row.progress_id is not None:
            progress[row.id] = Kept(row.completed_at, row.position_seconds, row.watched_seconds, row.watch_seconds, row.seen_at)
    return Outline(list(parts.values()), progress)
