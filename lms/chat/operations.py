"""Every change in chat: posting once and in order, deleting, reporting, muting, slowing down."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.channels.models import Member
from lms.chat import policies, queries
from lms.chat.errors import CannotPost, NoText, TooFast
from lms.chat.events import MessageDeleted, MessageFlagged, MessagePosted
from lms.chat.models import LONGEST_TEXT, SLOWEST_SECONDS, Flag, Message, Mute, Room
from lms.chat.queries import TAIL, TAIL_SECONDS, Held, Line, tail_key
from lms.core import audit, db, pubsub, tickets
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, NotFound, Refusal
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.redis import RedisError, redis
from lms.core.tenancy import current_channel
from lms.streaming.queries import Standing, get_standing

MOST_A_MINUTE = 100
TRIMMED_EACH = 50  # lines a room's tail grows by before it is cut again


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a message: its line, and whether this call made it (false: it was there already)."""

    line: Line
    is_new: bool


def topic_of(channel_id: UUID, room_id: UUID) -> str:
    """The topic on which a room's processes hear each other."""
    return f"chat:room:{channel_id}:{room_id}"


def make_room(room_id: UUID) -> None:
    """Have the room of a session; making it twice changes nothing."""
    db.session().execute(insert(Room).values(id=room_id, channel_id=current_channel()).on_conflict_do_nothing())


def post_message(room_id: UUID, text: str, *, client_id: UUID, by: Actor) -> Posted:
    """Add a message to the room of a session under the next number; the same `client_id` again gives the line there already is.

    Raises CannotPost, NoText or TooFast. The lock on the room makes numbers follow commits, so a cursor never skips a line.
    """
    words = clean(text)
    if by.user_id is None:
        raise CannotPost(_("Sign in to chat."), rule="sign_in")
    held = _hold(room_id, by.user_id)
    try:
        _check(held, by)
    except Refusal:
        if queries.line_of(room_id, by.user_id, client_id) is None:  # else it was sent before, and its confirmation lost on the way
            raise
    line = Line(uuid7(), held.last_seq + 1, by.user_id, by.name, by.role, client_id, words, now(), False)
    _join_session()
    if not db.rows(POST, id=line.id, room=room_id, author=line.author_id, client=client_id, text=words, at=line.posted_at):
        return Posted(_tell_again(room_id, client_id, by), False)
    _tell_line(room_id, line)
    return Posted(line, True)


# One statement under the room's lock: a message known already (by its author's own id for it) takes no number.
POST: Final = """
    WITH made AS (
        INSERT INTO chat.messages (channel_id, id, room_id, seq, author_id, client_id, text, posted_at)
        SELECT channel_id, %(id)s, id, last_seq + 1, %(author)s, %(client)s, %(text)s, %(at)s
        FROM chat.rooms WHERE channel_id = %(channel)s AND id = %(room)s
        ON CONFLICT DO NOTHING RETURNING seq)
    UPDATE chat.rooms SET last_seq = last_seq + 1 FROM made WHERE channel_id = %(channel)s AND id = %(room)s RETURNING made.seq
"""


def _join_session() -> None:
    """Have the session of this unit of work, when there is one, commit what goes past it: it commits what it took part in."""
    session = db.work()._session
    if session is not None:
        session.connection()


def _check(held: Held, by: Actor) -> None:
    """Raise CannotPost or TooFast unless this person may post now."""
    decision = policies.can_post(by, held.standing, muted_until=held.muted_until, at=now())
    if not decision:
        raise CannotPost(decision.sentence, rule=decision.rule)
    _keep_pace(held, by)


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


def _keep_pace(held: Held, by: Actor) -> None:
    """Refuse what comes too fast: 100 messages a minute for anybody, slow mode for all but the moderators."""
    if held.said >= MOST_A_MINUTE:
        raise TooFast(_("That is more than 100 messages in a minute. Take a breath."), retry_after=30)
    standing = held.standing
    if not held.slow_seconds or policies.can_moderate(by, standing.session, standing.instructor_id):
        return
    assert by.user_id is not None
    last = queries.last_post_at(standing.session.id, by.user_id)
    wait = held.slow_seconds - (now() - last).total_seconds() if last else 0
    if wait > 0:
        raise TooFast(_("Slow mode is on: one message each %(count)s seconds.", count=held.slow_seconds), retry_after=int(wait) + 1)


