"""What the audit log calls the acts in chat rooms, and which of them one click takes back."""

from typing import Any

from lms.chat import operations, policies, queries
from lms.chat.models import Room
from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.streaming.queries import get_standing


def _may(by: Actor, room: Room) -> Decision:
    standing = get_standing(room.id, by.user_id)
    return policies.can_moderate(by, standing.session, standing.instructor_id)


def _put(room: Room, values: dict[str, Any], by: Actor) -> None:
    if "slow_seconds" in values:
        operations.slow_room(room.id, seconds=values["slow_seconds"], by=by)
    if "links_blocked" in values:
        operations.block_links(room.id, on=values["links_blocked"], by=by)
    if "is_paused" in values:
        operations.pause_room(room.id, on=values["is_paused"], by=by)
    if "pinned_seq" in values:
        seq = values["pinned_seq"]
        operations.pin_message(room.id, queries.get_message(room.id, seq) if seq else None, by=by)


RULES = Revert(queries.get_room, _may, _put)
register(
    Deeds(
        "chat",
        _l("Chat"),
        {
            "chat.delete_message": Deed(_l("deleted a message"), "trash-2"),
            "chat.flag_message": Deed(_l("reported a message"), "flag"),
            "chat.mute": Deed(_l("changed whether the person may write"), "message-square"),
            "chat.ban": Deed(_l("banned the person from the chat"), "ban"),
            "chat.lift_ban": Deed(_l("let the person into the chat again"), "undo-2"),
            "chat.slow": Deed(_l("changed how often people may write"), "clock"),
            "chat.links": Deed(_l("changed whether messages may hold links"), "link"),
            "chat.pause": Deed(_l("changed whether everybody may write"), "pause"),
            "chat.pin": Deed(_l("changed the pinned message"), "pin"),
            "chat.add_word": Deed(_l("kept a word out of every chat"), "shield"),
            "chat.remove_word": Deed(_l("let a word be said again"), "undo-2"),
            "chat.answer_question": Deed(_l("answered a question"), "circle-check"),
            "chat.reopen_question": Deed(_l("opened a question again"), "circle-help"),
        },
        {
            "messages": Thing(_l("Message"), "/admin/chat/messages/{id}"),
            "rooms": Thing(_l("Room"), "/admin/chat/rooms/{id}"),
            "members": Thing(_l("Person"), "/admin/channels/people/{id}"),
            "questions": Thing(_l("Question"), "/admin/chat/messages/{id}"),
            "words": Thing(_l("Word"), "/admin/chat/words"),
        },
        {
            "reason": Label(_l("Reason")),
            "minutes": Label(_l("Minutes")),
            "slow_seconds": Label(_l("Seconds between messages")),
            "links_blocked": Label(_l("Links refused"), "bool"),
            "is_paused": Label(_l("Paused"), "bool"),
            "pinned_seq": Label(_l("Pinned message")),
            "word": Label(_l("Word")),
            "answer": Label(_l("Answer")),
            "answered_at": Label(_l("Answered"), "time"),
            "answered_by": Label(_l("By"), "person"),
            "deleted_by": Label(_l("By"), "person"),
        },
        {"chat.slow": RULES, "chat.links": RULES, "chat.pause": RULES, "chat.pin": RULES},
    )
)
