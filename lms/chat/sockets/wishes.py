"""What a person may wish through a socket besides saying something: each asks its rule, acts, and gives back what only they are told."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from lms.channels.queries import get_member
from lms.chat import operations, policies, queries
from lms.chat.operations import insist
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.streaming.queries import Standing

Told = dict[str, Any] | None
Wish = Callable[[Actor, Standing, dict[str, Any]], Told]


def delete(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Take a message out of sight."""
    message = queries.get_message(standing.session.id, int(wish["seq"]))
    insist(policies.can_delete(by, message.author_id, standing.session, standing.instructor_id))
    operations.delete_message(message, by=by)
    return None


def flag(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Report a message to the moderators."""
    insist(policies.can_read(by, standing))
    message = queries.get_message(standing.session.id, int(wish["seq"]))
    operations.flag_message(message, reason=str(wish.get("reason", "")), by=by)
    return {"k": "flagged", "seq": message.seq}


def react(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Set a sign on a message, or take it away."""
    _take_part(by, standing)
    message = queries.get_message(standing.session.id, int(wish["seq"]))
    sign, on = str(wish["sign"]), wish.get("on") is True
    operations.react(message, sign, on=on, by=by)
    return {"k": "mine", "seq": message.seq, "sign": sign, "on": on}


def vote(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Want a question answered, or no longer."""
    _take_part(by, standing)
    question, message = queries.get_question(standing.session.id, int(wish["seq"]))
    insist(policies.can_vote(by, message.author_id, is_answered=question.answered_at is not None))
    on = wish.get("on") is True
    operations.vote(question, message, on=on, by=by)
    return {"k": "mine", "seq": message.seq, "vote": on}


def hand(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Raise one's hand, or lower it."""
    if wish.get("on") is True:
        _take_part(by, standing)
        operations.raise_hand(standing.session.id, by=by)
    else:
        insist(policies.can_read(by, standing))
        operations.lower_hands(standing.session.id, by.user_id)
    return None


def pin(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Pin a message above the others; without a number, take the pin away."""
    _moderate(by, standing)
    message = queries.get_message(standing.session.id, int(wish["seq"])) if wish.get("seq") else None
    operations.pin_message(standing.session.id, message, by=by)
    return None


def mute(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Let a person only read for some minutes."""
    person = get_member(UUID(str(wish["user"])))
    insist(policies.can_silence(by, person.id, person.role, standing.session, standing.instructor_id))
    operations.mute_person(standing, person, minutes=int(wish.get("minutes", 10)), by=by)
    return {"k": "done", "what": "mute", "name": person.name}


def ban(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Close the room to a person."""
    person = get_member(UUID(str(wish["user"])))
    insist(policies.can_silence(by, person.id, person.role, standing.session, standing.instructor_id))
    operations.ban_person(person, room_id=standing.session.id, by=by)
    return {"k": "done", "what": "ban", "name": person.name}


def answered(by: Actor, standing: Standing, wish: dict[str, Any]) -> Told:
    """Mark a question answered, or unanswered again."""
    _moderate(by, standing)
    question, message = queries.get_question(standing.session.id, int(wish["seq"]))
    if wish.get("on") is True:
        operations.answer_question(question, message, text=question.answer, by=by)
    else:
        operations.reopen_question(question, message, by=by)
    return None


WISHES: dict[str, Wish] = {
    "delete": delete, "flag": flag, "react": react, "vote": vote, "hand": hand, "pin": pin, "mute": mute, "ban": ban, "answered": answered,
}  # fmt: skip


def _take_part(by: Actor, standing: Standing) -> None:
    silence = queries.silence_of(standing.session.id, by.user_id)
    insist(policies.can_take_part(by, standing, silence, at=now()))


def _moderate(by: Actor, standing: Standing) -> None:
    insist(policies.can_moderate(by, standing.session, standing.instructor_id))
