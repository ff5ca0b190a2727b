"""The one connection pool to Redis or Valkey of this process, and its typed face."""

import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, cast

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


class SparingPool(client.BlockingConnectionPool):
    """Connections of a server that may stop answering: it is then asked by one request after each rest, and all others hear at once.

    Without that every page would wait for the time-out of each thing it asks. The rests become longer, from two seconds to eight.
    """

    rest, longest_rest = 2.0, 8.0  # seconds

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]
        self._silent_until: float | None = None
        self._next_rest = self.rest

    def get_connection(self, *_: Any, **_options: Any) -> Any:
        """A connection, or ConnectionError while the server is left alone."""
        if self._silent_until is not None:
            if time.monotonic() < self._silent_until:
                raise client.ConnectionError("Redis did not answer a moment ago and is left alone.")
            self._leave_alone()  # all but this one, which tries
        try:
            return super().get_connection()  # type: ignore[no-untyped-call]
        except RedisError:
            self._failed()
            raise

    def release(self, connection: Any) -> None:
        """Take a connection back; one that lost its line says that the server is not to be asked for a while."""
        is_well = connection._sock is not None
        super().release(connection)  # type: ignore[no-untyped-call]
        if is_well:
            self._silent_until, self._next_rest = None, self.rest
        else:
            self._failed()

    def _failed(self) -> None:
        if self._silent_until is None:  # of many that fail at once the first begins the rest, and none makes it longer
            self._leave_alone()

    def _leave_alone(self) -> None:
        self._silent_until = time.monotonic() + self._next_rest
        self._next_rest = min(2 * self._next_rest, self.longest_rest)


def connect(url: str, *, blocking: bool = False, patience: float = 2.0) -> "client.Redis":
    """A client of the server at the address; `blocking` ones may wait for ever (subscriptions, workers), others so many seconds."""
    kind = client.BlockingConnectionPool if blocking else SparingPool
    pool = kind.from_url(url, max_connections=64, timeout=2, socket_connect_timeout=2, socket_timeout=None if blocking else patience)
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
