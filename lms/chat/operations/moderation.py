"""What moderators do to a room: its pace, its links, its pause, its pin; who only reads; which words are kept out."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from lms.channels.models import Member
from lms.chat import policies, queries
from lms.chat.errors import NoWord
from lms.chat.models import LONGEST_WORD, MOST_WORDS, SLOWEST_SECONDS, Ban, Message, Mute, Room, Word
from lms.chat.operations.telling import make_room, tell_room
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.streaming.queries import Standing


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


def ban_person(person: Member, *, room_id: UUID | None, by: Actor) -> None:
    """Close a room to a person, or (`room_id` None) every room of the channel; doing it twice changes nothing."""
    if room_id is not None:
        make_room(room_id)
    values = {"channel_id": current_channel(), "id": uuid7(), "room_id": room_id, "user_id": person.id}
    made = db.session().execute(
        insert(Ban).values(banned_by=by.user_id, created_at=now(), **values).on_conflict_do_nothing().returning(Ban.id)
    )
    if made.one_or_none() is None:
        return
    audit.record("chat.ban", person, by=by, after={"room_id": room_id})
    for one in [room_id] if room_id else queries.rooms_running():
        tell_room(one, {"k": "banned", "user": str(person.id), "on": True})


def lift_ban(person: Member, *, room_id: UUID | None, by: Actor) -> None:
    """Open a room, or every room of the channel, to a person again; doing it twice changes nothing."""
    of_it = Ban.room_id == room_id if room_id else Ban.room_id.is_(None)
    if not db.session().execute(delete(Ban).where(Ban.user_id == person.id, of_it).returning(Ban.id)).all():
        return
    audit.record("chat.lift_ban", person, by=by, after={"room_id": room_id})
    for one in [room_id] if room_id else queries.rooms_running():
        tell_room(one, {"k": "banned", "user": str(person.id), "on": False})


def slow_room(room_id: UUID, *, seconds: int, by: Actor) -> None:
    """Let everybody but the moderators write once in that many seconds; 0 lifts it."""
    room = _written(room_id)
    if audit.update(room, "chat.slow", by=by, slow_seconds=max(0, min(seconds, SLOWEST_SECONDS))):
        _tell_rules(room)


def block_links(room_id: UUID, *, on: bool, by: Actor) -> None:
    """Refuse messages with links, the moderators' apart; or take them again."""
    room = _written(room_id)
    if audit.update(room, "chat.links", by=by, links_blocked=on):
        _tell_rules(room)


def pause_room(room_id: UUID, *, on: bool, by: Actor) -> None:
    """Let nobody but the moderators write; or let everybody write again."""
    room = _written(room_id)
    if audit.update(room, "chat.pause", by=by, is_paused=on):
        _tell_rules(room)


def pin_message(room_id: UUID, message: Message | None, *, by: Actor) -> None:
    """Show one message above the others, for everybody; None takes the pin away. Raises Conflict for a deleted one."""
    if message is not None and message.deleted_at is not None:
        raise Conflict(_("This message was deleted. Pin another one."))
    room = _written(room_id)
    if audit.update(room, "chat.pin", by=by, pinned_seq=message.seq if message else None):
        line = queries.line_at(room_id, room.pinned_seq)
        tell_room(room_id, {"k": "pin", "line": line.news() if line else None})


def add_word(text: str, *, by: Actor) -> Word:
    """Keep a word out of every chat of the channel; adding it twice changes nothing. Raises NoWord."""
    word = policies.folded(" ".join(text.split()))
    if not word.strip("* ") or "*" in word[:-1] or len(word) > LONGEST_WORD:
        sentence = _("Write one word or a few, %(most)s letters at most; a star may stand at the end for any ending.", most=LONGEST_WORD)
        raise NoWord(sentence, fields={"word": sentence})
    known = {one.word: one for one in queries.words_here()}
    if word in known:
        return known[word]
    if len(known) >= MOST_WORDS:
        raise NoWord(_("The list holds %(most)s words at most. Take one away first.", most=MOST_WORDS))
    made = Word(word=word, added_by=by.user_id)
    db.session().add(made)
    db.session().flush()
    audit.record("chat.add_word", made, by=by, after={"word": word}, name=word)
    return made


def remove_word(word: Word, *, by: Actor) -> None:
    """Let a word be said again."""
    audit.record("chat.remove_word", word, by=by, before={"word": word.word}, name=word.word)
    db.session().delete(word)


def _written(room_id: UUID) -> Room:
    make_room(room_id)
    return db.session().get_one(Room, room_id)


def _tell_rules(room: Room) -> None:
    tell_room(room.id, {"k": "rules", **queries.rules_news(room)})
