"""A real socket process for tests, and people who talk to it."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from lms.auth import operations as accounts
from lms.auth import queries as auth_queries
from lms.channels import queries as channels
from lms.chat import operations as chat
from lms.config import ROOT
from lms.core import db
from lms.core.decisions import Actor
from lms.core.ids import token
from lms.web.sessions import digest_of
from tests.conftest import CHANNEL, SECRET


def free_port() -> int:
    """A port nobody listens on, below those the system hands out to clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass(slots=True)
class SocketServer:
    """One socket process; `kill` and `start` again at will: the port stays."""

    environ: dict[str, str]
    port: int
    worker: str = "gevent"
    process: "subprocess.Popen[bytes] | None" = None
    log: Path = field(default_factory=Path)

    def start(self) -> None:
        """Start it and wait until it answers."""
        config = "deploy/gunicorn_sockets.py"
        words = [sys.executable, "-m", "gunicorn", "--config", config, "--bind", f"127.0.0.1:{self.port}", "--graceful-timeout", "1"]
        if self.worker == "gthread":
            words[words.index(config)] = "deploy/gunicorn_pages.py"
            words += ["--workers", "1", "--threads", "16"]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*words, "wsgi:application"], env=self.environ, cwd=ROOT, stdout=out, stderr=out, start_new_session=True
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._answers():
                return
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.05)
        raise AssertionError("the socket process does not answer\n" + self.log.read_text()[-3000:])

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(20)
            try:
                probe.connect(("127.0.0.1", self.port))
                probe.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return bool(probe.recv(20))
            except OSError:
                return False

    def kill(self) -> None:
        """End it like a power cut: the master and its worker."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def url(self, room_id: UUID, after: int | None = None) -> str:
        """The address of a room."""
        return f"ws://localhost:{self.port}/ws/chat/rooms/{room_id}" + ("" if after is None else f"?after={after}")


@contextmanager
def sockets(database_url: str, redis_url: str, home: Path, *, worker: str = "gevent", production: bool = False) -> Iterator[SocketServer]:
    """A socket process on a test's database and Redis."""
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": SECRET.decode(),
        "LMS_HOME": str(home),
        "LMS_PORT": str(port - 1),
        "LMS_ENV": "production" if production else "development",
    }
    server = SocketServer(environ, port, worker, log=home / f"sockets-{port}.log")
    server.start()
    try:
        yield server
    finally:
        server.kill()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in: the actor, and the token and digest of the browser's session."""

    actor: Actor
    digest: bytes
    token: str


def signed_in(actor: Actor, *, staff: bool = False) -> Person:
    """Sign a person in, in the running unit of work."""
    made = token()
    digest = digest_of(made)
    assert actor.user_id is not None
    db.become(actor.user_id)
    accounts.start_session(auth_queries.get_user(actor.user_id), digest, staff=staff, address="", device="test")
    found = channels.actor_of_session(digest)
    assert found is not None
    return Person(found, digest, made)


def ticket(person: Person, room_id: UUID, channel_id: UUID = CHANNEL) -> str:
    """A ticket for one handshake."""
    with db.unit_of_work(channel_id):
        return chat.make_ticket(room_id, person.digest, by=person.actor)


def eventually(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to become true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.1)


_talks: "list[Talk]" = []


def hang_up() -> None:
    """Close every browser a test left open."""
    while _talks:
        _talks.pop().leave()


