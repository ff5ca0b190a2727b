"""What the pages of no module ask the database."""

from sqlalchemy import text

from lms.core import db
from lms.core.schema import current_revision, newest_revision


def is_migrated() -> bool:
    """Whether the database answers and has the schema the code wants; runs in a platform unit of work."""
    db.session().execute(text("SELECT 1"))
    return current_revision() == newest_revision()


def queue_figures() -> list[tuple[str, int, float]]:
    """Each queue with the rows that wait and the age in seconds of the oldest; runs in a platform unit of work."""
    rows = db.session().execute(
        text(
            "SELECT queue, count(*), coalesce(extract(epoch FROM clock_timestamp() - min(run_at)), 0) FROM core.outbox"
            " WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= clock_timestamp() GROUP BY queue"
        )
    )
    return [(str(queue), int(count), float(age)) for queue, count, age in rows]
