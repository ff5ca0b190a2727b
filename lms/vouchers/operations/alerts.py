"""Alerts for the inbox: each stands there once while its cause lasts, leaves when somebody settles it, and comes back with the cause."""

from typing import Any

from sqlalchemy import text

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel
from lms.vouchers.models import Alert

SOON_DAYS = 7
LOW_PERCENT = 10
LOW_FROM = 10  # batches of fewer uses are watched by nobody

# What holds now: batches of which little is left, and batches that end soon with codes still out.
CAUSES = """
    SELECT 'low' AS cause, b.id AS batch_id, sum(c.max_uses - c.uses) || ' / ' || sum(c.max_uses) AS detail
    FROM vouchers.batches b JOIN vouchers.codes c ON c.channel_id = b.channel_id AND c.batch_id = b.id
    WHERE c.state NOT IN ('void', 'expired') AND (b.expires_at IS NULL OR b.expires_at > now())
    GROUP BY b.id HAVING sum(c.max_uses) >= :least AND sum(c.max_uses - c.uses) * 100 BETWEEN 1 AND sum(c.max_uses) * :percent
    UNION ALL
    SELECT 'expiring', b.id, to_char(b.expires_at, 'YYYY-MM-DD') FROM vouchers.batches b
    WHERE b.expires_at BETWEEN now() AND now() + :days * interval '1 day' AND EXISTS (
        SELECT 1 FROM vouchers.codes c WHERE c.channel_id = b.channel_id AND c.batch_id = b.id AND c.uses < c.max_uses
        AND c.state IN ('created', 'sent', 'printed'))
"""
RAISE = text(
    f"""
    INSERT INTO vouchers.alerts (channel_id, id, cause, batch_id, detail)
    SELECT :channel, gen_random_uuid(), cause, batch_id, detail FROM ({CAUSES}) holds
    ON CONFLICT (channel_id, cause, batch_id) WHERE ended_at IS NULL DO NOTHING
    """  # noqa: S608 -- parts of this file, no input
)
END = text(
    f"""
    UPDATE vouchers.alerts a SET ended_at = now() WHERE a.channel_id = :channel AND a.ended_at IS NULL AND a.cause <> 'guessing'
        AND NOT EXISTS (SELECT 1 FROM ({CAUSES}) holds WHERE holds.cause = a.cause AND holds.batch_id = a.batch_id)
    """  # noqa: S608 -- parts of this file, no input
)
WARN = text(
    """
    INSERT INTO vouchers.alerts (channel_id, id, cause, detail) VALUES (:channel, gen_random_uuid(), 'guessing', :detail)
    ON CONFLICT (channel_id, cause, batch_id) WHERE ended_at IS NULL DO NOTHING
    """
)


def raise_alerts() -> None:
    """Bring the alerts about batches in line with what holds now."""
    values: dict[str, Any] = {"channel": current_channel(), "least": LOW_FROM, "percent": LOW_PERCENT, "days": SOON_DAYS}
    db.session().execute(END, values)
    db.session().execute(RAISE, values)


def warn_of_guessing(tries: int, minutes: int) -> None:
    """Put unusual guessing into the inbox; while it stands there it is not said twice."""
    db.session().execute(
        WARN, {"channel": current_channel(), "detail": _("%(tries)s in %(minutes)s minutes", tries=tries, minutes=minutes)}
    )


def settle_alert(alert: Alert, *, by: Actor) -> bool:
    """Take an alert off the inbox; it comes back when its cause ends and returns. False when it was off already."""
    if alert.settled_at is not None or (alert.ended_at is not None and alert.cause != "guessing"):
        return False
    moment = now()
    ended = moment if alert.cause == "guessing" else alert.ended_at
    return audit.update(alert, "vouchers.settle_alert", by=by, settled_at=moment, settled_by=by.user_id, ended_at=ended)
