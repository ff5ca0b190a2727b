"""Every SELECT of payments."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text

from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.payments.models import Order, Refund
from lms.wallet.models import Transaction
from lms.wallet.queries import causes_are_called

ORDERED = select(Order.number).where(Order.id == Transaction.reference_id).correlate(Transaction).scalar_subquery()
GIVEN_BACK = select(Refund.number).where(Refund.id == Transaction.reference_id).correlate(Transaction).scalar_subquery()
causes_are_called("order", ORDERED)
causes_are_called("refund", GIVEN_BACK)
causes_are_called("refund_undo", GIVEN_BACK)


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


def find_refund(refund_id: UUID) -> Refund | None:
    """One refund, or nothing."""
    return db.session().scalars(select(Refund).where(Refund.id == refund_id)).one_or_none()


def get_refund(refund_id: UUID) -> Refund:
    """One refund."""
    found = find_refund(refund_id)
    if found is None:
        raise NotFound(_("There is no such refund here."))
    return found


def lock_refund(refund_id: UUID) -> Refund:
    """One refund, fresh and locked until the transaction ends."""
    statement = select(Refund).where(Refund.id == refund_id).with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(statement).one_or_none()
    if found is None:
        raise NotFound(_("There is no such refund here."))
    return found


def refunds_of(order_id: UUID) -> Sequence[Refund]:
    """What was given back of an order, the newest first."""
    return db.session().scalars(select(Refund).where(Refund.order_id == order_id).order_by(Refund.refunded_at.desc(), Refund.id)).all()


def payment_faults() -> list[str]:
    """What is wrong with this channel's orders, in plain sentences: orders, refunds and bookings agree to the last unit."""
    return list(db.session().scalars(FAULTS))


FAULTS = text(
    """
    SELECT 'Order ' || o.id || ' of ' || o.amount_minor || ' ' || o.currency || ' is ' || o.status || ', and the ledger booked '
        || coalesce(e.amount_minor::text, 'nothing') || '.'
    FROM payments.orders o
    LEFT JOIN wallet.transactions t ON t.channel_id = o.channel_id AND t.source = 'order' AND t.reference_id = o.id
    LEFT JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.amount_minor < 0
    WHERE o.method = 'wallet' AND (CASE WHEN o.status IN ('paid', 'refunded') THEN coalesce(-e.amount_minor, 0) <> o.amount_minor
        ELSE t.id IS NOT NULL END)
    UNION ALL
    SELECT 'Refund ' || r.id || ' of ' || r.amount_minor || ' ' || r.currency || ' is ' || r.state || ', and the ledger booked '
        || coalesce(e.amount_minor::text, 'nothing') || ' and took back ' || coalesce(u.amount_minor::text, 'nothing') || '.'
    FROM payments.refunds r
    LEFT JOIN wallet.transactions t ON t.channel_id = r.channel_id AND t.source = 'refund' AND t.reference_id = r.id
    LEFT JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.amount_minor > 0
    LEFT JOIN wallet.transactions b ON b.channel_id = r.channel_id AND b.source = 'refund_undo' AND b.reference_id = r.id
    LEFT JOIN wallet.entries u ON u.channel_id = b.channel_id AND u.transaction_id = b.id AND u.amount_minor > 0
    WHERE e.amount_minor IS DISTINCT FROM r.amount_minor
        OR u.amount_minor IS DISTINCT FROM CASE WHEN r.state = 'undone' THEN r.amount_minor END
    UNION ALL
    SELECT 'Order ' || o.id || ' says that ' || o.refunded_minor || ' ' || o.currency || ' went back; its refunds say '
        || coalesce(sum(r.amount_minor), 0) || '.'
    FROM payments.orders o
    LEFT JOIN payments.refunds r ON r.channel_id = o.channel_id AND r.order_id = o.id AND r.state = 'applied'
    GROUP BY o.id, o.refunded_minor, o.currency, o.status, o.amount_minor
    HAVING o.refunded_minor <> coalesce(sum(r.amount_minor), 0)
        OR (o.status = 'refunded') <> (o.refunded_minor > 0 AND o.refunded_minor = o.amount_minor)
    UNION ALL
    SELECT 'The ledger booked ' || t.source || ' ' || t.reference_id || ', of which payments knows nothing.'
    FROM wallet.transactions t
    WHERE (t.source = 'order' AND NOT EXISTS (SELECT 1 FROM payments.orders o WHERE o.channel_id = t.channel_id
            AND o.id = t.reference_id AND o.method = 'wallet'))
        OR (t.source IN ('refund', 'refund_undo') AND NOT EXISTS (SELECT 1 FROM payments.refunds r
            WHERE r.channel_id = t.channel_id AND r.id = t.reference_id))
    LIMIT 20
    """
)
