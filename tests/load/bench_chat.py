"""Chat under load: N sockets in one room, M messages a second, beside a bare asyncio broadcast server in the same run.

    python -m tests.load.bench_chat --sockets 1000 --seconds 15

prints JSON: latencies at the receivers, losses, doubles, connection rate, and CPU per delivery of both servers and their ratio.
"""

import argparse
import asyncio
import base64
import json
import os
import secrets
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import sqlalchemy as sa

from lms.app import wire
from lms.chat import operations as chat
from lms.config import url_for_role
from lms.core import db, schema, signing
from lms.core import tickets as handshakes
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.redis import use_redis
from tests import servers
from tests.chat.kit import free_port, sockets
from tests.conftest import CHANNEL, SECRET, _make_channels
from tests.factories.courses import a_course
from tests.factories.streaming import a_session

CONNECTING_AT_ONCE = 32
MARK = b'"text":"'
# The bare server sends as many bytes as the real one.
SOMEBODY, SOME_TIME = "01a1f99a-6f13-7c11-849c-713cd96631a9", "2026-11-20T15:36:51.277+00:00"


class Counted:
    """What all receivers saw together."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.seen = 0
        self.faults = 0
        self.refused: list[str] = []
        self.measuring = False


class Client(asyncio.Protocol):
    """One browser, as light as can be: counts text frames, reads the time a message carries, answers pings."""

    def __init__(self, counted: Counted, request: bytes, opened: "asyncio.Future[None]") -> None:
        self.counted, self.request, self.opened = counted, request, opened
        self.data = b""
        self.seqs: set[bytes] = set()
        self.is_ready = False

    def connection_made(self, transport: Any) -> None:
        """Shake hands."""
        self.transport = transport
        transport.write(self.request)

    def connection_lost(self, _error: Exception | None) -> None:
        """A line that breaks under load is a fault."""
        self.counted.faults += 1
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("lost"))

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        data = self.data + data if self.data else data
        if not self.is_ready:
            head, found, rest = data.partition(b"\r\n\r\n")
            if not found:
                self.data = data
                return
            if b" 101 " not in head:
                self.opened.set_exception(ConnectionError(head[:200].decode()))
                return
            self.is_ready, data = True, rest
            self.opened.set_result(None)
        at, end = 0, len(data)
        while at + 2 <= end:
            kind, size, head = data[at], data[at + 1], 2
            if size == 126:
                if at + 4 > end:
                    break
                size, head = data[at + 2] << 8 | data[at + 3], 4
            if at + head + size > end:
                break
            if kind == 0x81:
                self.take(data[at + head : at + head + size])
            elif kind == 0x89:
                self.transport.write(b"\x8a\x80" + b"\0\0\0\0")
            at += head + size
        self.data = data[at:]

    def take(self, frame: bytes) -> None:
        """Count one message."""
        at = frame.find(MARK)
        if frame.startswith(b'{"k":"no"'):
            self.counted.refused.append(frame[:200].decode())
        if at < 0 or not self.counted.measuring:
            return
        at += len(MARK)
        number, _, sent = frame[at : frame.index(b'"', at)].partition(b"@")
        self.counted.seen += 1
        self.counted.latencies.append(time.monotonic() - float(sent.split()[0]))
        if number in self.seqs:
            self.counted.faults += 1
        self.seqs.add(number)

    def say(self, number: int, pad: str) -> None:
        """Post one message that carries its number and the time."""
        words = f"{number}@{time.monotonic():.6f} {pad}"
        payload = json.dumps({"k": "say", "ref": str(uuid4()), "text": words}).encode()
        self.transport.write(b"\x81" + bytes([0x80 | 126]) + struct.pack("!H", len(payload)) + b"\0\0\0\0" + payload)


def handshake(port: int, path: str, ticket: str) -> bytes:
    """The opening request of a browser on the page at that port."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}", f"Origin: http://localhost:{port}", f"Sec-WebSocket-Protocol: lectern.1, ticket.{ticket}", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


