"""Every change of enrollments, split by noun: batches and their waitlists, enrolments, watching, progress, refunds."""

from lms.enrollments.operations.batches import (
    BatchSheet,
    cancel_batch,
    create_batch,
    delete_batch,
    edit_batch,
    purge_batch,
    reopen_batch,
    restore_batch,
    shifted,
)
from lms.enrollments.operations.enrolling import (
    buy_the_gift,
    end_enrollment,
    end_overdue,
    enroll_by_hand,
    enroll_by_voucher,
    enroll_by_wallet,
    enroll_the_buyer,
    move_enrollment,
    restore_enrollment,
    shut_media,
)
from lms.enrollments.operations.progress import complete_lesson, mark_done, recompute_course, recompute_progress
from lms.enrollments.operations.refunding import follow_refund
from lms.enrollments.operations.seats import batch_price, today
from lms.enrollments.operations.waiting import (
    join_waitlist,
    leave_waitlist,
    move_wait,
    offer_by_hand,
    offer_places,
    pass_on_offers,
    remove_wait,
)
from lms.enrollments.operations.watching import Beat, Played, begin_watching, record_beat

__all__ = [
    "BatchSheet",
    "Beat",
    "Played",
    "batch_price",
    "begin_watching",
    "buy_the_gift",
    "cancel_batch",
    "complete_lesson",
    "create_batch",
    "delete_batch",
    "edit_batch",
    "end_enrollment",
    "end_overdue",
    "enroll_by_hand",
    "enroll_by_voucher",
    "enroll_by_wallet",
    "enroll_the_buyer",
    "follow_refund",
    "join_waitlist",
    "leave_waitlist",
    "mark_done",
    "move_enrollment",
    "move_wait",
    "offer_by_hand",
    "offer_places",
    "pass_on_offers",
    "purge_batch",
    "recompute_course",
    "recompute_progress",
    "record_beat",
    "remove_wait",
    "reopen_batch",
    "restore_batch",
    "restore_enrollment",
    "shifted",
    "shut_media",
    "today",
]
