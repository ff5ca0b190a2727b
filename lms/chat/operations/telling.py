"""How a room is told what happened: after the commit, to every process that holds a seat in it."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.chat import queries
from lms.chat.models import Room
from lms.chat.queries import TAIL, TAIL_SECONDS, Line, tail_key
from lms.core import db, pubsub, tickets
from lms.core.decisions import Actor
from lms.core.redis import RedisError, redis
from lms.core.tenancy import current_channel

TRIMMED_EACH = 50  # lines a room's tail grows by before it is cut again


def topic_of(channel_id: UUID, room_id: UUID) -> str:
    """The topic on which a room's processes hear each other."""
    return f"chat:room:{channel_id}:{room_id}"


def make_room(room_id: UUID) -> None:
    """Have the room of a session; making it twice changes nothing."""
    db.session().execute(insert(Room).values(id=room_id, channel_id=current_channel()).on_conflict_do_nothing())


def tell_line(room_id: UUID, line: Line) -> None:
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


def forget_tail(room_id: UUID) -> None:
    """After the commit: drop the hot tail of a room, which is then read anew from PostgreSQL."""
    key = tail_key(room_id)

    def forget() -> None:
        try:
            redis().delete(key)
        except RedisError:
            queries.log.warning("tail_unwritten")

    db.after_commit(forget)


def tell_typing(room_id: UUID, *, by: Actor) -> None:
    """Tell a room at once that somebody writes; it is kept nowhere."""
    assert by.channel_id is not None
    news = {"k": "typing", "by": {"id": str(by.user_id), "name": by.name}}
    pubsub.publish(topic_of(by.channel_id, room_id), json.dumps(news, ensure_ascii=False, separators=(",", ":")).encode())


def make_ticket(room_id: UUID, session_digest: bytes, *, by: Actor) -> str:
    """A ticket for one handshake in the room."""
    return tickets.make_ticket(f"room:{room_id}", session_digest, by=by)


def use_ticket(ticket: str, room_id: UUID) -> bytes:
    """Spend a ticket for the room and return the digest of the sign-in it stands for."""
    return tickets.use_ticket(ticket, f"room:{room_id}")
