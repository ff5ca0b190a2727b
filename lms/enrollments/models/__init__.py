"""The tables of enrollments: `enrolled` for enrolments, progress and the ways in, `batches` for dated runs and their waitlists."""

from lms.enrollments.models.batches import BatchInstructor, CourseBatch, VoucherPlace, Wait
from lms.enrollments.models.enrolled import (
    ANSWER_LIVES,
    ENOUGH,
    REQUEST_LIVES,
    SOURCES,
    STATUSES,
    Enrollment,
    LessonProgress,
    Link,
    LinkCourse,
    LinkUse,
    Request,
    WatchDay,
)

__all__ = [
    "ANSWER_LIVES",
    "ENOUGH",
    "REQUEST_LIVES",
    "SOURCES",
    "STATUSES",
    "BatchInstructor",
    "CourseBatch",
    "Enrollment",
    "LessonProgress",
    "Link",
    "LinkCourse",
    "LinkUse",
    "Request",
    "VoucherPlace",
    "Wait",
    "WatchDay",
]
