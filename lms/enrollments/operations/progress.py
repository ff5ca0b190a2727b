"""Progress: lessons done, courses done, and the figure on the enrolment, which can always be computed again from the lessons."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.courses.models import Lesson
from lms.enrollments import queries
from lms.enrollments.errors import EnrollmentIsOver
from lms.enrollments.events import CourseCompleted, LessonCompleted
from lms.enrollments.models import Enrollment, LessonProgress


def mark_done(enrollment: Enrollment, lesson: Lesson, *, by: Actor, at: datetime | None = None) -> bool:
    """Count a lesson as done by the person's own word; false, and nothing changed, when it was done before."""
    if not enrollment.is_open:
        raise EnrollmentIsOver(_("Your enrolment in this course ended, so nothing more is kept."), rule="ended")
    moment = at or now()
    db.session().execute(
        insert(LessonProgress)
        .values(
            channel_id=enrollment.channel_id,
            enrollment_id=enrollment.id,
            user_id=enrollment.user_id,
            lesson_id=lesson.id,
            clock_at=moment,
            started_at=moment,
            seen_at=moment,
        )
        .on_conflict_do_nothing()
    )
    enrollment.last_lesson_id, enrollment.last_seen_at = lesson.id, moment
    return complete_lesson(enrollment.id, lesson.id, by=by, at=moment)


def complete_lesson(enrollment_id: UUID, lesson_id: UUID, *, by: Actor, at: datetime) -> bool:
    """Mark a begun lesson as done and bring the enrolment's figure up to date; true for the first time only."""
    enrollment = queries.lock_enrollment(enrollment_id)
    statement = (
        update(LessonProgress)
        .where(LessonProgress.enrollment_id == enrollment_id, LessonProgress.lesson_id == lesson_id, LessonProgress.completed_at.is_(None))
        .values(completed_at=at)
        .returning(LessonProgress.id)
        .execution_options(synchronize_session="fetch")
    )
    row_id = db.session().execute(statement).scalar_one_or_none()
    if row_id is None:
        return False
    audit.record("enrollments.complete_lesson", enrollment, by=by, after={"lesson_id": lesson_id})
    emit(
        LessonCompleted(
            by=by.user_id, enrollment_id=enrollment.id, lesson_id=lesson_id, user_id=enrollment.user_id, course_id=enrollment.course_id
        )
    )
    _settle(enrollment, by=by, at=at)
    return True


def recompute_progress(enrollment_id: UUID, *, by: Actor, at: datetime | None = None) -> int:
    """Compute an enrolment's figure again from its lessons, and return it; the same lessons always give the same figure."""
    enrollment = queries.lock_enrollment(enrollment_id)
    _settle(enrollment, by=by, at=at or now())
    return enrollment.progress


def recompute_course(course_id: UUID, *, by: Actor, at: datetime | None = None) -> int:
    """Bring the figures of everybody in a course up to date after its lessons changed; the number of figures that moved.

    Who has nothing left to do, because the last open lesson was taken away, completes the course now.
    """
    rows = db.session().execute(RECOUNT, {"course": course_id}).all()
    for row in rows:
        if row.progress == 100:
            _settle(queries.lock_enrollment(row.id), by=by, at=at or now())
    return len(rows)


def _settle(enrollment: Enrollment, *, by: Actor, at: datetime) -> None:
    """Write the figure of a locked enrolment; the first time it is full, the course is completed."""
    done, total = queries.count_lessons(enrollment)
    enrollment.progress = figure(done, total, completed=enrollment.completed_at is not None)
    if enrollment.progress < 100 or enrollment.completed_at is not None or enrollment.status != "active":
        return
    enrollment.status, enrollment.completed_at = "completed", at
    audit.record("enrollments.complete_course", enrollment, by=by, before={"status": "active"}, after={"status": "completed"})
    emit(CourseCompleted(by=by.user_id, enrollment_id=enrollment.id, user_id=enrollment.user_id, course_id=enrollment.course_id))


def figure(done: int, total: int, *, completed: bool) -> int:
    """Lessons done out of all, in whole per cent rounded down, so that 100 means all; a completed course stays at 100."""
    if completed:
        return 100
    return done * 100 // total if total else 0


RECOUNT = text(
    """
    WITH lessons AS (
        SELECT l.id FROM courses.lessons AS l JOIN courses.sections AS s ON s.id = l.section_id
        WHERE l.course_id = :course AND l.status = 'published' AND s.deleted_at IS NULL),
    counted AS (
        SELECT e.id, count(p.id) * 100 / greatest((SELECT count(*) FROM lessons), 1) AS progress
        FROM enrollments.enrollments AS e
        LEFT JOIN enrollments.lesson_progress AS p
            ON p.enrollment_id = e.id AND p.completed_at IS NOT NULL AND p.lesson_id IN (SELECT id FROM lessons)
        WHERE e.course_id = :course AND e.status = 'active' GROUP BY e.id)
    UPDATE enrollments.enrollments AS e SET progress = counted.progress FROM counted
    WHERE e.id = counted.id AND e.status = 'active' AND e.progress <> counted.progress
    RETURNING e.id, e.progress
    """
)
