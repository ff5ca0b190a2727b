"""What files cost, month by month of the academy's zone: processor time, bytes that lie in the store day by day, bytes given."""

from datetime import date
from uuid import UUID

from sqlalchemy import text

from lms.channels.queries import this_channel
from lms.content.models import PRICES
from lms.content.operations.watching import own_rule
from lms.core import audit, db
from lms.core.clock import local_day, now
from lms.core.decisions import Actor
from lms.core.ids import uuid7

NOTE = text(
    """
    INSERT INTO content.spent AS s (id, asset_id, month, cpu_ms, made_ms, given_bytes)
    VALUES (:id, :asset, :month, :cpu_ms, :made_ms, :given)
    ON CONFLICT (channel_id, asset_id, month) DO UPDATE SET cpu_ms = s.cpu_ms + excluded.cpu_ms,
        made_ms = s.made_ms + excluded.made_ms, given_bytes = s.given_bytes + excluded.given_bytes
    """
)
# A day is weighed once, however often it is asked for.
WEIGH = text(
    """
    INSERT INTO content.spent AS s (id, asset_id, month, original_days, cold_days, made_days, weighed_on)
    SELECT gen_random_uuid(), id, :month,
        CASE WHEN original_key <> '' AND NOT original_key LIKE 'cold/%' THEN size ELSE 0 END,
        CASE WHEN original_key LIKE 'cold/%' THEN size ELSE 0 END, made_bytes, :day
    FROM content.assets WHERE state <> 'uploading' AND (original_key <> '' OR made_bytes > 0)
    ON CONFLICT (channel_id, asset_id, month) DO UPDATE SET original_days = s.original_days + excluded.original_days,
        cold_days = s.cold_days + excluded.cold_days, made_days = s.made_days + excluded.made_days, weighed_on = excluded.weighed_on
    WHERE s.weighed_on IS NULL OR s.weighed_on < excluded.weighed_on
    """
)


def note_spent(asset_id: UUID, *, cpu_ms: int = 0, made_ms: int = 0, given: int = 0) -> None:
    """Add what was spent on a file just now: processor time, the length of film that was made ready, bytes given away."""
    values = {"asset": asset_id, "cpu_ms": cpu_ms, "made_ms": made_ms, "given": given}
    db.session().execute(NOTE, {**values, "id": uuid7(), "month": _today().replace(day=1)})


def weigh() -> None:
    """Add what lies in the store today; a second time on a day adds nothing."""
    db.session().execute(WEIGH, {"day": _today(), "month": _today().replace(day=1)})


def set_prices(prices: dict[str, int | None], *, by: Actor) -> None:
    """Say what an hour of processor time, a GB for a month and a GB given cost, in millionths of the academy's currency; None: not said."""
    audit.update(own_rule(), "content.set_prices", by=by, **{name: prices.get(name) for name in PRICES})


def _today() -> date:
    return local_day(now(), this_channel().zone)
