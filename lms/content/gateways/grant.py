"""Grants to play: short-lived keys in Redis, one for each channel, asset and viewer; nothing there is the only copy of a right."""

import time
from functools import cache
from typing import cast
from uuid import UUID

import structlog

from lms.core.errors import Unavailable
from lms.core.i18n import gettext as _
from lms.core.redis import RedisError, redis

GRANT_SECONDS = 300
SCREEN_SECONDS = 60  # after its last report a screen no longer counts
TAKE_SCREEN = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2] - ARGV[3])
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
log = structlog.get_logger(__name__)


class Grants:
    """Who may play what right now. A grant lives for its seconds unless renewed; shutting it works at once."""

    def open(self, channel_id: UUID, asset_id: UUID, viewer: str, user_id: UUID | None, seconds: int = GRANT_SECONDS) -> None:
        """Let a viewer play from now on; opening again renews. Without Redis nothing is kept, and playing goes by the ticket's age."""
        owner = str(user_id or "")
        index = self._index(channel_id, owner)
        try:
            pipe = redis().pipeline(transaction=False)
            pipe.set(self._key(channel_id, asset_id, viewer), owner, ex=seconds)
            pipe.sadd(index, f"{asset_id} {viewer}")
            pipe.expire(index, max(seconds, 86_400))
            pipe.execute()
        except RedisError as error:
            log.warning("grant_unkept", error=type(error).__name__)

    def stands(self, channel_id: UUID, asset_id: UUID, viewer: str, *, issued_at: int) -> bool:
        """Whether the grant is open. While Redis is away, tickets of the last five minutes still play; older ones raise Unavailable."""
        try:
            return bool(redis().exists(self._key(channel_id, asset_id, viewer)))
        except RedisError as error:
            log.warning("grant_unread", error=type(error).__name__)
            if time.time() - issued_at < GRANT_SECONDS:
                return True
            raise Unavailable(_("The video cannot be checked right now. Try again in a minute.")) from error

    def shut(self, channel_id: UUID, user_id: UUID, asset_ids: list[UUID] | None = None, *, viewer: str = "") -> int:
        """Shut a person's grants for these assets (None: for all), in every browser or for one viewer; the number shut."""
        index = self._index(channel_id, str(user_id))
        wanted = None if asset_ids is None else {str(asset_id) for asset_id in asset_ids}
        shut = 0
        try:
            for member in cast("set[bytes]", redis().smembers(index)):
                asset_id, _space, holder = member.decode().partition(" ")
                if (wanted is None or asset_id in wanted) and viewer in ("", holder):
                    shut += cast(int, redis().delete(self._key(channel_id, UUID(asset_id), holder)))
                    redis().srem(index, member)
        except RedisError as error:
            log.warning("grant_unshut", error=type(error).__name__)
        return shut

    def take_screen(self, channel_id: UUID, user_id: UUID, viewer: str, most: int) -> bool:
        """Count a viewer among the screens a person watches on; false when there are as many others. Without Redis nobody is refused."""
        try:
            return bool(redis().eval(TAKE_SCREEN, 1, f"content:screens:{channel_id}:{user_id}", viewer, time.time(), SCREEN_SECONDS, most))
        except RedisError as error:
            log.warning("screen_uncounted", error=type(error).__name__)
            return True

    def _key(self, channel_id: UUID, asset_id: UUID, viewer: str) -> str:
        return f"content:grant:{channel_id}:{viewer}:{asset_id}"

    def _index(self, channel_id: UUID, owner: str) -> str:
        return f"content:granted:{channel_id}:{owner}"


@cache
def grants() -> Grants:
    """The grants of this install."""
    return Grants()
