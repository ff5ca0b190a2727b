"""Importing people: plan and apply in a worker process, against COPY of the same rows into tables with the same indexes."""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from lms.app import connect
from lms.config import Config
from lms.core import db, jobs, plans
from lms.core.ids import uuid7
from tests.factories import people
from tests.load.figure import Figure
from tests.load.stage import ROOT, Stage

WAITING = "SELECT id FROM core.outbox WHERE task LIKE '%carry_on' AND done_at IS NULL"
PLACE = "SELECT state, done_count FROM core.plans WHERE id = :id"


def imports(stage: Stage, quick: bool) -> list[Figure]:
    """100,000 new people from a CSV: planned, applied, taken back; time, memory, and the longest silence of the progress."""
    count = 5_000 if quick else 100_000
    floor = _floor(stage, count)
    lines = "\n".join(f"import{number}@example.org,Person {number},student,+49 {number}" for number in range(count))
    with db.unit_of_work(stage.channel_id):
        plan = plans.make_from_table(
            "channels.import_people", f"email,name,role,phone\n{lines}".encode(), by=people.root(), params={"role": "student"}
        )
    made = [_worked(stage, plan.id)]
    for act in (plans.apply, plans.undo):
        with db.unit_of_work(stage.channel_id):
            act(plans.get_plan(plan.id), by=people.root())
        made.append(_worked(stage, plan.id))
    planned, applied, undone = made
    with db.unit_of_work(stage.channel_id, read_only=True):
        receipt = plans.get_plan(plan.id)
        assert (receipt.state, receipt.applied_count, receipt.undone_count) == ("undone", count, count), receipt.state
    total, memory = planned["seconds"] + applied["seconds"], max(one["megabytes"] for one in made)
    silence = max(one["silence"] for one in made)
    what = f"import of {count:,} people"
    return [
        Figure("import", f"{what}, plan {planned['seconds']:.1f} s + apply {applied['seconds']:.1f} s", f"{total:.1f} s",
               f"{floor:.1f} s (COPY)", f"{total / floor:.1f} × the floor (≤ 12)", total <= 12 * floor),
        Figure("import", f"{what}, memory of the worker", f"{memory:.0f} MB", "", "≤ 300 MB", memory <= 300),
        Figure("import", f"{what}, longest silence of the progress", f"{silence:.1f} s", "", "≤ 2 s", silence <= 2),
        Figure("import", f"{what}, taken back", f"{undone['seconds']:.1f} s", "", "measured", True),
    ]  # fmt: skip


def _floor(stage: Stage, count: int) -> float:
    """Seconds of COPY of the same accounts and members into tables with the same columns, checks, references and indexes, without row-level security."""
    with psycopg.connect(stage.config.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS bench_floor CASCADE")  # of a run before on a kept folder
        cursor.execute("CREATE SCHEMA bench_floor")
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_floor.users (LIKE auth.users INCLUDING ALL)")
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_floor.members (LIKE channels.members INCLUDING ALL)")
        for reference in ("id) REFERENCES auth.users (id", "channel_id) REFERENCES channels.channels (id"):
            cursor.execute(f"ALTER TABLE bench_floor.members ADD FOREIGN KEY ({reference.replace('auth.users', 'bench_floor.users')})")
        connection.commit()
        rows = [(uuid7(), f"floor{number}@example.org", f"Person {number}") for number in range(count)]
        began = time.perf_counter()
        with cursor.copy("COPY bench_floor.users (id, email, email_key, name) FROM STDIN") as copy:
            for row_id, email, name in rows:
                copy.write_row((row_id, email, email, name))
        with cursor.copy("COPY bench_floor.members (channel_id, id, name, email, role, status, phone) FROM STDIN") as copy:
            for row_id, email, name in rows:
                copy.write_row((stage.channel_id, row_id, name, email, "student", "invited", "+49"))
        connection.commit()
        return time.perf_counter() - began


def _worked(stage: Stage, plan_id: UUID) -> dict[str, float]:
    """One phase in a process of its own, watched from here; seconds, megabytes at most, longest time without progress."""
    with db.unit_of_work(platform=True) as session:
        row_id = session.execute(text(WAITING)).scalar_one()
    longest, stop = [0.0], threading.Event()

    def watch() -> None:
        last, since = None, time.perf_counter()
        while not stop.wait(0.05):
            with db.unit_of_work(stage.channel_id, read_only=True) as session:
                now = tuple(session.execute(text(PLACE), {"id": plan_id}).one())
            if now != last:
                last, since = now, time.perf_counter()
            longest[0] = max(longest[0], time.perf_counter() - since)

    program = [sys.executable, "-m", "tests.load.bench_import", str(row_id)]
    child = subprocess.Popen(
        program, cwd=ROOT, env={**os.environ, **stage.environ}, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert child.stdout and child.stdin
    assert child.stdout.readline().strip() == "ready"
    watcher = threading.Thread(target=watch)
    watcher.start()
    child.stdin.write("go\n")
    child.stdin.flush()
    said: dict[str, Any] = json.loads(child.stdout.readline())
    stop.set()
    watcher.join()
    child.wait()
    return {**said, "silence": longest[0]}


def main() -> None:
    """Be the worker: do the outbox row named, and say how long it took and how much memory."""
    connect(Config.load(dict(os.environ)))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    jobs.perform(UUID(sys.argv[1]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - began, "megabytes": peak}), flush=True)


if __name__ == "__main__":
    main()
