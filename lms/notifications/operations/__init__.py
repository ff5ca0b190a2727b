"""Every change of notifications: telling people, what they have seen, what they wish to hear."""

from lms.notifications.operations.announcing import announce_lessons, note_lesson, quiet_until, remind_of_sessions
from lms.notifications.operations.broadcasting import (
    begin_sending,
    cancel_broadcast,
    collect_some,
    edit_broadcast,
    pause_broadcast,
    resume_broadcast,
    send_broadcast,
    send_some,
    send_to_chosen,
    take_back,
    write_broadcast,
)
from lms.notifications.operations.digesting import send_digests
from lms.notifications.operations.occasions import (
    tell_of_answer,
    tell_of_approval,
    tell_of_batch,
    tell_of_enrolment,
    tell_of_failed_file,
    tell_of_refund,
    tell_of_report,
    tell_of_session,
)
from lms.notifications.operations.reading import forget_old, mark_all_seen, mark_seen
from lms.notifications.operations.telling import CHUNK, bell_topic, occasion, tell
from lms.notifications.operations.wishing import (
    EVERYTHING,
    set_defaults,
    set_habit,
    set_wishes,
    unsubscribe,
    unsubscribe_token,
    who_unsubscribes,
)

__all__ = [
    "CHUNK",
    "EVERYTHING",
    "announce_lessons",
    "begin_sending",
    "bell_topic",
    "cancel_broadcast",
    "collect_some",
    "edit_broadcast",
    "forget_old",
    "mark_all_seen",
    "mark_seen",
    "note_lesson",
    "occasion",
    "pause_broadcast",
    "quiet_until",
    "remind_of_sessions",
    "resume_broadcast",
    "send_broadcast",
    "send_digests",
    "send_some",
    "send_to_chosen",
    "set_defaults",
    "set_habit",
    "set_wishes",
    "take_back",
    "tell",
    "tell_of_answer",
    "tell_of_approval",
    "tell_of_batch",
    "tell_of_enrolment",
    "tell_of_failed_file",
    "tell_of_refund",
    "tell_of_report",
    "tell_of_session",
    "unsubscribe",
    "unsubscribe_token",
    "who_unsubscribes",
    "write_broadcast",
]
