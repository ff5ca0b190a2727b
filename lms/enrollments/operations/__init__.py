"""Every change of enrollments, split by noun: enrolments, watching, progress, refunds."""

from lms.enrollments.operations.enrolling import (
    buy_the_gift,
    end_enrollment,
    end_overdue,
    enroll_by_hand,
    enroll_by_voucher,
    enroll_by_wallet,
    enroll_the_buyer,
    restore_enrollment,
    shut_media,
)
from lms.enrollments.operations.progress import complete_lesson, mark_done, recompute_course, recompute_progress
from lms.enrollments.operations.refunding import follow_refund
from lms.enrollments.operations.watching import Beat, Played, begin_watching, record_beat

__all__ = [
    "Beat",
    "Played",
    "begin_watching",
    "buy_the_gift",
    "complete_lesson",
    "end_enrollment",
    "end_overdue",
    "enroll_by_hand",
    "enroll_by_voucher",
    "enroll_by_wallet",
    "enroll_the_buyer",
    "follow_refund",
    "mark_done",
    "recompute_course",
    "recompute_progress",
    "record_beat",
    "restore_enrollment",
    "shut_media",
]
