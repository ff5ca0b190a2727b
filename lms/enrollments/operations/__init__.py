"""Every change of enrollments, split by noun: enrolments, links and who comes by them, watching, progress,
refunds, requests.
"""

from lms.enrollments.operations.enrolling import (
    end_enrollment,
    end_overdue,
    enroll_by_hand,
    enroll_by_voucher,
    enroll_by_wallet,
    enroll_freely,
    enroll_the_buyer,
    restore_enrollment,
    shut_media,
)
from lms.enrollments.operations.joining import courses_to_join, enroll_through, find_key, join_courses, why_shut
from lms.enrollments.operations.links import (
    Terms,
    digest_of,
    edit_link,
    make_link,
    put_link,
    replace_link,
    restore_link,
    revoke_link,
)
from lms.enrollments.operations.progress import complete_lesson, mark_done, recompute_course, recompute_progress
from lms.enrollments.operations.refunding import follow_refund
from lms.enrollments.operations.requests import (
    approve_request,
    ask_to_enroll,
    expire_requests,
    refuse_request,
    reopen_request,
    settle_requests,
    withdraw_request,
)
from lms.enrollments.operations.watching import Beat, Played, begin_watching, record_beat

__all__ = [
    "Beat",
    "Played",
    "Terms",
    "approve_request",
    "ask_to_enroll",
    "begin_watching",
    "complete_lesson",
    "courses_to_join",
    "digest_of",
    "edit_link",
    "end_enrollment",
    "end_overdue",
    "enroll_by_hand",
    "enroll_by_voucher",
    "enroll_by_wallet",
    "enroll_freely",
    "enroll_the_buyer",
    "enroll_through",
    "expire_requests",
    "find_key",
    "follow_refund",
    "join_courses",
    "make_link",
    "mark_done",
    "put_link",
    "recompute_course",
    "recompute_progress",
    "record_beat",
    "refuse_request",
    "reopen_request",
    "replace_link",
    "restore_enrollment",
    "restore_link",
    "revoke_link",
    "settle_requests",
    "shut_media",
    "why_shut",
    "withdraw_request",
]
