"""Adjustments and their limit; readings of the books and what they found."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text

from lms.channels.models import Member
from lms.channels.queries import this_channel
from lms.core import db
from lms.core.doctor import faults_of_this_channel
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money, digits
from lms.wallet.models import Adjustment, Difference, Reading, Transaction
from lms.wallet.queries.called import causes_are_called

ASKED = select(Member.name).join(Adjustment, Adjustment.requested_by == Member.id).where(Adjustment.id == Transaction.reference_id)
causes_are_called("adjustment", ASKED.correlate(Transaction).scalar_subquery())
LIMIT = "adjustment_limit"
WITHOUT_SETTING = 100  # whole units; a currency without decimals counts a hundred times as many


def get_adjustment(adjustment_id: UUID) -> Adjustment:
    """One adjustment."""
    found = db.session().scalars(select(Adjustment).where(Adjustment.id == adjustment_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such adjustment here."))
    return found


def adjustment_limit() -> Money | None:
    """Up to what an admin adjusts alone within 24 hours; None for no limit. 100 euros, 10,000 yen, unless the channel says otherwise."""
    channel = this_channel()
    kept = channel.settings.get(LIMIT, {})
    if kept is None:
        return None
    if kept.get("currency") == channel.currency:
        return Money(int(kept["minor"]), channel.currency)
    return Money(WITHOUT_SETTING * 10 ** max(2, digits(channel.currency)), channel.currency)


def booked_alone(user_id: UUID, currency: str, *, since: datetime) -> int:
    """How much an admin has put in and taken out without a second person since a moment, in minor units."""
    total = select(func.coalesce(func.sum(func.abs(Adjustment.amount_minor)), 0)).where(
        Adjustment.requested_by == user_id,
        ~Adjustment.needs_second,
        Adjustment.currency == currency,
        Adjustment.requested_at >= since,
    )
    return int(db.session().scalar(total) or 0)


def adjustment_faults() -> list[str]:
    """Adjustments that do not agree with the ledger, in plain sentences."""
    rows = db.session().scalars(
        text(
            """
            SELECT 'Adjustment ' || coalesce(a.id, t.reference_id) || ' is '
                || coalesce(a.state || ' over ' || a.amount_minor || ' ' || a.currency, 'missing')
                || ', and the ledger booked ' || coalesce(e.amount_minor::text, 'nothing') || '.'
            FROM wallet.adjustments a
            FULL JOIN (SELECT * FROM wallet.transactions WHERE source = 'adjustment') t
                ON t.channel_id = a.channel_id AND t.reference_id = a.id
            LEFT JOIN (SELECT e.*, w.user_id FROM wallet.entries e
                JOIN wallet.accounts w ON w.channel_id = e.channel_id AND w.id = e.account_id) e
                ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.user_id = a.user_id
            WHERE CASE WHEN a.state = 'booked' THEN e.amount_minor IS DISTINCT FROM a.amount_minor OR t.currency <> a.currency
                ELSE t.id IS NOT NULL END LIMIT 20
            """
        )
    )
    return list(rows)


def book_faults() -> list[tuple[str, str]]:
    """Everything that does not agree in this channel: (subject, sentence)."""
    return faults_of_this_channel()


def find_reading(reading_id: UUID) -> Reading | None:
    """One reading of the books."""
    return db.session().scalars(select(Reading).where(Reading.id == reading_id)).one_or_none()


def waiting_reading(*, since: datetime) -> Reading | None:
    """The reading that was asked for and is not done yet."""
    query = select(Reading).where(Reading.done_at.is_(None), Reading.asked_at >= since).order_by(Reading.asked_at.desc()).limit(1)
    return db.session().scalars(query).one_or_none()


def last_reading() -> Reading | None:
    """The newest reading that is done."""
    query = select(Reading).where(Reading.done_at.is_not(None)).order_by(Reading.asked_at.desc(), Reading.id.desc()).limit(1)
    return db.session().scalars(query).one_or_none()


def open_differences() -> Sequence[Difference]:
    """What the last reading found, the oldest first."""
    return db.session().scalars(select(Difference).where(Difference.gone_at.is_(None)).order_by(Difference.found_at, Difference.id)).all()
