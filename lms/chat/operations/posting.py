"""Posting once and in order, deleting, reporting, and the announcements of a minute."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.chat import policies, queries
from lms.chat.errors import CannotPost, NoText, TooFast
from lms.chat.events import MessageDeleted, MessageFlagged, MessagePosted
from lms.chat.models import LONGEST_TEXT, Flag, Message, Question
from lms.chat.operations.telling import forget_tail, make_room, tell_line, tell_room, topic_of
from lms.chat.queries import Held, Line
from lms.core import audit, db, pubsub
from lms.core.clock import now
from lms.core.decisions import Actor, Decision
from lms.core.errors import Conflict, NotFound, Refusal
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.streaming.queries import get_standing

MOST_A_MINUTE = 100


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a message: its line, and whether this call made it (false: it was there already)."""

    line: Line
    is_new: bool


def post_message(
    room_id: UUID, text: str, *, client_id: UUID, by: Actor, reply_seq: int | None = None, is_question: bool = False
) -> Posted:  # fmt: skip
    """Add a message to the room of a session under the next number; the same `client_id` again gives the line there already is.

    `reply_seq` is the number of the message it answers. Raises CannotPost, NoText, TooFast or NotFound.
    The lock on the room makes numbers follow commits, so a cursor never skips a line.
    """
    words = clean(text)
    if by.user_id is None:
        raise CannotPost(_("Sign in to chat."), rule="sign_in")
    held = _hold(room_id, by.user_id)
    try:
        _check(held, words, by)
        reply = queries.quote_of(room_id, reply_seq) if reply_seq else None
    except Refusal:
        known = queries.line_of(room_id, by.user_id, client_id)
        if known is None:  # else it was sent before, and its confirmation lost on the way
            raise
        return Posted(_tell_again(room_id, client_id, by), False)
    line = Line(uuid7(), held.last_seq + 1, by.user_id, by.name, by.role, client_id, words, now(), False, reply, is_question)
    if not db.rows(POST, room=room_id, **_values(line)):
        return Posted(_tell_again(room_id, client_id, by), False)
    if is_question:
        db.session().add(Question(id=line.id, room_id=room_id))
    tell_line(room_id, line)
    return Posted(line, True)


# One statement under the room's lock: a message known already (by its author's own id for it) takes no number.
POST: Final = """
    WITH made AS (
        INSERT INTO chat.messages (channel_id, id, room_id, seq, author_id, client_id, text, posted_at, reply_seq, is_question)
        SELECT channel_id, %(id)s, id, last_seq + 1, %(author)s, %(client)s, %(text)s, %(at)s, %(reply)s, %(question)s
        FROM chat.rooms WHERE channel_id = %(channel)s AND id = %(room)s
        ON CONFLICT DO NOTHING RETURNING seq)
    UPDATE chat.rooms SET last_seq = last_seq + 1 FROM made WHERE channel_id = %(channel)s AND id = %(room)s RETURNING made.seq
"""


def _values(line: Line) -> dict[str, object]:
    reply = line.reply.seq if line.reply else None
    return {
        "id": line.id, "author": line.author_id, "client": line.client_id, "text": line.text, "at": line.posted_at,
        "reply": reply, "question": line.is_question,
    }  # fmt: skip


def _check(held: Held, words: str, by: Actor) -> None:
    """Raise CannotPost or TooFast unless this person may post these words now."""
    may = policies.can_post(by, held.standing, held.silence, at=now())
    if may and may.rule != "moderator":
        may = may & policies.can_say(words, links_blocked=held.links_blocked, words=held.words)
    insist(may)
    _keep_pace(held, by, spared=may.rule == "moderator")


def insist(decision: Decision) -> None:
    """Raise CannotPost with the sentence of a refusal."""
    if not decision:
        raise CannotPost(decision.sentence, rule=decision.rule)


