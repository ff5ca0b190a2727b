"""A server that stops answering holds nobody up for long, and is found again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from lms.core.redis import RedisError, SparingPool, connect
from tests import servers


class Line:
    """A line to a real server that can fall silent: what is sent is taken, and no answer comes."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.is_silent = False
        self.asked = 0
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                near, _address = self.door.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.target)
            threading.Thread(target=self._ask, args=(near, far), daemon=True).start()
            threading.Thread(target=self._answer, args=(near, far), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket) -> None:
        while said := _read(near):
            self.asked += 1
            if not self.is_silent:
                far.sendall(said)
        far.close()

    def _answer(self, near: socket.socket, far: socket.socket) -> None:
        while said := _read(far):
            near.sendall(said)
        near.close()


def _read(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except OSError:
        return b""


@contextmanager
def a_line(redis_url: str) -> Iterator[tuple[Line, str]]:
    parts = urlsplit(redis_url)
    line = Line(parts.path)
    try:
        yield line, f"redis://{parts.netloc.replace('@', '')}@127.0.0.1:{line.door.getsockname()[1]}/0"
    finally:
        line.door.close()


def test_connect__leaves_a_silent_server_alone_and_finds_it_again(addresses: servers.TestServers) -> None:
    with a_line(addresses.redis_url) as (line, url):
        client = connect(url, patience=0.2)
        pool = client.connection_pool
        assert isinstance(pool, SparingPool)
        assert client.ping()
        line.is_silent = True
        with pytest.raises(RedisError, match="Timeout"):
            client.get("anything")
        pool._failed()  # others that asked at the same moment: the rest stays the first one
        assert pool._next_rest == 2 * pool.rest
        asked = line.asked
        for _ in range(20):
            with pytest.raises(RedisError, match="left alone"):
                client.get("anything")
        assert line.asked == asked, "nothing was sent while it was left alone"
        pool._silent_until = 0.0  # the rest is over
        with pytest.raises(RedisError, match="Timeout"):
            client.get("anything")
        line.is_silent = False
        pool._silent_until = 0.0
        assert client.ping()
        assert client.get("anything") is None
