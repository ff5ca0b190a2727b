"""Every change in chat, split by noun: posting, moderation, asking, and how a room is told of it."""

from lms.chat.operations.asking import answer_question, lower_hands, raise_hand, react, reopen_question, vote
from lms.chat.operations.moderation import (
    add_word,
    ban_person,
    block_links,
    lift_ban,
    mute_person,
    pause_room,
    pin_message,
    remove_word,
    slow_room,
)
from lms.chat.operations.posting import (
    MOST_A_MINUTE,
    Posted,
    announce_messages,
    clean,
    delete_message,
    flag_message,
    insist,
    post_message,
)
from lms.chat.operations.telling import make_room, make_ticket, tell_room, tell_typing, topic_of, use_ticket

__all__ = [
    "MOST_A_MINUTE",
    "Posted",
    "add_word",
    "announce_messages",
    "answer_question",
    "ban_person",
    "block_links",
    "clean",
    "delete_message",
    "flag_message",
    "insist",
    "lift_ban",
    "lower_hands",
    "make_room",
    "make_ticket",
    "mute_person",
    "pause_room",
    "pin_message",
    "post_message",
    "raise_hand",
    "react",
    "remove_word",
    "reopen_question",
    "slow_room",
    "tell_room",
    "tell_typing",
    "topic_of",
    "use_ticket",
    "vote",
]
