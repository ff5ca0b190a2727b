"""Jobs that kill, eat, loop, fork and lie, beside healthy ones (T096): tried three times at most, then in quarantine; the others flow."""

import os
import time
from contextlib import suppress
from uuid import uuid4

import psutil
import psycopg
from sqlalchemy import text

from lms.core import db, workers
from lms.core.serving import QUICK_QUEUES
from tests.load import storm_tasks
from tests.load.figure import Figure, Wish
from tests.load.stage import Stage, a_stage
from tests.load.storm_jobs import Crew, nothing_waits

EACH_SECOND = 5  # healthy jobs
POISONED = "SELECT count(*) FROM core.outbox WHERE task = ANY(:tasks) AND dead_at IS NULL"


def poison(wish: Wish) -> list[Figure]:
    """Every kind of poison, one after the other, while five healthy jobs a second come by: how long these wait, and what becomes of the poison."""
    kinds = storm_tasks.POISON[:2] if wish.quick else storm_tasks.POISON
    names = [one.name for one in kinds]
    workers.TIMEOUTS["bulk"] = storm_tasks.POISON_SECONDS
    end = time.monotonic() + min(wish.minutes * 60, 60 if wish.quick else 500)
    with a_stage(10) as stage:
        nothing_waits(stage)
        with psycopg.connect(stage.config.database_url, autocommit=True) as owner:
            owner.execute(storm_tasks.MARKS)
        seconds = str(storm_tasks.POISON_SECONDS)
        crew = Crew(stage, "-m", "tests.load.storm_tasks", quick=(QUICK_QUEUES,), STORM_BULK_SECONDS=seconds)
        fattest = 0
        try:
            waiting, beat = list(kinds), 0
            while time.monotonic() < end and (waiting or _alive(names)):
                with db.unit_of_work(stage.channel_id):
                    for _ in range(EACH_SECOND):
                        storm_tasks.quick.later(mark=str(uuid4()))
                    if waiting and beat % 4 == 2:
                        waiting.pop(0).later(mark=str(uuid4()))
                crew.mend()
                beat, until = beat + 1, time.monotonic() + 1
                while time.monotonic() < until:
                    fattest = max([fattest, *_sizes(crew)])
                    time.sleep(0.1)
            time.sleep(5)
            left = len(_sizes(crew))
        finally:
            crew.end()
        return _figures(stage, names, fattest, left)


def _alive(names: list[str]) -> int:
    with db.unit_of_work(platform=True, read_only=True) as session:
        return int(session.execute(text(POISONED), {"tasks": names}).scalar_one())


def _sizes(crew: Crew) -> list[int]:
    """The memory of every process of the workers' sessions but themselves: work-horses, and what these left behind."""
    found, own = [], {worker.pid for worker in crew.workers}
    for one in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if one.pid not in own and os.getsid(one.pid) in own:
                found.append(one.memory_info().rss)
    return found


def _figures(stage: Stage, names: list[str], fattest: int, left: int) -> list[Figure]:
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        rows = session.execute(
            text(
                "SELECT task, attempts, dead_at, coalesce(error, '') AS error FROM core.outbox WHERE task = ANY(:tasks) ORDER BY created_at"
            ),
            {"tasks": names},
        ).all()
        waits = sorted(
            float(one) if one is not None else 999.0
            for one in session.execute(
                text("SELECT extract(epoch FROM done_at - created_at) FROM core.outbox WHERE task = :task"),
                {"task": storm_tasks.quick.name},
            ).scalars()
        )
    p95 = waits[int(len(waits) * 0.95)]
    # The claim after the last death only writes it down.
    tries = {row.task.rpartition(".")[2]: row.attempts - ("died each time" in row.error) for row in rows}
    for row in rows:
        print(
            f"  {row.task.rpartition('.')[2]}: {row.attempts} claims, {'quarantine' if row.dead_at else 'ALIVE'}: {row.error[:100]!r}",
            flush=True,
        )
    dead = all(row.dead_at is not None for row in rows) and len(rows) == len(names)
    often = [name for name, count in tries.items() if count > 3]
    said = all(row.error for row in rows)
    return [
        Figure("poison", f"{len(names)} kinds of poisonous jobs, {dict(tries)} tries each", f"all in quarantine: {dead}, with a reason: {said}", "",
               "quarantine after ≤ 3 tries", dead and said and not often),
        Figure("poison", f"{len(waits):,} healthy jobs beside them, two workers: written to done", f"p50 {waits[len(waits) // 2]:.2f} s, p95 {p95:.2f} s, longest {waits[-1]:.1f} s", "",
               "p95 < 5 s", p95 < 5),
        Figure("poison", "the fattest process of a worker; processes left behind", f"{fattest / 2**20:,.0f} MiB; {left}", "", "≤ 1,700 MiB; 0 or a healthy job's", fattest <= 1700 << 20 and left <= 2),
    ]  # fmt: skip