def _tell_again(room_id: UUID, client_id: UUID, by: Actor) -> Line:
    """The line posted before under that id, told once more; raises Conflict when it was posted in another room."""
    assert by.user_id is not None
    known = queries.line_of(room_id, by.user_id, client_id)
    if known is None:
        raise Conflict(_("This message was sent in another room already."))
    topic = topic_of(current_channel(), room_id)
    db.after_commit(lambda: pubsub.publish(topic, known.payload()))
    return known


def clean(text: str) -> str:
    """A message's words without control characters and the space around them; raises NoText when nothing or too much is left."""
    words = "".join(letter for letter in text if letter in "\n\t" or (ord(letter) >= 32 and letter not in "\x7f\u2028\u2029\u202e")).strip()
    if not words:
        raise NoText(_("Write something first."), fields={"text": _("Write something first.")})
    if len(words) > LONGEST_TEXT:
        sentence = _("A message takes %(most)s characters at most.", most=LONGEST_TEXT)
        raise NoText(sentence, fields={"text": sentence})
    return words


def _hold(room_id: UUID, user_id: UUID) -> Held:
    """The room locked for this post; made when it is missing. Raises NotFound when there is no such session."""
    held = queries.hold_room(room_id, user_id)
    if held is None:
        get_standing(room_id, user_id)
        make_room(room_id)
        held = queries.hold_room(room_id, user_id)
    if held is None:
        raise NotFound(_("There is no such live class."))
    return held


def _keep_pace(held: Held, by: Actor, *, spared: bool) -> None:
    """Refuse what comes too fast: 100 messages a minute for anybody, slow mode for all but the moderators."""
    if held.said >= MOST_A_MINUTE:
        raise TooFast(_("That is more than 100 messages in a minute. Take a breath."), retry_after=30)
    if not held.slow_seconds or spared:
        return
    assert by.user_id is not None
    last = queries.last_post_at(held.standing.session.id, by.user_id)
    wait = held.slow_seconds - (now() - last).total_seconds() if last else 0
    if wait > 0:
        sentence = _(
            "Slow mode is on: one message each %(count)s seconds. Send this one in %(wait)s.", count=held.slow_seconds, wait=int(wait) + 1
        )
        raise TooFast(sentence, retry_after=int(wait) + 1)


def delete_message(message: Message, *, by: Actor) -> None:
    """Take a message out of sight, and off the pin; its row stays for the moderators. Deleting twice changes nothing."""
    if message.deleted_at is not None:
        return
    audit.update(message, "chat.delete_message", by=by, deleted_at=now(), deleted_by=by.user_id or message.author_id)
    room_id, room = message.room_id, queries.get_room(message.room_id)
    if room.pinned_seq == message.seq:
        room.pinned_seq = None
        tell_room(room_id, {"k": "pin", "line": None})
    forget_tail(room_id)
    tell_room(room_id, {"k": "gone", "seq": message.seq})
    emit(MessageDeleted(by=by.user_id, message_id=message.id, room_id=room_id))


def flag_message(message: Message, *, reason: str = "", by: Actor) -> bool:
    """Report a message to the moderators; reporting it again changes nothing. Whether this was the person's first report of it."""
    assert by.user_id is not None
    reason = reason.strip()[:500]
    values = {"channel_id": current_channel(), "id": uuid7(), "message_id": message.id, "user_id": by.user_id, "reason": reason}
    made = db.session().execute(insert(Flag).values(created_at=now(), **values).on_conflict_do_nothing().returning(Flag.id))
    if made.one_or_none() is None:
        return False
    audit.record("chat.flag_message", message, by=by, after={"reason": reason})
    emit(MessageFlagged(by=by.user_id, message_id=message.id, room_id=message.room_id, author_id=message.author_id, reason=reason))
    return True


def announce_messages() -> int:
    """Tell the diary of the messages posted since the last time, one fact a room; the number of rooms."""
    rooms = queries.rooms_to_announce()
    for room in rooms:
        emit(MessagePosted(room_id=room.id, first_seq=room.announced_seq + 1, last_seq=room.last_seq))
        room.announced_seq = room.last_seq
    return len(rooms)
