"""A million moves of money by processes that are killed at it (T078): the books balance at every reading, and what was acknowledged is there once."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lms.core import chains, db
from lms.core.money import Money
from lms.vouchers import operations as vouchers
from lms.vouchers.operations import NewBatch
from lms.wallet.queries import book_faults, ledger_faults
from tests.factories import people
from tests.load.figure import Figure, Wish
from tests.load.stage import ROOT, Stage, a_stage
from tests.load.storm_jobs import nothing_waits
from tests.load.storm_postgres import again

PEOPLE = 300
COURSES = 40
MOVERS = 2
READINGS = 12
# Moves of a card of visits that were acknowledged: as many as were noted, and they come to as much.
CARDS = """
    SELECT count(DISTINCT t.id), coalesce(-sum(e.amount_minor) FILTER (WHERE a.user_id IS NULL), 0) FROM wallet.transactions t
    JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id
    JOIN wallet.accounts a ON a.channel_id = e.channel_id AND a.id = e.account_id
    WHERE t.source = 'card' AND nullif(split_part(t.note, ' ', 2), '')::int = %s AND nullif(split_part(t.note, ' ', 3), '')::int <= %s
"""


@dataclass(slots=True)
class Crowd:
    """The processes that move money, each with its journal; one that is killed has a successor at once."""

    stage: Stage
    plans: list[dict[str, object]]
    journals: list[Path]
    movers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, place: int) -> "subprocess.Popen[bytes]":
        """A process at a place, which goes on behind the last line of its journal."""
        visits = self.lines(place)
        plan = {**self.plans[place], "visit": visits[-1][0] + 1 if visits else 0}
        mover = subprocess.Popen(
            [sys.executable, "-m", "tests.load.storm_moves"],
            cwd=ROOT,
            env={**os.environ, **self.stage.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        assert mover.stdin is not None
        mover.stdin.write(json.dumps(plan).encode())
        mover.stdin.close()
        return mover

    def lines(self, place: int) -> list[tuple[int, ...]]:
        """The visits acknowledged at a place: number, moves of a card, what they came to, how often it was tried again."""
        with suppress(FileNotFoundError):
            return [tuple(map(int, line.split())) for line in self.journals[place].read_text().splitlines() if line.count(" ") == 3]
        return []

    def kill(self, place: int) -> None:
        """End a process wherever it is, and put another in its place."""
        self.movers[place].kill()
        self.movers[place].wait()
        self.movers[place] = self.start(place)

    def end(self) -> None:
        """Everybody goes home."""
        for mover in self.movers:
            mover.kill()
            mover.wait()


def ledger(wish: Wish) -> list[Figure]:
    """Moves of every kind, until there are a million; processes killed 200 times, the database 4 times; the books are read meanwhile."""
    wanted, kills, deaths = (3_000, 6, 1) if wish.quick else (1_000_000, 200, 4)
    end = time.monotonic() + wish.minutes * 60
    dice = random.Random(78 + wish.turn)
    with a_stage(PEOPLE) as stage:
        nothing_waits(stage)
        crowd = _gathered(stage, 78 + wish.turn)
        read: list[tuple[float, list[str]]] = []
        done: Counter[str] = Counter()
        over = threading.Event()
        sealing = threading.Thread(target=_seal, args=(over,), daemon=True)
        sealing.start()
        marks = sorted(
            [(wanted * (n + 1) // (kills + 1), "kill") for n in range(kills)]
            + _every(wanted, deaths, "die")
            + _every(wanted, READINGS, "read")
        )
        try:
            crowd.movers += [crowd.start(place) for place in range(MOVERS)]
            for mark, what in marks:
                if _until(stage, mark, end) < mark:
                    break  # the time is over
                done[what] += 1
                if what == "kill":
                    crowd.kill(dice.randrange(MOVERS))
                elif what == "read":
                    read.append(_reading(stage, mark))
                else:
                    _die(stage)
            moves = _until(stage, wanted, end)
        finally:
            crowd.end()
            over.set()
            sealing.join(60)
        while chains.extend_all():
            pass
        with db.unit_of_work(stage.channel_id, read_only=True):
            faults = [*ledger_faults(), *(f"{subject}: {sentence}" for subject, sentence in book_faults())]
        for fault in faults[:20]:
            print(f"  {fault}", flush=True)
        wrong, tries = _lost(stage, crowd)
    found = [fault for _seconds, faulty in read for fault in faulty] + faults
    what = f"{moves:,} transactions by {MOVERS} processes over {PEOPLE} wallets, processes killed {done['kill']} times, PostgreSQL {done['die']} times"
    value = (
        f"{len(found)} faults in {len(read) + 1} readings (longest {max((s for s, _ in read), default=0):.1f} s), {wrong} acknowledged moves lost or"
        f" doubled, {tries} visits made again"
    )
    return [Figure("ledger", what, value, "", "no fault, none lost or doubled", moves >= wanted and not found and not wrong)]


def _every(wanted: int, count: int, what: str) -> list[tuple[int, str]]:
    return [(wanted * (2 * n + 1) // (2 * count), what) for n in range(count)]


def _gathered(stage: Stage, seed: int) -> Crowd:
    """Who moves, whose wallets, which courses and codes; each process has admins, codes and people of its own beside those they share."""
    with db.unit_of_work(stage.channel_id) as session:
        found = text("SELECT id FROM channels.members WHERE role = 'student' ORDER BY id LIMIT :n")
        everybody = [str(one) for one in session.execute(found, {"n": PEOPLE}).scalars()]
        root = people.root()
        courses = [str(uuid4()) for _ in range(COURSES)]
        plans: list[dict[str, object]] = []
        for place in range(MOVERS):
            wish = NewBatch(label=f"Storm {place}", value=Money(250, "EUR"), count=40, uses_per_code=900, money_days=20 if place else None)
            plans.append(
                {
                    "place": place,
                    "seed": seed,
                    "channel": str(stage.channel_id),
                    "people": everybody,
                    "mine": everybody[place::MOVERS],
                    "courses": courses,
                    "codes": list(vouchers.create_batch(wish, by=root).codes),
                    "admin": str(people.a_person(f"Admin {place}", "admin", f"admin{place}@example.org").user_id),
                    "journal": str(stage.config.home / f"moves-{place}"),
                }
            )
    return Crowd(stage, plans, [stage.config.home / f"moves-{place}" for place in range(MOVERS)])


def _seal(over: threading.Event) -> None:
    """What the scheduler does: link what was written to the chain."""
    while not over.wait(1.0):
        with suppress(DBAPIError):  # PostgreSQL is dead for a moment
            chains.extend_all()


def _count(stage: Stage) -> int:
    with psycopg.connect(stage.config.database_url) as owner:
        found = owner.execute("SELECT count(*) FROM wallet.transactions").fetchone()
        return int(found[0]) if found else 0


def _until(stage: Stage, mark: int, end: float) -> int:
    """Wait until there are so many transactions, or the time is over; how many there are."""
    began = time.monotonic()
    while (count := _count(stage)) < mark and time.monotonic() < end:
        time.sleep(max(0.2, 20 * (time.monotonic() - began)))  # counting is not to be the work
        began = time.monotonic()
    return count


def _reading(stage: Stage, mark: int) -> tuple[float, list[str]]:
    """What the product itself finds wrong with the books while they are written."""
    began = time.monotonic()
    with db.unit_of_work(stage.channel_id, read_only=True):
        faults = ledger_faults()
    for fault in faults[:20]:
        print(f"  at {mark:,}: {fault}", flush=True)
    print(f"  {mark:,}: read in {time.monotonic() - began:.1f} s, {len(faults)} faults", flush=True)
    return time.monotonic() - began, faults


def _die(stage: Stage) -> None:
    stage.postgres.process.send_signal(signal.SIGKILL)
    stage.postgres.process.wait()
    stage.postgres = again(stage)


def _lost(stage: Stage, crowd: Crowd) -> tuple[int, int]:
    """By how many the acknowledged moves of a card differ from those in the books, in count or (then at least one) in money; visits made again."""
    wrong = tries = 0
    with psycopg.connect(stage.config.database_url) as owner:
        for place in range(MOVERS):
            lines = crowd.lines(place)
            noted, came = sum(line[1] for line in lines), sum(line[2] for line in lines)
            tries += sum(line[3] for line in lines)
            found = owner.execute(CARDS, (place, lines[-1][0])).fetchone()
            assert found is not None
            wrong += abs(noted - found[0]) or int(came != found[1])
    return wrong, tries
