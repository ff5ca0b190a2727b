"""The one connection pool to Redis or Valkey of this process, and its typed face."""

import os
from collections import deque
from collections.abc import Callable
from typing import Any

import redis as client
import structlog
from redis.exceptions import RedisError

Redis = client.Redis
_pools: dict[str, "client.Redis"] = {}
_url: list[str] = []

__all__ = ["Redis", "RedisError", "connect", "keep_number", "kept_number", "read", "redis", "remembered", "use_redis"]
READ_SIZE = 65536
MOST_LINES = 32  # kept open for `read` in each process
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


_lines: dict[tuple[int, str], deque[Any]] = {}  # of this process and server: connections on which nothing is under way


def read(key: str) -> bytes | None:
    """The value of a key, None without one: what every page asks, at a sixth of what the client's own way costs.

    Whatever goes wrong on the short way, the client's own way is asked again, with its patience and its errors.
    """
    free = _lines.setdefault((os.getpid(), _url[0] if _url else ""), deque())
    line = None
    try:
        line = free.pop() if free else _new_line()
        found = _got(line._sock, key.encode())
    except (OSError, RedisError, _Unreadable):
        if line is not None:
            line.disconnect()
        return redis().get(key)  # type: ignore[return-value]  # the client's own types say it might be a coroutine
    if len(free) < MOST_LINES:
        free.append(line)
    else:
        line.disconnect()
    return found


class _Unreadable(Exception):
    """An answer that is no value: an error, or a line that was cut."""


def _new_line() -> Any:
    pool = redis().connection_pool
    line: Any = pool.connection_class(**pool.connection_kwargs)
    line.connect()
    return line


def _got(sock: Any, key: bytes) -> bytes | None:
    """The answer to GET (RESP: `$length`, the bytes; length -1 for nothing)."""
    if sock is None:
        raise _Unreadable
    sock.sendall(b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(key), key))
    data: bytes = sock.recv(READ_SIZE)
    while data and b"\r\n" not in data:
        data += sock.recv(READ_SIZE) or b"!\r\n"
    head, _end, rest = data.partition(b"\r\n")
    if head in (b"$-1", b"_"):
        return None
    if not head.startswith(b"$"):
        raise _Unreadable
    size = int(head[1:])
    while len(rest) < size + 2:
        more = sock.recv(READ_SIZE)
        if not more:
            raise _Unreadable
        rest += more
    return rest[:size]


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
    try:
        kept = read(key)
    except RedisError as error:
        log.warning("number_not_kept", error=type(error).__name__)
        return None
    return None if kept is None else int(kept)


def keep_number(key: str, number: int, *, seconds: int) -> None:
    """Keep a number for some seconds; without Redis it is not kept."""
    try:
        redis().set(key, number, ex=seconds)
    except RedisError as error:
        log.warning("number_not_kept", error=type(error).__name__)
