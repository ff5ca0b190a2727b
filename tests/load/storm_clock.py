"""The scheduler's clock (T098): three schedulers through simulated days with pauses, jumps and restarts; each slot is taken once.

The simulated clock is the database's, which is the only one the scheduler reads: the platform role finds a `clock_timestamp()` of a
schema before PostgreSQL's own.
"""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import Engine, text

from lms.app import connect
from lms.channels.reports import People
from lms.core import clock, db, jobs, workers
from lms.reporting import operations as reporting
from tests.factories import people
from tests.load.figure import Figure, Wish
from tests.load.stage import Stage, a_stage

SCHEDULERS = 3
CLOCK = """
    CREATE SCHEMA storm;
    CREATE TABLE storm.clock (at timestamptz NOT NULL);
    INSERT INTO storm.clock VALUES (now());
    CREATE FUNCTION storm.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM storm.clock';
    GRANT USAGE ON SCHEMA storm TO lms_app, lms_platform;
    GRANT SELECT ON storm.clock TO lms_app, lms_platform;
    DO $$ BEGIN EXECUTE format('ALTER ROLE lms_platform IN DATABASE %I SET search_path = storm, pg_catalog, public', current_database()); END $$;
"""
BERLIN = ZoneInfo("Europe/Berlin")
DAYS = ("2026-03-28T22:00", "2026-10-24T22:00")  # the nights in which Berlin's clocks go forward and back


def scheduler(wish: Wish) -> list[Figure]:
    """24 simulated hours by rounds of two minutes (of thirty seconds in full), with a pause of two hours, jumps of an hour, restarts."""
    step = 1800 if wish.quick else 30
    with a_stage(10) as stage:
        with psycopg.connect(stage.config.database_url, autocommit=True) as owner:
            owner.execute(CLOCK)
            connect(stage.config)
            moments = rounds(datetime(2026, 11, 2, tzinfo=UTC), step)
            wrong, taken = run(owner, moments)
        figures = [
            Figure("scheduler", f"{SCHEDULERS} schedulers, {len(moments):,} rounds of 24 h: 2 h pause, +1 h and −1 h jumps, a restart each hour",
                   f"{wrong['doubled']} slots doubled, {wrong['skipped']} skipped, {taken:,} taken", "", "0 doubled, 0 skipped", not any(wrong.values()))
        ]  # fmt: skip
        for day in DAYS:
            figures.append(_summer_time(stage, datetime.fromisoformat(day).replace(tzinfo=UTC), hours=54))
    return figures


def rounds(begin: datetime, step: int) -> list[datetime]:
    """The clock at each round: on for six hours, away for two, an hour ahead and back again, on to the end."""
    made, at, end = [], begin, begin + timedelta(hours=24)
    while at < end:
        made.append(at)
        hours = (at - begin).total_seconds() / 3600
        if 6 <= hours < 6 + step / 3600:
            at += timedelta(hours=2)
        if 12 <= hours < 12 + step / 3600:
            made += [at + timedelta(hours=1), at]
        at += timedelta(seconds=step)
    return made


def run(owner: psycopg.Connection[Any], moments: list[datetime]) -> tuple[dict[str, int], int]:
    dice = random.Random(98)
    with ThreadPoolExecutor(SCHEDULERS) as pool:
        for number, moment in enumerate(moments):
            owner.execute("UPDATE storm.clock SET at = %s", (moment,))
            list(pool.map(lambda _turn: workers.tick(), range(SCHEDULERS)))
            if number % (3600 // 30) == 0:  # a restart: new connections, as another process has them
                engine = db.engines().platform
                if isinstance(engine, Engine) and dice.random() < 0.9:
                    engine.dispose()
    expected = {(job.name, job.every.slot(moment)) for job in jobs.registry().values() if job.every for moment in moments}
    with db.unit_of_work(platform=True, read_only=True) as session:
        rows = session.execute(
            text(
                "SELECT task, key, count(DISTINCT channel_id) AS channels, count(*) AS many FROM core.outbox WHERE key LIKE '%@%' GROUP BY 1, 2"
            )
        )
        seen = {(row.task, datetime.fromisoformat(row.key.rpartition("@")[2])): row.many - row.channels for row in rows}
    doubled = sum(more > 0 for more in seen.values())  # one row for each academy is right
    return {"doubled": doubled, "skipped": len(expected - set(seen))}, len(seen)


def _summer_time(stage: Stage, begin: datetime, hours: int) -> Figure:
    """A view sent daily at half past two by Berlin's clock (there twice in one night, not at all in the other) and one each morning."""
    with db.unit_of_work(stage.channel_id), clock.at(begin):
        root = people.root()
        made = []
        for hour in (2, 8):
            view = reporting.save_view(People(), "", f"{begin:%m}-{hour}", by=root)
            made.append(
                reporting.add_schedule(
                    view, reporting.Timetable(cadence="daily", hour=hour, zone="Europe/Berlin"), [root.email], by=root
                ).id
            )
    for minutes in range(0, hours * 60, 10):
        moment = begin + timedelta(minutes=minutes)
        for _ in range(2):
            with clock.at(moment), db.unit_of_work(stage.channel_id):
                reporting.start_due_runs(moment)
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        runs = session.execute(text("SELECT schedule_id, due_at FROM reporting.runs WHERE schedule_id = ANY (:ids)"), {"ids": made}).all()
    days = Counter((row.schedule_id, row.due_at.astimezone(BERLIN).date()) for row in runs)
    last = (begin + timedelta(hours=hours)).astimezone(BERLIN).date()
    first = begin.astimezone(BERLIN).date() + timedelta(days=1)
    wanted = {(schedule, first + timedelta(days=number)) for schedule in made for number in range((last - first).days)}
    missed, twice = wanted - set(days), [day for day, count in days.items() if count > 1]
    good = not missed and not twice
    return Figure("scheduler", f"daily at 2:00 and 8:00 in Berlin over the night of {first:%d %B}", f"{len(missed)} missed, {len(twice)} twice, {len(runs)} runs",
                  "", "each day once", good)  # fmt: skip
