"""Door 3: the room of a live class, to read and write in without a socket."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.channels.models import Member
from lms.channels.queries import get_member
from lms.chat import operations, policies, queries
from lms.chat.models import LONGEST_ANSWER, LONGEST_TEXT, SLOWEST_SECONDS
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.streaming.queries import Standing, get_standing
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Query, endpoint

bp = Blueprint("chat_api", __name__, url_prefix="/api/v1/chat")


class MessagesQuery(Query):
    """The messages after a number (0: from the first); without it, the newest."""

    after: Annotated[int, Field(ge=0, le=2**53)] | None = None
    size: Annotated[int, Field(ge=1, le=200)] = 100


class QuoteAnswer(Answer):
    """The message another one answers: its number, its author, and how it begins."""

    seq: int
    name: str
    text: str


class MessageAnswer(Answer):
    """One message; the text of a deleted one is empty."""

    id: UUID
    seq: int
    author_id: UUID
    author_name: str
    author_role: str
    text: str
    posted_at: datetime
    is_deleted: bool
    is_question: bool
    reply: QuoteAnswer | None


class MessageList(Answer):
    """Messages, oldest first; go on after the last one's `seq`."""

    rows: list[MessageAnswer]


class MessageRequest(Body):
    """One message; the same `client_id` again posts it once."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    client_id: UUID | None = None
    reply_seq: Annotated[int, Field(ge=1, le=2**53)] | None = None
    is_question: bool = False


class FlagRequest(Body):
    """Why a message is reported."""

    reason: Annotated[str, Field(max_length=500)] = ""


@bp.get("/rooms/<uuid:room_id>/messages")
@endpoint()
def rooms_messages(room_id: UUID, query: MessagesQuery) -> MessageList:
    """The messages of a class's room."""
    allow(policies.can_read(actor(), _standing(room_id)))
    lines = (
        queries.last_lines(room_id, limit=query.size)
        if query.after is None
        else queries.lines_after(room_id, query.after, limit=query.size)
    )
    return MessageList(rows=[MessageAnswer.model_validate(line) for line in lines])


@bp.post("/rooms/<uuid:room_id>/messages")
@endpoint(status=201)
def rooms_messages_create(room_id: UUID, body: MessageRequest) -> MessageAnswer:
    """Post a message."""
    allow(policies.can_read(actor(), _standing(room_id)))
    posted = operations.post_message(
        room_id, body.text, client_id=body.client_id or uuid7(), by=actor(), reply_seq=body.reply_seq, is_question=body.is_question
    )
    return MessageAnswer.model_validate(posted.line)


@bp.post("/rooms/<uuid:room_id>/messages/<int:seq>/delete")
@endpoint(status=204)
def rooms_messages_delete(room_id: UUID, seq: int) -> None:
    """Take a message out of sight."""
    standing = _standing(room_id)
    allow(policies.can_read(actor(), standing))
    message = queries.get_message(room_id, seq)
    allow(policies.can_delete(actor(), message.author_id, standing.session, standing.instructor_id))
    operations.delete_message(message, by=actor())


@bp.post("/rooms/<uuid:room_id>/messages/<int:seq>/flag")
@endpoint(status=204)
def rooms_messages_flag(room_id: UUID, seq: int, body: FlagRequest) -> None:
    """Report a message to the moderators."""
    allow(policies.can_read(actor(), _standing(room_id)))
    operations.flag_message(queries.get_message(room_id, seq), reason=body.reason, by=actor())


class SignRequest(Body):
    """A sign on a message: set it, or take it away."""

    sign: Annotated[str, Field(min_length=1, max_length=8)]
    on: bool = True


class SignsAnswer(Answer):
    """How often each sign stands on the message."""

    signs: dict[str, int]


class SwitchRequest(Body):
    """On or off."""

    on: bool


class VotesAnswer(Answer):
    """How many want the question answered."""

    votes: int


class QuestionAnswer(Answer):
    """One question of a class: who asked, how many want it answered, and the answer."""

    seq: int
    author_id: UUID
    author_name: str
    text: str
    posted_at: datetime
    votes: int
    answer: str
    answered_at: datetime | None


class QuestionList(Answer):
    """The questions of a class: open ones first, the most wanted before the others."""

    rows: list[QuestionAnswer]


class AnswerRequest(Body):
    """The answer in words (or none, when it was spoken); `on` false opens the question again."""

    answer: Annotated[str, Field(max_length=LONGEST_ANSWER)] = ""
    on: bool = True


class RulesRequest(Body):
    """The rules of a room; what is left out stays."""

    slow_seconds: Annotated[int, Field(ge=0, le=SLOWEST_SECONDS)] | None = None
    links_blocked: bool | None = None
    is_paused: bool | None = None


class RulesAnswer(Answer):
    """The rules of a room."""

    slow_seconds: int
    links_blocked: bool
    is_paused: bool
    pinned_seq: int | None


class PinRequest(Body):
    """The number of the message to pin; null takes the pin away."""

    seq: Annotated[int, Field(ge=1, le=2**53)] | None


class MuteRequest(Body):
    """Who only reads, for how many minutes; 0 ends it."""

    user_id: UUID
    minutes: Annotated[int, Field(ge=0, le=24 * 60)]


class BanRequest(Body):
    """Who is banned (`on`) or let in again: of this room, or of every room of the channel."""

    user_id: UUID
    on: bool = True
    everywhere: bool = False


class WordRequest(Body):
    """One word to keep out of every chat."""

    word: Annotated[str, Field(min_length=1, max_length=120)]


class WordAnswer(Answer):
    """A word no message may hold, as words are compared."""

    id: UUID
    word: str