async def drive(port: int, path: str, tickets: list[str], *, rate: float, seconds: float, process: psutil.Process) -> dict[str, Any]:
    """Connect everybody, let them settle, talk for some seconds, and count."""
    loop, counted, gate = asyncio.get_running_loop(), Counted(), asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def connect(ticket: str) -> Client:
        async with gate:
            opened: asyncio.Future[None] = loop.create_future()
            _, client = await loop.create_connection(lambda: Client(counted, handshake(port, path, ticket), opened), "127.0.0.1", port)
            await asyncio.wait_for(opened, 60)
            return client

    began = time.monotonic()
    clients = list(await asyncio.gather(*(connect(ticket) for ticket in tickets)))
    connected = time.monotonic() - began
    sys.stderr.write(f"{len(clients)} connected in {connected:.1f} s\n")
    await asyncio.sleep(6)
    counted.measuring = True
    counted.faults = 0
    posters = clients[:: max(1, len(clients) // 50)][:50]
    cpu, total = _cpu(process), int(rate * seconds)
    began = time.monotonic()
    for number in range(total):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        posters[number % len(posters)].say(number, "x" * 60)
    until = time.monotonic() + 30
    while counted.seen < total * len(clients) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    cpu = _cpu(process) - cpu
    took = max(seconds, time.monotonic() - began)
    counted.measuring = False
    faults = counted.faults
    for client in clients:
        client.transport.abort()
    for words in counted.refused[:3]:
        sys.stderr.write(f"{words}\n")
    latencies = sorted(counted.latencies) or [float("nan")]
    return {
        "sockets": len(clients),
        "connects_per_second": round(len(clients) / connected),
        "messages": total,
        "deliveries": counted.seen,
        "deliveries_per_second": round(counted.seen / took),
        "lost": total * len(clients) - counted.seen,
        "doubled_or_broken": faults,
        "refused": len(counted.refused),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p95_ms": round(latencies[int(len(latencies) * 0.95)] * 1000, 2),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 2),
        "max_ms": round(latencies[-1] * 1000, 2),
        "mean_ms": round(statistics.fmean(latencies) * 1000, 2),
        "server_cpu_seconds": round(cpu, 3),
        "cpu_us_per_delivery": round(cpu / max(counted.seen, 1) * 1e6, 2),
    }


def _cpu(process: psutil.Process) -> float:
    """User and system seconds of a process and its children so far."""
    found = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        found += times.user + times.system
    return found


# --- the floor ------------------------------------------------------------------------------------------------------------------


class Bare(asyncio.Protocol):
    """The least a broadcast server can do: shake hands, and write each message, encoded once, to everybody. Keeps nothing, checks nothing."""

    everybody: "set[asyncio.Transport]" = set()

    def connection_made(self, transport: Any) -> None:
        """Wait for the handshake."""
        self.transport, self.data, self.is_ready = transport, b"", False

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the line."""
        self.everybody.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Shake hands, then broadcast."""
        data = self.data + data
        if not self.is_ready:
            if b"\r\n\r\n" not in data:
                self.data = data
                return
            self.is_ready, self.data = True, b""
            self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            self.everybody.add(self.transport)
            return
        while len(data) >= 8:
            size = data[2] << 8 | data[3]
            if len(data) < 8 + size:
                break
            wish = json.loads(data[8 : 8 + size])
            payload = json.dumps(
                {
                    "k": "line",
                    "seq": 1,
                    "ref": wish["ref"],
                    "by": {"id": SOMEBODY, "name": "Student 100", "role": "student"},
                    "text": wish["text"],
                    "at": SOME_TIME,
                },
                separators=(",", ":"),
            ).encode()
            frame = struct.pack("!BBH", 0x81, 126, len(payload)) + payload
            for transport in self.everybody:
                transport.write(frame)
            data = data[8 + size :]
        self.data = data


async def serve_bare(port: int) -> None:
    """Run the floor."""
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


# --- the stage ------------------------------------------------------------------------------------------------------------------


@contextmanager
def a_full_house(people: int) -> Iterator[tuple[str, str, UUID, list[tuple[Actor, bytes]]]]:
    """A throwaway PostgreSQL and Valkey with a live class and that many students signed in: (database, redis, room, people)."""
    servers.begin(lambda url: schema.migrate(url, SECRET))
    try:
        found = servers.for_worker("main")
        use_redis(found.redis_url)
        signing.use_secret(SECRET)
        wire()
        owner = sa.create_engine(found.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
        with owner.connect() as made:
            _make_channels(made)
            made.commit()
        db.use_engines(
            db.Engines(
                app=db.make_engine(url_for_role(found.database_url, "lms_app", SECRET)),
                platform=db.make_engine(url_for_role(found.database_url, "lms_platform", SECRET)),
            )
        )
        with db.unit_of_work(CHANNEL):
            session = a_session(a_course(lessons=0), state="live")
            room_id, course_id = session.id, session.course_id
        students = []
        with owner.connect() as made:
            for number in range(people):
                user_id, sign_in, digest = uuid7(), uuid7(), secrets.token_bytes(32)
                values = {
                    "channel": CHANNEL,
                    "user": user_id,
                    "sign_in": sign_in,
                    "digest": digest,
                    "course": course_id,
                    "id": uuid7(),
                    "n": number,
                }
                for statement in PEOPLE:
                    made.execute(sa.text(statement), values)
                students.append((Actor(user_id=user_id, name=f"Student {number}", role="student", channel_id=CHANNEL), digest))
            made.commit()
        owner.dispose()
        sys.stderr.write(f"{people} people are here\n")
        yield found.database_url, found.redis_url, room_id, students
    finally:
        servers.end()


PEOPLE = (
    "INSERT INTO auth.users (id, email, email_key, name) VALUES (:user, 's' || :n || '@example.org', 's' || :n || '@example.org', 'Student ' || :n)",
    "INSERT INTO channels.members (channel_id, id, name, email, role) VALUES (:channel, :user, 'Student ' || :n, 's' || :n || '@example.org', 'student')",
    "INSERT INTO auth.sessions (channel_id, id, user_id, digest, expires_at) VALUES (:channel, :sign_in, :user, :digest, now() + interval '1 day')",
    "INSERT INTO enrollments.enrollments (channel_id, id, user_id, course_id, source) VALUES (:channel, :id, :user, :course, 'manual')",
)  # fmt: skip


def bench(count: int, seconds: float, rate: float) -> dict[str, Any]:
    """Both servers, one after the other, under the same clients."""
    with tempfile.TemporaryDirectory() as home, a_full_house(count) as (database_url, redis_url, room_id, people):
        with sockets(database_url, redis_url, Path(home)) as server:
            with db.unit_of_work(CHANNEL):
                handshakes.SECONDS = 600
                tickets = [chat.make_ticket(room_id, digest, by=actor) for actor, digest in people]
            assert server.process is not None
            process = psutil.Process(server.process.pid)
            lectern = asyncio.run(drive(server.port, f"/ws/chat/rooms/{room_id}", tickets, rate=rate, seconds=seconds, process=process))
            lectern["memory_mb"] = round(sum(one.memory_info().rss for one in process.children()) / 1e6)
            with db.unit_of_work(CHANNEL) as session:
                lectern["kept_in_postgresql"] = session.execute(sa.text("SELECT count(*) FROM chat.messages")).scalar_one()
        port = free_port()
        words = [sys.executable, "-m", "tests.load.bench_chat", "--bare", str(port)]
        with subprocess.Popen(words, env=dict(os.environ)) as bare:
            try:
                _wait_for(port)
                floor = asyncio.run(drive(port, "/", [""] * count, rate=rate, seconds=seconds, process=psutil.Process(bare.pid)))
            finally:
                bare.kill()
    ratio = round(lectern["cpu_us_per_delivery"] / floor["cpu_us_per_delivery"], 2)
    return {
        "bench": "chat",
        "rate": rate,
        "seconds": seconds,
        "lectern": lectern,
        "bare_asyncio": floor,
        "cpu_ratio": ratio,
        "load_average": os.getloadavg()[0],
    }


def _wait_for(port: int) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(port)


def main() -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--bare", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        asyncio.run(serve_bare(given.bare))
        return
    sys.stdout.write(json.dumps(bench(given.sockets, given.seconds, given.rate), indent=2) + "\n")


if __name__ == "__main__":
    main()
