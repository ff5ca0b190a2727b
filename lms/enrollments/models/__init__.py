"""The tables of enrollments: `enrolled` who may learn and how they came, `batches` dated runs, `watching` what was done in each lesson."""

from lms.enrollments.models.batches import BatchInstructor, CourseBatch, VoucherPlace, Wait
from lms.enrollments.models.enrolled import (
    ANSWER_LIVES,
    REQUEST_LIVES,
    SOURCES,
    STATUSES,
    Enrollment,
    Link,
    LinkCourse,
    LinkUse,
    Request,
)
from lms.enrollments.models.watching import ENOUGH, REPLAY_PART_MS, LessonProgress, Note, Replay, WatchDay

__all__ = [
    "ANSWER_LIVES",
    "ENOUGH",
    "REPLAY_PART_MS",
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
    "Note",
    "Replay",
    "Request",
    "VoucherPlace",
    "Wait",
    "WatchDay",
]
