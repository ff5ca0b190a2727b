"""Every change to live classes: `planning` and series, `moving` from state to state, `attending`, `taking` what hosts send,
`recording` what becomes of it, and `feeds` for calendars."""

from lms.streaming.operations.attending import note_alive, note_join, note_joins, note_leave, note_page
from lms.streaming.operations.feeds import make_feed, revoke_feed
from lms.streaming.operations.moving import (
    cancel_following,
    cancel_session,
    end_session,
    keep_time,
    open_session,
    record_session,
    start_session,
)
from lms.streaming.operations.planning import edit_following, edit_session, schedule_series, schedule_session
from lms.streaming.operations.recording import (
    expect_recording,
    fail_recording,
    finish_recording,
    forget_old,
    keep_film,
    keep_rule,
    miss_recording,
    retry_recording,
)
from lms.streaming.operations.reporting import rebuild_visits, recompute_attendance, store_receipt, take_receipt
from lms.streaming.operations.taking import begin_take, end_take, end_takes, hang_up, mark_moment, show_picture, unmark_moment

__all__ = [
    "begin_take",
    "cancel_following",
    "cancel_session",
    "edit_following",
    "edit_session",
    "end_session",
    "end_take",
    "end_takes",
    "expect_recording",
    "fail_recording",
    "finish_recording",
    "forget_old",
    "hang_up",
    "keep_film",
    "keep_rule",
    "keep_time",
    "make_feed",
    "mark_moment",
    "miss_recording",
    "note_alive",
    "note_join",
    "note_joins",
    "note_leave",
    "note_page",
    "open_session",
    "rebuild_visits",
    "recompute_attendance",
    "record_session",
    "retry_recording",
    "revoke_feed",
    "schedule_series",
    "schedule_session",
    "show_picture",
    "start_session",
    "store_receipt",
    "take_receipt",
    "unmark_moment",
]
