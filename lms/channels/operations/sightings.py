"""Keeping the notes of who was last here when short, and making them anew from the people."""

from sqlalchemy import text

from lms.core import audit, db
from lms.core.decisions import Actor
from lms.core.tenancy import current_channel

# Two that gather or count at once would each miss what the other writes; whoever comes and goes meanwhile waits for neither.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('channels.sightings'), hashtext(:channel))")
FOLD = text(
    """
    WITH gone AS (DELETE FROM channels.sightings WHERE slot IN (
        SELECT slot FROM channels.sightings GROUP BY slot HAVING count(*) > 1) RETURNING channel_id, slot, people)
    INSERT INTO channels.sightings (channel_id, id, slot, people)
    SELECT channel_id, uuidv7(), slot, sum(people) FROM gone GROUP BY channel_id, slot HAVING sum(people) <> 0
    """
)
RECOUNT = text(
    """
    WITH gone AS (DELETE FROM channels.sightings)
    INSERT INTO channels.sightings (channel_id, id, slot, people)
    SELECT channel_id, uuidv7(), slot, people FROM (
        SELECT channel_id, date_bin('15 minutes', seen_at, '2000-01-01 00:00:00+00') AS slot, count(*) AS people FROM channels.members
        WHERE seen_at IS NOT NULL AND status <> 'deleted' GROUP BY 1, 2) m
    """
)


def fold_sightings() -> None:
    """Gather the notes of each quarter of an hour into one; what they add up to stays the same at every moment."""
    db.session().execute(ONE_AT_A_TIME, {"channel": str(current_channel())})
    db.session().execute(FOLD)


def recount_sightings(*, by: Actor) -> None:
    """Make the notes anew from the people as they are; counting again changes nothing."""
    db.session().execute(ONE_AT_A_TIME, {"channel": str(current_channel())})
    db.session().execute(RECOUNT)
    audit.record("channels.recount_sightings", "sightings", by=by)
