"""Jobs that only storms have: each leaves one mark, at once, after a while, or in steps; and poison.

`python -m tests.load.storm_tasks` is a worker that knows them, with names of queues behind it one for these alone, with `scheduler` a scheduler."""

import ctypes
import os
import re
import sys
import time
from uuid import UUID

from sqlalchemy import text

from lms.app import connect
from lms.config import Config
from lms.core import db, jobs, logs, workers
from lms.core.tenancy import current_channel

MARKS = """
    CREATE SCHEMA storm;
    CREATE TABLE storm.marks (channel_id uuid NOT NULL, mark uuid NOT NULL, step int NOT NULL DEFAULT 0, at timestamptz NOT NULL DEFAULT clock_timestamp());
    GRANT USAGE ON SCHEMA storm TO lms_app, lms_platform;
    GRANT SELECT, INSERT ON storm.marks TO lms_app, lms_platform;
"""


def _leave(mark: str, step: int = 0) -> None:
    insertion = text("INSERT INTO storm.marks (channel_id, mark, step) VALUES (:channel, :mark, :step)")
    db.session().execute(insertion, {"channel": current_channel(), "mark": UUID(mark), "step": step})


@jobs.job(tries=12, lease_seconds=6)
def quick(mark: str) -> None:
    """Leave a mark."""
    _leave(mark)


@jobs.job(tries=12, lease_seconds=6, queue="bulk")
def slow(mark: str, seconds: float) -> None:
    """Leave a mark, think, and be done."""
    _leave(mark)
    db.session().flush()
    time.sleep(seconds)


@jobs.job(tries=12, lease_seconds=6, in_steps=True, queue="media")
def stepwise(mark: str) -> None:
    """Three steps, each its own transaction; one that was done is not done again."""
    for step in range(1, 4):
        with jobs.step():
            seen = db.session().execute(
                text("SELECT 1 FROM storm.marks WHERE mark = :mark AND step = :step"), {"mark": UUID(mark), "step": step}
            )
            if seen.one_or_none() is None:
                _leave(mark, step)
        time.sleep(0.1)


# --- poison ---------------------------------------------------------------------------------------------------------------------------

POISON_SECONDS = 20  # what RQ gives a poisonous job here, instead of the hour of its queue
VENOM = {"tries": 5, "lease_seconds": 6}


@jobs.job(**VENOM)
def segfault(mark: str) -> None:
    """Read what is not there."""
    ctypes.string_at(0)


@jobs.job(**VENOM)
def vanish(mark: str) -> None:
    """End the process without a word."""
    os._exit(3)


@jobs.job(**VENOM, queue="bulk")
def eat(mark: str) -> None:
    """Take memory without end, and use it."""
    eaten = []
    while True:
        eaten.append(bytearray(os.urandom(1 << 20) * 16))


@jobs.job(**VENOM, queue="bulk")
def loop(mark: str) -> None:
    """Go round without end."""
    while True:
        pass


@jobs.job(**VENOM, queue="bulk")
def stick(mark: str) -> None:
    """A regular expression without end: no other thread of the process has a turn."""
    re.match(r"(a+)+$", "a" * 64 + "b")


@jobs.job(**{**VENOM, "tries": 3})
def fork(mark: str) -> None:
    """Leave children behind that work for ever, then fail."""
    for _ in range(8):
        if os.fork() == 0:
            while True:
                time.sleep(0.2)
    raise RuntimeError("eight children were left behind")


@jobs.job(**{**VENOM, "tries": 3})
def junk(mark: str) -> None:
    """Fail with words that no database takes."""
    raise ValueError("\0\ud800" + "x" * 50_000_000)


@jobs.job(**VENOM)
def odd(mark: str) -> object:
    """Return what nobody asked for, and end with what is no error."""
    raise KeyboardInterrupt


POISON = (segfault, vanish, eat, loop, stick, fork, junk, odd)


if __name__ == "__main__":
    # The names under which the rows were written are this module's, not __main__'s.
    from tests.load import storm_tasks  # noqa: F401

    logs.configure()
    connect(Config.load())
    workers.TIMEOUTS["bulk"] = int(os.environ.get("STORM_BULK_SECONDS", workers.TIMEOUTS["bulk"]))
    if sys.argv[1:] == ["scheduler"]:
        workers.schedule_forever()
    workers.work(sys.argv[1].split(",") if sys.argv[1:] else jobs.QUEUES)
