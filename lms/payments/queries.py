"""Every SELECT of payments."""

from uuid import UUID

from sqlalchemy import select, text

from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.payments.models import Order


def get_order(order_id: UUID) -> Order:
    """One order of this channel."""
    found = db.session().scalars(select(Order).where(Order.id == order_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such order here."))
    return found


def live_order(user_id: UUID, course_id: UUID) -> Order | None:
    """The person's order for a course that is open or paid and still stands."""
    query = select(Order).where(
        Order.user_id == user_id, Order.course_id == course_id, Order.status.in_(("pending", "paid")), Order.closed_at.is_(None)
    )
    return db.session().scalars(query).one_or_none()


def payment_faults() -> list[str]:
    """What is wrong with this channel's orders, in plain sentences: a paid wallet order and its booking agree to the last unit."""
    rows = db.session().scalars(
        text(
            """
            SELECT 'Order ' || o.id || ' of ' || o.amount_minor || ' ' || o.currency || ' is ' || o.status || ', and the ledger booked '
                || coalesce(e.amount_minor::text, 'nothing') || '.'
            FROM payments.orders o
            LEFT JOIN wallet.transactions t ON t.channel_id = o.channel_id AND t.source = 'order' AND t.reference_id = o.id
            LEFT JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.amount_minor < 0
            WHERE o.method = 'wallet' AND (CASE WHEN o.status IN ('paid', 'refunded') THEN coalesce(-e.amount_minor, 0) <> o.amount_minor
                ELSE t.id IS NOT NULL END) LIMIT 20
            """
        )
    )
    return list(rows)
