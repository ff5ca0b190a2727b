"""What the enrolments of courses add up to: one statement, read at once in a small channel and kept by a job in a big one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Select, and_, cast, func, literal, select

from lms.core import db
from lms.core.clock import now
from lms.courses.models import Course
from lms.enrollments.models import Enrollment

AT_ONCE = 20_000


def is_small() -> bool:
    """Whether the channel has so few enrolments that they are counted while somebody waits."""
    some = select(Enrollment.id).limit(AT_ONCE + 1).subquery()
    return int(db.session().scalar(select(func.count()).select_from(some)) or 0) <= AT_ONCE


def enrolled_courses() -> Sequence[UUID]:
    """The courses that have enrolments, whatever became of them."""
    has = select(Enrollment.id).where(Enrollment.course_id == Course.id).exists()
    return db.session().scalars(select(Course.id).where(has).order_by(Course.id)).all()


def course_figures(course_ids: Sequence[UUID] | None = None) -> Select[Any]:
    """The figures of each of these courses (of all), as the columns of `CourseFigures`: all enrolments ever made, ended ones included.

    Begun: a lesson was opened. The lesson where most stop is the last one of those who have not completed the course.
    """
    took = func.extract("epoch", Enrollment.completed_at - Enrollment.enrolled_at)
    has_stopped = and_(Enrollment.completed_at.is_(None), Enrollment.last_lesson_id.is_not(None))
    lesson = func.mode().within_group(Enrollment.last_lesson_id).filter(has_stopped)
    per_lesson = select(
        Enrollment.course_id,
        Enrollment.last_lesson_id,
        func.count().label("enrolled"),
        func.count(Enrollment.last_seen_at).label("started"),
        func.count(Enrollment.completed_at).label("completed"),
        func.count().filter(has_stopped).label("stopped"),
    ).group_by(Enrollment.course_id, Enrollment.last_lesson_id)
    medians = select(
        Enrollment.course_id,
        cast(func.percentile_cont(0.5).within_group(took.asc()).filter(Enrollment.completed_at.is_not(None)), BigInteger).label("median"),
        lesson.label("lesson"),
    ).group_by(Enrollment.course_id)
    if course_ids is not None:
        per_lesson, medians = (part.where(Enrollment.course_id.in_(course_ids)) for part in (per_lesson, medians))
    parts, middle = per_lesson.subquery("parts"), medians.subquery("middle")
    whole = [func.sum(parts.c[name]).label(name) for name in ("enrolled", "started", "completed")]
    return (
        select(
            parts.c.course_id,
            *(cast(total, BigInteger).label(total.name) for total in whole),
            middle.c.median.label("median_seconds"),
            middle.c.lesson.label("stopped_lesson_id"),
            cast(func.coalesce(func.max(parts.c.stopped), 0), BigInteger).label("stopped"),
            literal(now(), DateTime(timezone=True)).label("counted_at"),
        )
        .join(middle, middle.c.course_id == parts.c.course_id)
        .group_by(parts.c.course_id, middle.c.median, middle.c.lesson)
    )
