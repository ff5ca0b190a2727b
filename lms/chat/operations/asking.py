"""Questions and their votes and answers, signs on messages, raised hands."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from lms.chat import queries
from lms.chat.models import SIGNS, Hand, Message, Question, Reaction, Vote
from lms.chat.operations.telling import make_room, tell_room
from lms.core import audit, db, limits
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel

MOST_CLICKS = 60


def vote(question: Question, message: Message, *, on: bool, by: Actor) -> int:
    """Want a question answered, or no longer; voting twice counts once. How many want it now."""
    _spare_the_room(by)
    values = {"channel_id": current_channel(), "id": uuid7(), "question_id": question.id, "user_id": by.user_id}
    made: Any = (
        insert(Vote).values(**values).on_conflict_do_nothing().returning(Vote.id)
        if on
        else delete(Vote).where(Vote.question_id == question.id, Vote.user_id == by.user_id).returning(Vote.id)
    )
    if db.session().execute(made).one_or_none() is None:
        return question.votes
    counted = update(Question).where(Question.id == question.id).values(votes=Question.votes + (1 if on else -1)).returning(Question.votes)
    votes = db.session().execute(counted).scalar_one()
    tell_room(question.room_id, {"k": "mark", "seq": message.seq, "v": votes})
    return votes


def answer_question(question: Question, message: Message, *, text: str, by: Actor) -> None:
    """Mark a question answered, with the answer in words where it was not only spoken; again to change the words."""
    values = {"answer": text.strip(), "answered_at": question.answered_at or now(), "answered_by": by.user_id}
    _answer(question, message, "chat.answer_question", values, by)


def reopen_question(question: Question, message: Message, *, by: Actor) -> None:
    """Mark a question unanswered again; the words of its answer stay for when it is."""
    _answer(question, message, "chat.reopen_question", {"answered_at": None, "answered_by": None}, by)


def _answer(question: Question, message: Message, action: str, values: dict[str, Any], by: Actor) -> None:
    before, after = audit.changes(question, values)
    if not after:
        return
    for key, value in after.items():
        setattr(question, key, value)
    audit.record(action, question, by=by, before=before, after=after, name=message.text[:80])
    tell_room(
        question.room_id, {"k": "mark", "seq": message.seq, "done": question.answered_at is not None, "answer": question.answer}
    )  # fmt: skip


def react(message: Message, sign: str, *, on: bool, by: Actor) -> dict[str, int]:
    """Set a sign on a message or take it away; doing it twice changes nothing. How often each sign stands on it now."""
    if sign not in SIGNS:
        raise Invalid(_("Choose one of the signs shown."))
    _spare_the_room(by)
    mine = (Reaction.message_id == message.id, Reaction.user_id == by.user_id, Reaction.sign == sign)
    values = {"channel_id": current_channel(), "id": uuid7(), "message_id": message.id, "user_id": by.user_id, "sign": sign}
    made: Any = (
        insert(Reaction).values(**values).on_conflict_do_nothing().returning(Reaction.id)
        if on
        else delete(Reaction).where(*mine).returning(Reaction.id)
    )
    changed = db.session().execute(made).one_or_none() is not None
    signs = queries.signs_on(message.id)
    if changed:
        tell_room(message.room_id, {"k": "mark", "seq": message.seq, "r": signs})
    return signs


def _spare_the_room(by: Actor) -> None:
    """Refuse more than 60 clicks a minute: each one is told to everybody."""
    sentence = _("That is more than 60 clicks in a minute. Take a breath.")
    limits.hit("chat_click", f"{current_channel()}:{by.user_id}", most=MOST_CLICKS, seconds=60, sentence=sentence)


def raise_hand(room_id: UUID, *, by: Actor) -> None:
    """Raise a hand, behind those raised before; raising it twice changes nothing."""
    _spare_the_room(by)
    make_room(room_id)
    values = {"channel_id": current_channel(), "id": uuid7(), "room_id": room_id, "user_id": by.user_id, "raised_at": now()}
    made = db.session().execute(insert(Hand).values(**values).on_conflict_do_nothing().returning(Hand.id))
    if made.one_or_none() is not None:
        tell_hands(room_id)


def lower_hands(room_id: UUID, user_id: UUID | None = None) -> None:
    """Lower one person's hand, or all."""
    whose = [Hand.room_id == room_id] if user_id is None else [Hand.room_id == room_id, Hand.user_id == user_id]
    if db.session().execute(delete(Hand).where(*whose).returning(Hand.id)).all():
        tell_hands(room_id)


def tell_hands(room_id: UUID) -> None:
    """Tell a room whose hands are up, in order."""
    tell_room(room_id, {"k": "hands", "hands": queries.hands_news(room_id)})