class WordList(Answer):
    """The words no message may hold."""

    rows: list[WordAnswer]


@bp.post("/rooms/<uuid:room_id>/messages/<int:seq>/signs")
@endpoint()
def rooms_messages_signs(room_id: UUID, seq: int, body: SignRequest) -> SignsAnswer:
    """Set a sign on a message, or take it away."""
    _take_part(room_id)
    return SignsAnswer(signs=operations.react(queries.get_message(room_id, seq), body.sign, on=body.on, by=actor()))


@bp.get("/rooms/<uuid:room_id>/questions")
@endpoint()
def rooms_questions(room_id: UUID) -> QuestionList:
    """The questions of a class."""
    allow(policies.can_read(actor(), _standing(room_id)))
    return QuestionList(rows=[QuestionAnswer.model_validate(one) for one in queries.questions_of(room_id, actor().user_id)])


@bp.post("/rooms/<uuid:room_id>/questions/<int:seq>/vote")
@endpoint()
def rooms_questions_vote(room_id: UUID, seq: int, body: SwitchRequest) -> VotesAnswer:
    """Want a question answered, or no longer."""
    _take_part(room_id)
    question, message = queries.get_question(room_id, seq)
    allow(policies.can_vote(actor(), message.author_id, is_answered=question.answered_at is not None))
    return VotesAnswer(votes=operations.vote(question, message, on=body.on, by=actor()))


@bp.post("/rooms/<uuid:room_id>/questions/<int:seq>/answer")
@endpoint(status=204)
def rooms_questions_answer(room_id: UUID, seq: int, body: AnswerRequest) -> None:
    """Answer a question, or mark it unanswered."""
    _moderate(room_id)
    question, message = queries.get_question(room_id, seq)
    if body.on:
        operations.answer_question(question, message, text=body.answer, by=actor())
    else:
        operations.reopen_question(question, message, by=actor())


@bp.get("/rooms/<uuid:room_id>/rules")
@endpoint()
def rooms_rules(room_id: UUID) -> RulesAnswer:
    """The rules of a room and its pin."""
    allow(policies.can_read(actor(), _standing(room_id)))
    return RulesAnswer.model_validate(queries.get_room(room_id))


@bp.post("/rooms/<uuid:room_id>/rules")
@endpoint()
def rooms_rules_edit(room_id: UUID, body: RulesRequest) -> RulesAnswer:
    """Change the pace of a room, whether it takes links, whether it is paused."""
    _moderate(room_id)
    if body.slow_seconds is not None:
        operations.slow_room(room_id, seconds=body.slow_seconds, by=actor())
    if body.links_blocked is not None:
        operations.block_links(room_id, on=body.links_blocked, by=actor())
    if body.is_paused is not None:
        operations.pause_room(room_id, on=body.is_paused, by=actor())
    return RulesAnswer.model_validate(queries.get_room(room_id))


@bp.post("/rooms/<uuid:room_id>/pin")
@endpoint(status=204)
def rooms_pin(room_id: UUID, body: PinRequest) -> None:
    """Pin a message above the others, or take the pin away."""
    _moderate(room_id)
    operations.pin_message(room_id, queries.get_message(room_id, body.seq) if body.seq else None, by=actor())


@bp.post("/rooms/<uuid:room_id>/mutes")
@endpoint(status=204)
def rooms_mutes(room_id: UUID, body: MuteRequest) -> None:
    """Let a person only read for some minutes, or write again."""
    standing, person = _silence(room_id, body.user_id)
    operations.mute_person(standing, person, minutes=body.minutes, by=actor())


@bp.post("/rooms/<uuid:room_id>/bans")
@endpoint(status=204)
def rooms_bans(room_id: UUID, body: BanRequest) -> None:
    """Ban a person from a room or from every room, or let them in again."""
    _standing_there, person = _silence(room_id, body.user_id)
    if body.everywhere:
        allow(policies.can_ban_everywhere(actor(), person.role))
    act = operations.ban_person if body.on else operations.lift_ban
    act(person, room_id=None if body.everywhere else room_id, by=actor())


@bp.get("/words")
@endpoint()
def words() -> WordList:
    """The words no message of the channel may hold."""
    allow(policies.can_rule_words(actor()))
    return WordList(rows=[WordAnswer.model_validate(one) for one in queries.words_here()])


@bp.post("/words")
@endpoint(status=201)
def words_create(body: WordRequest) -> WordAnswer:
    """Keep a word out of every chat."""
    allow(policies.can_rule_words(actor()))
    return WordAnswer.model_validate(operations.add_word(body.word, by=actor()))


@bp.post("/words/<uuid:word_id>/remove")
@endpoint(status=204)
def words_remove(word_id: UUID) -> None:
    """Let a word be said again."""
    word = queries.get_word(word_id)
    allow(policies.can_rule_words(actor()))
    operations.remove_word(word, by=actor())


def _take_part(room_id: UUID) -> None:
    standing = _standing(room_id)
    allow(policies.can_take_part(actor(), standing, queries.silence_of(room_id, actor().user_id), at=now()))


def _moderate(room_id: UUID) -> Standing:
    standing = _standing(room_id)
    allow(policies.can_moderate(actor(), standing.session, standing.instructor_id))
    return standing


def _silence(room_id: UUID, user_id: UUID) -> tuple[Standing, Member]:
    standing, person = _moderate(room_id), get_member(user_id)
    allow(policies.can_silence(actor(), person.id, person.role, standing.session, standing.instructor_id))
    return standing, person


def _standing(room_id: UUID) -> Standing:
    return get_standing(room_id, actor().user_id)
