"""The one connection pool to Redis or Valkey of this process, and its typed face."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import cast

import redis as client
import structlog
from redis.exceptions import RedisError

Redis = client.Redis
_pools: dict[str, "client.Redis"] = {}
_url: list[str] = []

__all__ = [
    "Redis", "RedisError", "connect", "forget_asked", "keep_number", "kept_number", "numbers_asked", "read", "read_with_numbers", "redis",
    "remembered", "use_redis",
]  # fmt: skip
_near: ContextVar[dict[str, bytes | None] | None] = ContextVar("near", default=None)  # the numbers this request has read
log = structlog.get_logger(__name__)


def connect(url: str, *, blocking: bool = False) -> "client.Redis":
    """A client of the server at the address; `blocking` ones may wait for ever (subscriptions, workers)."""
    pool = client.BlockingConnectionPool.from_url(
        url, max_connections=64, timeout=2, socket_connect_timeout=2, socket_timeout=None if blocking else 5
    )
    return client.Redis(connection_pool=pool)


def use_redis(url: str) -> None:
    """Make this the server of this process."""
    _url[:] = [url]


def redis(*, blocking: bool = False) -> "client.Redis":
    """The client of this process's server; raises RuntimeError before `use_redis`."""
    if not _url:
        raise RuntimeError("no Redis: create_app() or a test says where it is")
    key = f"{_url[0]} {blocking}"
    if key not in _pools:
        _pools[key] = connect(_url[0], blocking=blocking)
    return _pools[key]


def read(key: str) -> bytes | None:
    """The value of a key, None without one."""
    return cast("bytes | None", redis().get(key))  # the client's own types say it might be a coroutine


def read_with_numbers(key: str, numbers: Iterable[str]) -> bytes | None:
    """The value of a key and, in the same round trip, the numbers this request will probably ask for; begins a new request."""
    near: dict[str, bytes | None] = {}
    _near.set(near)
    wanted = list(numbers)
    if not wanted:
        return read(key)
    found, *kept = cast("list[bytes | None]", redis().mget(key, *wanted))
    near.update(zip(wanted, kept, strict=True))
    return found


def numbers_asked() -> tuple[str, ...]:
    """The keys of the numbers this request has asked for so far."""
    return tuple(_near.get() or ())


def forget_asked() -> None:
    """End the request: numbers are read anew from here on."""
    _near.set(None)


def remembered(key: str, count: Callable[[], int], *, seconds: int) -> int:
    """A number that is asked for often: kept for some seconds, counted anew afterwards, and each time while Redis is away."""
    kept = kept_number(key)
    if kept is not None:
        return kept
    found = count()
    keep_number(key, found, seconds=seconds)
    return found


def kept_number(key: str) -> int | None:
    """A number that was kept; None when it is gone, or Redis is."""
    near = _near.get()
    if near is not None and key in near:
        kept = near[key]
    else:
        try:
            kept = read(key)
        except RedisError as error:
            log.warning("number_not_kept", error=type(error).__name__)
            return None
        if near is not None:
            near[key] = kept
    return None if kept is None else int(kept)


def keep_number(key: str, number: int, *, seconds: int) -> None:
    """Keep a number for some seconds; without Redis it is not kept."""
    near = _near.get()
    if near is not None:
        near[key] = str(number).encode()
    try:
        redis().set(key, number, ex=seconds)
    except RedisError as error:
        log.warning("number_not_kept", error=type(error).__name__)
