"""What every page asks Redis is asked on the short way, and on the client's own where that fails."""

import socket
from collections.abc import Iterator

import pytest

from lms.core import redis as kernel
from lms.core.redis import RedisError, keep_number, kept_number, read, redis, use_redis

pytestmark = pytest.mark.usefixtures("connection")


@pytest.fixture
def key() -> Iterator[str]:
    """A key of this test's own."""
    yield "test:read"
    redis().delete("test:read")


def test_read__gives_the_bytes_of_a_key_however_long_and_none_without_one(key: str) -> None:
    assert read(key) is None
    for value in (b"", b"12", "ü\r\n$5\r\n".encode(), b"x" * 300_000):
        redis().set(key, value)
        assert read(key) == value


def test_read__goes_on_after_its_line_was_cut_and_where_the_key_holds_no_value(key: str) -> None:
    keep_number(key, 7, seconds=60)
    assert kept_number(key) == 7
    for line in kernel._lines[next(reversed(kernel._lines))]:
        line._sock.shutdown(socket.SHUT_RDWR)
    assert kept_number(key) == 7
    redis().delete(key)
    redis().rpush(key, "a list")
    with pytest.raises(RedisError):
        read(key)
    assert read("test:nothing") is None


def test_read__raises_what_the_client_raises_when_there_is_no_server() -> None:
    here = redis().connection_pool.connection_kwargs["path"]
    kept = kernel._url[0]
    use_redis("unix:///nowhere/at/all.sock")
    try:
        with pytest.raises(RedisError):
            read("x")
        assert kept_number("x") is None
    finally:
        use_redis(kept)
    assert redis().connection_pool.connection_kwargs["path"] == here
