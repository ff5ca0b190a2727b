"""How many people were last here when, without counting them: what the database noted as they came."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import DateTime, bindparam, func, select, text

from lms.channels.models import Sighting
from lms.core import db
from lms.core.settled import Settled

SUM = Settled(
    lambda: select(func.coalesce(func.sum(Sighting.people), 0).label("people")).where(
        Sighting.slot >= bindparam("begin", type_=DateTime(timezone=True)), Sighting.slot < bindparam("end", type_=DateTime(timezone=True))
    )
)
FAULTS = text(
    """
    SELECT to_char(slot, 'YYYY-MM-DD HH24:MI') || ' UTC: ' || coalesce(there, 0) || ' people were last here within that quarter'
        || ' of an hour, and ' || coalesce(noted, 0) || ' are noted. Run: lms channel sightings'
    FROM (SELECT date_bin('15 minutes', seen_at, '2000-01-01 00:00:00+00') AS slot, count(*) AS there
        FROM channels.members WHERE seen_at IS NOT NULL AND status <> 'deleted' GROUP BY 1) m
    FULL JOIN (SELECT slot, sum(people) AS noted FROM channels.sightings GROUP BY 1) s USING (slot)
    WHERE coalesce(there, 0) <> coalesce(noted, 0) ORDER BY slot LIMIT 20
    """
)


def people_last_here(begin: datetime, end: datetime) -> int:
    """How many people were last here from one moment to before another, exactly; both begin a quarter of an hour. One query."""
    return int(SUM.rows(begin=begin, end=end)[0].people)


def sighting_faults() -> Sequence[str]:
    """Quarters of an hour for which the notes do not agree with the people, in plain sentences."""
    return list(db.session().scalars(FAULTS))
