"""What Redis knows of rooms: the newest lines and who is here. Never the only copy."""

import json
from collections.abc import Sequence
from uuid import UUID

from lms.channels.models import Member
from lms.channels.queries import members_by_id
from lms.chat.queries.lines import TAIL, last_lines, log
from lms.core.clock import now
from lms.core.redis import RedisError, redis
from lms.core.tenancy import current_channel

TAIL_SECONDS = 6 * 3600
MOST_LISTED = 200


def tail_key(room_id: UUID) -> str:
    """Where the newest lines of a room lie in Redis."""
    return f"chat:tail:{current_channel()}:{room_id}"


def presence_key(channel_id: UUID, room_id: UUID) -> str:
    """Where the people in a room lie in Redis: person → until when they count as here."""
    return f"chat:here:{channel_id}:{room_id}"


def tail_of(room_id: UUID, *, last_seq: int) -> list[tuple[int, bytes]]:
    """The newest lines of a room as (number, payload), oldest first: from the Redis list, rebuilt from PostgreSQL when it lacks any."""
    try:
        raw = [bytes(item) for item in redis().lrange(tail_key(room_id), 0, -1)]  # type: ignore[union-attr]
    except RedisError as error:
        log.warning("tail_unread", error=type(error).__name__)
        raw = []
    found = sorted({int(json.loads(item)["seq"]): item for item in raw}.items())
    wanted = list(range(max(1, last_seq - TAIL + 1), last_seq + 1))
    if [seq for seq, _item in found if seq <= last_seq][-len(wanted) :] == wanted:
        return found
    return rebuild_tail(room_id)


def rebuild_tail(room_id: UUID) -> list[tuple[int, bytes]]:
    """Fill the Redis list of a room from PostgreSQL; its lines as (number, payload), oldest first."""
    lines = [(line.seq, line.payload()) for line in last_lines(room_id, limit=TAIL)]
    if lines:
        try:
            pipe = redis().pipeline()
            pipe.delete(tail_key(room_id))
            pipe.rpush(tail_key(room_id), *(payload for _seq, payload in lines))
            pipe.expire(tail_key(room_id), TAIL_SECONDS)
            pipe.execute()
        except RedisError as error:
            log.warning("tail_unwritten", error=type(error).__name__)
    return lines


def here_count(room_id: UUID) -> int:
    """How many people are in a room now, over all processes; 0 when Redis is away."""
    try:
        return int(redis().zcount(presence_key(current_channel(), room_id), now().timestamp(), "+inf"))  # type: ignore[arg-type]
    except RedisError:
        return 0


def people_here(room_id: UUID) -> Sequence[Member]:
    """Who is in a room now, over all processes: teachers and admins first, then by name; 200 at most."""
    try:
        raw = redis().zrangebyscore(presence_key(current_channel(), room_id), now().timestamp(), "+inf", start=0, num=MOST_LISTED)
    except RedisError as error:
        log.warning("presence_unread", error=type(error).__name__)
        return []
    found = members_by_id([UUID(bytes(one).decode()) for one in raw])  # type: ignore[union-attr]
    return sorted(found.values(), key=lambda person: (person.role == "student", person.name.casefold()))
