"""Socket processes killed again and again while people write and read: nothing lost, nothing doubled, and how long they were cut off."""

import random
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from lms.app import connect
from lms.core import db
from tests.chat import kit
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.streaming import a_session, enrol
from tests.load.figure import Figure
from tests.load.stage import Stage

AUTHORS, READERS = 3, 6


def chat_kill(stage: Stage, quick: bool) -> list[Figure]:
    """Of two processes one and then the other is killed, 100 times in all (quick: 10) or as often as nine minutes allow (quick: two),
    like by a power cut; whoever was there comes back to whichever answers, as behind a proxy: authors resend what was not confirmed,
    readers resume by number."""
    connect(stage.config)
    kills, until = (10, time.monotonic() + 120) if quick else (100, time.monotonic() + 540)
    where = Path(stage.config.home)
    servers = [_server(stage, where, name) for name in ("one", "other")]
    starts: list[float] = []
    try:
        for server in servers:
            server.start()
        authors, readers, room_id = _class(stage, servers)
        stop = threading.Event()
        threads = [threading.Thread(target=one.work, args=(stop,)) for one in (*authors, *readers)]
        for thread in threads:
            thread.start()
        while len(starts) < kills and time.monotonic() < until:
            kill = len(starts)
            time.sleep(random.uniform(0.5, 1.0))
            began = time.monotonic()
            servers[kill % 2].kill()
            servers[kill % 2].start()
            starts.append(time.monotonic() - began)
        for author in authors:
            author.finish.set()
        for thread in threads[:AUTHORS]:
            thread.join(120)
        with db.unit_of_work(stage.channel_id) as session:
            found = session.execute(sa.text("SELECT seq, text FROM chat.messages WHERE room_id = :room ORDER BY seq"), {"room": room_id})
            kept = [(row.seq, row.text) for row in found]
        for reader in readers:
            reader.wait_for(kept[-1][0])
        stop.set()
        for thread in threads:
            thread.join(20)
    finally:
        kit.hang_up()
        for server in servers:
            server.kill()
    return _figures(len(starts), authors, readers, kept, starts)


def _server(stage: Stage, where: Path, name: str) -> kit.SocketServer:
    port = kit.free_port()
    return kit.SocketServer({"PATH": "/usr/bin:/bin", **stage.environ, "LMS_PORT": str(port - 1)}, port, log=where / f"{name}.log")


def _class(stage: Stage, servers: list[kit.SocketServer]) -> tuple[list[kit.Author], list[kit.Reader], object]:
    """A live class with those who write and those who read, half of them at each process to begin with."""
    with db.unit_of_work(stage.channel_id):
        session = a_session(a_course("Killed", lessons=0), state="live")
        actors = [people.a_student(f"Kill {number}") for number in range(AUTHORS + READERS)]
        for actor in actors:
            enrol(actor, session)
        here = [kit.signed_in(actor) for actor in actors]

    def comes(person: kit.Person, number: int) -> Callable[[int | None], kit.Talk]:
        def come(after: int | None) -> kit.Talk:
            for server in (servers[number % 2], servers[(number + 1) % 2]):
                with suppress(OSError):  # this one is away: the next
                    given = kit.ticket(person, session.id, stage.channel_id)
                    return kit.come_in(server, person, session.id, after=after, given=given)
            raise ConnectionError("both are away")

        return come

    authors = [kit.Author(comes(person, number), number, most=100_000) for number, person in enumerate(here[:AUTHORS])]
    readers = [kit.Reader(comes(person, number), cut_each=0) for number, person in enumerate(here[AUTHORS:])]
    return authors, readers, session.id


def _figures(
    kills: int, authors: list[kit.Author], readers: list[kit.Reader], kept: list[tuple[int, str]], starts: list[float]
) -> list[Figure]:
    sent = [text for author in authors for text in author.sent]
    texts = [text for _seq, text in kept]
    lost, doubled = len(set(sent) - set(texts)), len(texts) - len(set(texts))
    wrong = sum([(line["seq"], line["text"]) for line in reader.lines] != kept for reader in readers)
    away = sorted(second for reader in readers for second in reader.away) or [float("inf")]
    p95, middle = away[int(len(away) * 0.95)], statistics.median(starts)
    return [
        Figure(
            "chat-kill",
            f"a socket process killed {kills} times under {len(sent)} messages of {len(authors)} authors, {len(readers)} readers",
            f"{lost} lost, {doubled} doubled, {wrong} readers with another order",
            "",
            "0, 0, 0",
            not lost and not doubled and not wrong and len(texts) >= kills,
        ),
        Figure(
            "chat-kill",
            f"cut off until back in the room, at the process beside it ({len(away)} breaks)",
            f"p50 {statistics.median(away):.1f} s, p95 {p95:.1f} s, longest {away[-1]:.1f} s",
            f"{middle:.1f} s (until the killed one answers again)",
            "p95 ≤ 2 s",
            p95 <= 2,
        ),
    ]
