"""PostgreSQL killed under writers (T107): what was acknowledged is there, once, and the application finds its way back by itself."""

import signal
import threading
import time
from itertools import count
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from lms.core import audit, db
from lms.core.decisions import the_platform
from lms.core.embedded import PostgresServer, start_postgres
from lms.core.places import ServerFailed
from tests.load.figure import Figure, Wish
from tests.load.stage import Stage, a_stage

WRITERS = 20


class Writer(threading.Thread):
    """Writes deeds one after the other, each in a transaction of its own, and remembers those that were acknowledged."""

    def __init__(self, channel_id: UUID, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.channel_id, self.ended = channel_id, ended
        self.acked: list[str] = []
        self.unsure: set[str] = set()
        self.gaps: list[float] = []

    def run(self) -> None:
        """Write until told to stop; what breaks is tried again under a new name."""
        last = time.monotonic()
        while not self.ended.is_set():
            name = str(uuid4())
            try:
                with db.unit_of_work(self.channel_id):
                    audit.record("storm.written", "storm", by=the_platform(self.channel_id), name=name)
            except SQLAlchemyError:
                self.unsure.add(name)
                time.sleep(0.05)
                continue
            self.acked.append(name)
            self.gaps.append(time.monotonic() - last)
            last = time.monotonic()


def again(stage: Stage) -> PostgresServer:
    """Start the killed server as the supervisor does: what is left of the old one may need a moment to go."""
    for attempt in count():
        try:
            return start_postgres(stage.config.home)
        except ServerFailed:
            if attempt == 4:
                raise
            time.sleep(2**attempt)
    raise AssertionError


def postgres(wish: Wish) -> list[Figure]:
    """Twenty writers, the postmaster killed again and again (5 times in full) until 40,000 commits were acknowledged."""
    kills, wanted = (2, 2_000) if wish.quick else (5, 40_000)
    with a_stage(10) as stage:
        ended = threading.Event()
        writers = [Writer(stage.channel_id, ended) for _ in range(WRITERS)]
        for one in writers:
            one.start()
        backs = []
        for number in range(kills):
            goal = wanted * (number + 1) // (kills + 1)
            while sum(len(one.acked) for one in writers) < goal:
                time.sleep(0.05)
            stage.postgres.process.send_signal(signal.SIGKILL)
            stage.postgres.process.wait()
            began, before = time.monotonic(), sum(len(one.acked) for one in writers)
            stage.postgres = again(stage)
            while sum(len(one.acked) for one in writers) <= before:
                time.sleep(0.02)
            backs.append(time.monotonic() - began)
        while sum(len(one.acked) for one in writers) < wanted:
            time.sleep(0.05)
        ended.set()
        for one in writers:
            one.join(60)
        acked = [name for one in writers for name in one.acked]
        with db.unit_of_work(stage.channel_id, read_only=True) as session:
            kept = session.execute(text("SELECT target_name FROM core.audit WHERE action = 'storm.written'")).scalars().all()
        lost, doubled = len(set(acked) - set(kept)), len(kept) - len(set(kept))
        strange = len(set(kept) - set(acked) - {name for one in writers for name in one.unsure})
    what = f"{WRITERS} writers, postmaster killed {kills} times: {len(acked):,} commits acknowledged"
    value = f"{lost} lost, {doubled} doubled, back after {min(backs):.1f} to {max(backs):.1f} s"
    return [Figure("postgres", what, value, "", "0 lost, 0 doubled, back ≤ 30 s", not (lost or doubled or strange) and max(backs) <= 30)]