class Talk:
    """One browser in a room: it keeps every line it got, in order."""

    def __init__(self, address: str, **options: Any) -> None:
        self._line = connect(address, open_timeout=30, close_timeout=1, compression=None, max_size=None, **options)
        self.connection = self._line.__enter__()
        _talks.append(self)
        self.news: list[dict[str, object]] = []
        self.lines: list[dict[str, object]] = []

    def say(self, text: str, ref: str | None = None) -> str:
        """Send a message; its id."""
        ref = ref or str(uuid4())
        self.connection.send(json.dumps({"k": "say", "ref": ref, "text": text}))
        return ref

    def send(self, **wish: object) -> None:
        """Send anything."""
        self.connection.send(json.dumps(wish))

    def read(self, seconds: float = 30.0) -> dict[str, object] | None:
        """The next news, or None when nothing comes."""
        try:
            news = json.loads(self.connection.recv(timeout=seconds))
        except TimeoutError:
            return None
        self.news.append(news)
        if news["k"] == "line":
            self.lines.append(news)
        return news

    def until(self, kind: str, seconds: float = 30.0, **wanted: object) -> dict[str, object]:
        """Read on until such news comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            news = self.read(max(end - time.monotonic(), 0.01))
            if news and news["k"] == kind and all(news.get(key) == value for key, value in wanted.items()):
                return news
        refusals = [news for news in self.news if news["k"] == "no"]
        raise AssertionError(f"no {kind} {wanted} in {self.news[-5:]}, refused: {refusals}")

    def closed(self, seconds: float = 30.0) -> int:
        """The code the server closes with."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.read(max(end - time.monotonic(), 0.01))
        except ConnectionClosed as close:
            return close.rcvd.code if close.rcvd else 1006
        raise AssertionError("still open")

    def cut(self) -> None:
        """Lose the line, without a word."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Close the browser."""
        self._line.__exit__(None, None, None)


def come_in(
    server: SocketServer, person: Person, room_id: UUID, *, after: int | None = None, origin: str | None = "same", given: str | None = None
) -> Talk:
    """Take a ticket and open a socket."""
    pass_ = given if given is not None else ticket(person, room_id)
    origin = f"http://localhost:{server.port}" if origin == "same" else origin
    talk = Talk(server.url(room_id, after), subprotocols=["lectern.1", f"ticket.{pass_}"], origin=origin)
    talk.until("welcome")
    return talk


class Author:
    """Somebody who posts one message after the other and resends each until it is confirmed; now and then their line is cut."""

    def __init__(self, come: Callable[[int | None], Talk], number: int, *, most: int = 90) -> None:
        self.come, self.number, self.most = come, number, most
        self.sent: list[str] = []
        self.cut: set[str] = set()
        self.finish = threading.Event()

    def work(self, stop: threading.Event) -> None:
        """Post until told to finish."""
        talk: Talk | None = None
        while not self.finish.is_set() and len(self.sent) < self.most:
            ref, text = str(uuid4()), f"{self.number}-{len(self.sent)}"
            self.sent.append(text)
            while not stop.is_set():
                try:
                    talk = talk or self.come(None)
                    talk.say(text, ref)
                    if len(self.sent) % 3 == 0 and ref not in self.cut:
                        self.cut.add(ref)
                        talk.cut()
                    if self._confirmed(talk, ref):
                        break
                except (WebSocketException, OSError, AssertionError):
                    talk = None
                    time.sleep(random.uniform(0.05, 0.2))
            time.sleep(0.05)

    def _confirmed(self, talk: Talk, ref: str) -> bool:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            news = talk.read(1)
            if news and news.get("ref") == ref and news["k"] in ("line", "ack"):
                return True
        return False


class Reader:
    """Somebody who reads, and after each break resumes by the number of the last line; every so many lines their own line is cut.

    `away` holds the seconds of each break until they were back in the room.
    """

    def __init__(self, come: Callable[[int | None], Talk], *, cut_each: int = 8) -> None:
        self.come, self.cut_each = come, cut_each
        self.lines: list[dict[str, object]] = []
        self.away: list[float] = []

    def work(self, stop: threading.Event) -> None:
        """Read until told to stop."""
        lost_at: float | None = None
        while not stop.is_set():
            try:
                talk = self.come(int(str(self.lines[-1]["seq"])) if self.lines else 0)
                if lost_at is not None:
                    self.away.append(time.monotonic() - lost_at)
                    lost_at = None
                self.lines += talk.lines
                while not stop.is_set():
                    news = talk.read(0.5)
                    if news and news["k"] == "line":
                        self.lines.append(news)
                        if self.cut_each and len(self.lines) % self.cut_each == 0:
                            talk.cut()
            except (WebSocketException, OSError, AssertionError):
                lost_at = lost_at or time.monotonic()
                time.sleep(random.uniform(0.05, 0.2))

    def wait_for(self, seq: int) -> None:
        """Give it the time a browser would have to come back."""
        eventually(lambda: self.lines and self.lines[-1]["seq"] == seq)