def _tell_line(room_id: UUID, line: Line) -> None:
    """After the commit: into the hot tail, and to every process."""
    key, topic, payload = tail_key(room_id), topic_of(current_channel(), room_id), line.payload()

    def tell() -> None:
        pubsub.subscriber.hear(topic, payload)
        try:
            pipe = redis().pipeline(transaction=False)
            (pipe.rpushx if line.seq > 1 else pipe.rpush)(key, payload)  # type: ignore[arg-type]
            if line.seq % TRIMMED_EACH == 1:
                pipe.ltrim(key, -TAIL, -1)
                pipe.expire(key, TAIL_SECONDS)
            pipe.publish(topic, payload)
            pipe.execute()
        except RedisError:
            queries.log.warning("message_untold", room_id=str(room_id))

    db.after_commit(tell)


def tell_room(room_id: UUID, news: dict[str, Any]) -> None:
    """Tell everybody in a room something that has no number, after the commit."""
    topic = topic_of(current_channel(), room_id)
    payload = json.dumps(news, ensure_ascii=False, separators=(",", ":")).encode()
    db.after_commit(lambda: pubsub.publish(topic, payload))


def delete_message(message: Message, *, by: Actor) -> None:
    """Take a message out of sight; its row stays for the moderators. Deleting twice changes nothing."""
    if message.deleted_at is not None:
        return
    audit.update(message, "chat.delete_message", by=by, deleted_at=now(), deleted_by=by.user_id or message.author_id)
    key, room_id = tail_key(message.room_id), message.room_id
    db.after_commit(lambda: _forget_tail(key))
    tell_room(room_id, {"k": "gone", "seq": message.seq})
    emit(MessageDeleted(by=by.user_id, message_id=message.id, room_id=room_id))


def _forget_tail(key: str) -> None:
    try:
        redis().delete(key)
    except RedisError:
        queries.log.warning("tail_unwritten")


def flag_message(message: Message, *, reason: str = "", by: Actor) -> bool:
    """Report a message to the moderators; reporting it again changes nothing. Whether this was the person's first report of it."""
    assert by.user_id is not None
    values = {
        "channel_id": current_channel(),
        "id": uuid7(),
        "message_id": message.id,
        "user_id": by.user_id,
        "reason": reason.strip()[:500],
    }
    made = db.session().execute(insert(Flag).values(created_at=now(), **values).on_conflict_do_nothing().returning(Flag.id))
    if made.one_or_none() is None:
        return False
    audit.record("chat.flag_message", message, by=by, after={"reason": reason.strip()[:500]})
    emit(
        MessageFlagged(
            by=by.user_id, message_id=message.id, room_id=message.room_id, author_id=message.author_id, reason=reason.strip()[:500]
        )
    )
    return True


def mute_person(standing: Standing, person: Member, *, minutes: int, by: Actor) -> None:
    """Let a person only read in the room for some minutes; 0 ends it."""
    room_id = standing.session.id
    make_room(room_id)
    until = now() + timedelta(minutes=max(0, min(minutes, 24 * 60)))
    values = {"channel_id": current_channel(), "id": uuid7(), "room_id": room_id, "user_id": person.id, "until_at": until}
    made = insert(Mute).values(muted_by=by.user_id, created_at=now(), **values)
    db.session().execute(
        made.on_conflict_do_update(index_elements=["channel_id", "room_id", "user_id"], set_={"until_at": until, "muted_by": by.user_id})
    )
    audit.record("chat.mute", person, by=by, after={"room_id": room_id, "minutes": minutes})
    tell_room(room_id, {"k": "muted", "user": str(person.id), "until": until.isoformat()})


def slow_room(standing: Standing, *, seconds: int, by: Actor) -> None:
    """Let everybody but the moderators write once in that many seconds; 0 lifts it."""
    room_id = standing.session.id
    make_room(room_id)
    room = db.session().get_one(Room, room_id)
    seconds = max(0, min(seconds, SLOWEST_SECONDS))
    if audit.update(room, "chat.slow", by=by, slow_seconds=seconds):
        tell_room(room_id, {"k": "slow", "seconds": seconds})


def announce_messages() -> int:
    """Tell the diary of the messages posted since the last time, one fact a room; the number of rooms."""
    rooms = queries.rooms_to_announce()
    for room in rooms:
        emit(MessagePosted(room_id=room.id, first_seq=room.announced_seq + 1, last_seq=room.last_seq))
        room.announced_seq = room.last_seq
    return len(rooms)


def make_ticket(room_id: UUID, session_digest: bytes, *, by: Actor) -> str:
    """A ticket for one handshake in the room."""
    return tickets.make_ticket(f"room:{room_id}", session_digest, by=by)


def use_ticket(ticket: str, room_id: UUID) -> bytes:
    """Spend a ticket for the room and return the digest of the sign-in it stands for."""
    return tickets.use_ticket(ticket, f"room:{room_id}")
