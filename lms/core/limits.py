"""Rate limits: sliding windows in Redis; a limit that cannot be read lets reading pass and stops money and sign-in."""

import time
from typing import cast

import structlog

from lms.core.errors import TooMany, Unavailable
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.redis import RedisError, redis

log = structlog.get_logger(__name__)


def hit(name: str, key: str, *, most: int, seconds: int, sentence: str = "", fail_closed: bool = False) -> None:
    """Count one try of `key` under the limit `name`; raises TooMany past `most` tries in `seconds`.

    The key carries the channel where it matters. `fail_closed` raises Unavailable when Redis does not answer.
    """
    bucket = f"limit:{name}:{key}"
    moment = time.time()
    try:
        pipe = redis().pipeline()
        pipe.zremrangebyscore(bucket, 0, moment - seconds)
        pipe.zadd(bucket, {str(uuid7()): moment})
        pipe.zcard(bucket)
        pipe.zrange(bucket, 0, 0, withscores=True)
        pipe.expire(bucket, seconds)
        _gone, _added, count, oldest, _kept = pipe.execute()
    except RedisError as error:
        log.warning("limit_unread", limit=name, error=type(error).__name__)
        if fail_closed:
            raise Unavailable(_("This cannot be checked right now. Try again in a minute.")) from error
        return
    if count > most:
        wait = max(1, int(oldest[0][1] + seconds - moment)) if oldest else seconds
        raise TooMany(sentence or _("That was too often. Wait a little, then try again."), retry_after=wait)


def clear(name: str, key: str) -> None:
    """Forget the tries of a key."""
    try:
        redis().delete(f"limit:{name}:{key}")
    except RedisError as error:
        log.warning("limit_unread", limit=name, error=type(error).__name__)


def note(name: str, key: str, *, seconds: int) -> None:
    """Count one try of `key` without refusing it; for what is only counted once it has failed."""
    bucket = f"limit:{name}:{key}"
    try:
        pipe = redis().pipeline()
        pipe.zadd(bucket, {str(uuid7()): time.time()})
        pipe.expire(bucket, seconds)
        pipe.execute()
    except RedisError as error:
        log.warning("limit_unread", limit=name, error=type(error).__name__)


def tries(name: str, key: str, *, seconds: int) -> int:
    """How many tries of a key were counted in the last `seconds`; 0 when Redis does not answer."""
    try:
        return int(cast(int, redis().zcount(f"limit:{name}:{key}", time.time() - seconds, "+inf")))
    except RedisError as error:
        log.warning("limit_unread", limit=name, error=type(error).__name__)
        return 0


def take_back(name: str, key: str) -> None:
    """Forget the newest try of a key: it was none."""
    try:
        redis().zpopmax(f"limit:{name}:{key}")
    except RedisError as error:
        log.warning("limit_unread", limit=name, error=type(error).__name__)
