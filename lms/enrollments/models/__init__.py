"""The tables of enrollments: `enrolled` who may learn and how they came, `batches` dated runs, `watching` what was done in each lesson."""

from lms.enrollments.models.batches import BatchInstructor, CourseBatch, MissedPlace, VoucherPlace, Wait
from lms.enrollments.models.enrolled import (
    ANSWER_LIVES,
    COMES_BACK,
    REQUEST_LIVES,
    SOURCES,
    STATUSES,
    Enrollment,
    Hire,
    Link,
    LinkCourse,
    LinkUse,
    Request,
)
from lms.enrollments.models.watching import ENOUGH, REPLAY_PART_MS, LessonProgress, Note, Replay, WatchDay

__all__ = [
    "ANSWER_LIVES",
    "COMES_BACK",
    "ENOUGH",
    "REPLAY_PART_MS",
    "REQUEST_LIVES",
    "SOURCES",
    "STATUSES",
    "BatchInstructor",
    "CourseBatch",
    "Enrollment",
    "Hire",
    "LessonProgress",
    "Link",
    "LinkCourse",
    "LinkUse",
    "MissedPlace",
    "Note",
    "Replay",
    "Request",
    "VoucherPlace",
    "Wait",
    "WatchDay",
]
