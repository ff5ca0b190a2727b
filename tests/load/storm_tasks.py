"""Jobs that only storms have: each leaves one mark, at once, after a while, or in steps. `python -m tests.load.storm_tasks` is a worker that knows them."""

import time
from uuid import UUID

from sqlalchemy import text

from lms.app import connect
from lms.config import Config
from lms.core import db, jobs, workers
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


if __name__ == "__main__":
    # The names under which the rows were written are this module's, not __main__'s.
    from tests.load import storm_tasks  # noqa: F401

    connect(Config.load())
    workers.work()
