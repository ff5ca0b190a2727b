"""Redis killed under orders (T093), and workers killed at their work (T094): every effect comes, and comes once."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID, uuid4

import psutil
import psycopg
from sqlalchemy import text

from lms.channels.queries import actor_of_user
from lms.core import db
from lms.core.embedded import ValkeyServer, start_valkey
from lms.core.errors import Refusal
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.places import ServerFailed
from lms.core.redis import use_redis
from lms.courses import queries as courses
from lms.enrollments import operations as enrollments
from lms.wallet import operations as wallet
from tests.load import storm_tasks
from tests.load.figure import Figure, Wish
from tests.load.stage import ROOT, Stage, a_stage

# What the schedule wrote meanwhile is not waited for: its rows are named after their slots.
LEFT = (
    "SELECT count(*) FROM core.outbox WHERE done_at IS NULL AND dead_at IS NULL AND coalesce(key, '') NOT LIKE '%@2%'"
    " AND run_at <= clock_timestamp() + interval '10 seconds'"
)

LEFT_KINDS = (
    LEFT.replace(
        "SELECT count(*)",
        "SELECT task, count(*) AS rows, max(attempts) AS tries, count(*) FILTER (WHERE lease_until > clock_timestamp()) AS held,"
        " round(max(extract(epoch FROM run_at - clock_timestamp()))) AS due, left(coalesce(max(error), ''), 200) AS error",
    )
    + " GROUP BY task ORDER BY 2 DESC LIMIT 20"
)


class Crew:
    """Workers and a scheduler of a stage, each a process of its own that may be killed and started anew."""

    def __init__(self, stage: Stage, *argv: str, count: int = 2, quick: tuple[str, ...] = (), **more: str) -> None:
        """Workers started by `argv`, the first of them with `quick` behind it: what it is to serve alone."""
        self.environ = {**os.environ, **stage.environ, **more}
        self.argv = [(*argv, *quick), *[argv] * (count - 1)]
        self.scheduling = (*argv, "scheduler") if quick else ("-m", "lms", "scheduler")
        self.workers = [self._start(*words) for words in self.argv]
        self.scheduler = self._start(*self.scheduling)

    def _start(self, *argv: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *argv],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self, place: int, what: str) -> bool:
        """Kill a worker: the parent alone, its work-horse alone, or both; what died is started anew. False when there was no horse."""
        worker = self.workers[place]
        horses = []
        with suppress(psutil.NoSuchProcess):
            horses = psutil.Process(worker.pid).children(recursive=True)
        if what == "horse" and not horses:
            return False
        if what in ("parent", "both"):
            worker.kill()
            worker.wait()
        if what in ("horse", "both"):
            for horse in horses:
                with suppress(psutil.NoSuchProcess):
                    horse.kill()
        if what != "horse":
            self.workers[place] = self._start(*self.argv[place])
        return True

    def at_work(self, place: int, seconds: float) -> None:
        """Wait until a worker has a work-horse, so long at most: it is to die at its work, not at its start."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(psutil.NoSuchProcess):
                if psutil.Process(self.workers[place].pid).children():
                    return
            time.sleep(0.02)

    def mend(self) -> None:
        """Start anew what ended by itself, as the supervisor does."""
        for place, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[place] = self._start(*self.argv[place])
        if self.scheduler.poll() is not None:
            self.scheduler = self._start(*self.scheduling)

    def end(self) -> None:
        """Everybody goes home."""
        for one in (*self.workers, self.scheduler):
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def drained(crew: Crew, seconds: float) -> float:
    """Wait until nothing is left to do; how long it took, or that long when it was not enough."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        crew.mend()
        if not _left():
            break
        time.sleep(0.3)
    return time.monotonic() - began


def _left() -> int:
    with db.unit_of_work(platform=True, read_only=True) as session:
        return int(session.execute(text(LEFT)).scalar_one())


def _left_at_last() -> int:
    """How many rows are left, after a line for each kind of them: what is not done in time has a reason."""
    with db.unit_of_work(platform=True, read_only=True) as session:
        for kind in session.execute(text(LEFT_KINDS)):
            print(
                f"  left: {kind.rows:,} × {kind.task}, tried {kind.tries} times, held {kind.held}, due in {kind.due} s: {kind.error}",
                flush=True,
            )
    return _left()


# --- T093 ---------------------------------------------------------------------------------------------------------------------------


def outbox(wish: Wish) -> list[Figure]:
    """3,000 purchases, the Valkey without any persistence killed four times meanwhile: each event has its effects once."""
    wanted, kills = (150, 2) if wish.quick else (3_000, 4)
    end = time.monotonic() + wish.minutes * 60
    with a_stage(wanted) as stage:
        nothing_waits(stage)
        stage.valkey.stop()
        stage.valkey = start_valkey(stage.config.home, durable=False)
        use_redis(stage.valkey.url)
        course_id = stage.facts["course_ids"][1]
        buyers = _buyers(stage, wanted)
        crew = Crew(stage, "-m", "lms", "worker")
        try:
            done: list[UUID] = []
            storm = threading.Thread(target=_orders, args=(stage, course_id, buyers, done, end - wish.minutes * 20))
            storm.start()
            for number in range(kills):
                while len(done) < wanted * (number + 1) // (kills + 1) and storm.is_alive():
                    crew.mend()  # a worker that loses Redis at its work ends, and is started anew
                    time.sleep(0.05)
                stage.valkey.process.send_signal(signal.SIGKILL)
                stage.valkey.process.wait()
                time.sleep(1.0)
                stage.valkey = _valkey_again(stage)
            while storm.is_alive():
                crew.mend()
                time.sleep(0.05)
            seconds = drained(crew, min(900, end - time.monotonic()))
            left = _left_at_last()
        finally:
            crew.end()
        with db.unit_of_work(stage.channel_id, read_only=True):
            told, mails, orders, dead = _told(course_id)
        lost = [one for one in done if not told[one]]
        doubled = [one for one, times in [*told.items(), *mails.items()] if times > 1]
    what = f"{len(done):,} of {wanted:,} purchases, Valkey without persistence killed {kills} times"
    value = (
        f"{len(lost)} lost, {len(doubled)} doubled ({len(mails):,} mails), {dead} in quarantine, {orders:,} paid orders,"
        f" {f'{left:,} rows left' if left else 'drained'} {seconds:.0f} s after the last"
    )
    good = len(done) == wanted == orders and not (lost or doubled or dead or left)
    return [Figure("outbox", what, value, "", "0 lost, 0 doubled, drained ≤ 60 s", good and seconds <= 60)]


def _buyers(stage: Stage, count: int) -> list[UUID]:
    """Students of the crowd."""
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        return list(
            session.execute(text("SELECT id FROM channels.members WHERE role = 'student' ORDER BY id LIMIT :n"), {"n": count}).scalars()
        )


def nothing_waits(stage: Stage) -> None:
    """What the stage itself left to do counts as done."""
    with psycopg.connect(stage.config.database_url, autocommit=True) as owner:
        owner.execute("UPDATE core.outbox SET done_at = clock_timestamp() WHERE done_at IS NULL")


def _orders(stage: Stage, course_id: UUID, buyers: list[UUID], done: list[UUID], end: float) -> None:
    def buy(user_id: UUID) -> None:
        for _ in range(20):
            if time.monotonic() > end:
                return
            try:
                with db.unit_of_work(stage.channel_id):
                    buyer = actor_of_user(user_id)
                    wallet.credit(user_id, Money(1000, "EUR"), source="adjustment", reference_id=uuid7(), by=buyer)
                    enrollments.enroll_by_wallet(courses.get_course(course_id), by=buyer)
                done.append(user_id)
                return
            except Refusal:
                time.sleep(0.2)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(buy, buyers))


def _valkey_again(stage: Stage) -> ValkeyServer:
    for _ in range(5):
        try:
            return start_valkey(stage.config.home, durable=False)
        except ServerFailed:
            time.sleep(1)
    raise AssertionError("Valkey does not start again")


def _told(course_id: UUID) -> tuple[Counter[UUID], Counter[str], int, int]:
    """How often each buyer was told of the enrolment, in the academy and by mail; the paid orders; the rows in quarantine."""
    session = db.session()
    notices = Counter(
        session.execute(text("SELECT user_id FROM notifications.notices WHERE course_id = :course"), {"course": course_id}).scalars()
    )
    mails = Counter(session.execute(text("SELECT to_address FROM core.mails WHERE to_address LIKE 'p%@example.org'")).scalars())
    orders = session.execute(
        text("SELECT count(*) FROM payments.orders WHERE status = 'paid' AND course_id = :course"), {"course": course_id}
    )
    dead = session.execute(text("SELECT count(*) FROM core.outbox WHERE dead_at IS NOT NULL")).scalar_one()
    return notices, mails, int(orders.scalar_one()), int(dead)


# --- T094 ---------------------------------------------------------------------------------------------------------------------------


def workers(wish: Wish) -> list[Figure]:
    """Two workers at mixed jobs, killed a hundred times: parent, work-horse, both in turn."""
    kills, count = (6, 24) if wish.quick else (100, 400)
    dice = random.Random(94)
    end = time.monotonic() + wish.minutes * 60
    with a_stage(10) as stage:
        nothing_waits(stage)
        with psycopg.connect(stage.config.database_url, autocommit=True) as owner:
            owner.execute(storm_tasks.MARKS)
        marks: dict[str, list[str]] = {"quick": [], "slow": [], "stepwise": []}
        crew = Crew(stage, "-m", "tests.load.storm_tasks")
        try:
            killed: Counter[str] = Counter()
            for turn in range(kills):
                if time.monotonic() > end - wish.minutes * 20:
                    break
                _some_jobs(stage, marks, dice, count // kills)
                crew.at_work(turn % 2, 4)
                for what in dice.sample(("parent", "horse", "both"), 3):
                    if crew.kill(turn % 2, what):
                        killed[what] += 1
                        break
                time.sleep(dice.uniform(0.05, 0.3))
            seconds = drained(crew, min(300, end - time.monotonic()))
            left = _left_at_last()
        finally:
            crew.end()
        wrong, dead, oldest = _marks(stage, marks)
    total = sum(map(len, marks.values()))
    what = f"{total} jobs of three kinds, two workers killed {sum(killed.values())} times ({dict(killed)})"
    value = (
        f"{wrong} lost or doubled, {dead} ended in quarantine, slowest {oldest:.0f} s from written to done,"
        f" {f'{left:,} rows left after' if left else 'drained in'} {seconds:.0f} s"
    )
    return [
        Figure(
            "workers",
            what,
            value,
            "",
            "effects exact, none open after 120 s",
            not (wrong or left) and seconds < 120 and oldest <= 120 and sum(killed.values()) == kills,
        )
    ]


def _some_jobs(stage: Stage, marks: dict[str, list[str]], dice: random.Random, count: int) -> None:
    with db.unit_of_work(stage.channel_id):
        for number in range(count):
            mark = str(uuid4())
            kind = ("quick", "slow", "stepwise")[number % 3]
            marks[kind].append(mark)
            if kind == "slow":
                storm_tasks.slow.later(mark=mark, seconds=9 if dice.random() < 0.03 else dice.uniform(0.1, 0.8))  # 9: longer than its lease
            else:
                getattr(storm_tasks, kind).later(mark=mark)


def _marks(stage: Stage, marks: dict[str, list[str]]) -> tuple[int, int, float]:
    """How many marks are missing or twice there among the jobs that were done, how many jobs gave up, and the longest way."""
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        left = Counter((str(row.mark), row.step) for row in session.execute(text("SELECT mark, step FROM storm.marks")))
        rows = session.execute(
            text(
                "SELECT payload ->> 'mark' AS mark, done_at, dead_at, created_at FROM core.outbox WHERE task LIKE 'tests.load.storm_tasks.%'"
            )
        )
        states = {row.mark: row for row in rows}
    wrong = 0
    for kind, some in marks.items():
        for mark in some:
            steps = (1, 2, 3) if kind == "stepwise" else (0,)
            counts = [left[(mark, step)] for step in steps]
            done = states[mark].done_at is not None
            wrong += counts != [1] * len(steps) if done else any(count > 1 for count in counts) or states[mark].dead_at is None
    times = [(row.done_at - row.created_at).total_seconds() for row in states.values() if row.done_at]
    return wrong, sum(row.dead_at is not None for row in states.values()), max(times, default=0.0)
