"""Refunds to the wallet: the mirror of the sale, whole or in part; taken back as long as the money is there."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.payments import queries
from lms.payments.errors import AlreadyRefunded, BoughtAgain, MoneySpent
from lms.payments.events import OrderRefunded, RefundUndone
from lms.payments.models import Order, Refund
from lms.wallet import operations as wallet
from lms.wallet.errors import NotEnough
from lms.wallet.queries import balance_of

# The row's own condition decides, so that two refunds at once never give back more than was paid.
GIVE = text(
    """
    UPDATE payments.orders SET refunded_minor = refunded_minor + :amount, version = version + 1,
        status = CASE WHEN refunded_minor + :amount = amount_minor THEN 'refunded' ELSE status END,
        refunded_at = CASE WHEN refunded_minor + :amount = amount_minor THEN CAST(:at AS timestamptz) ELSE refunded_at END
    WHERE channel_id = :channel AND id = :order AND status = 'paid' AND method = 'wallet' AND refunded_minor + :amount <= amount_minor
    RETURNING refunded_minor = amount_minor AS is_whole, closed_at IS NOT NULL AS was_closed
    """
)
TAKE_BACK = text(
    """
    UPDATE payments.orders SET refunded_minor = refunded_minor - :amount, version = version + 1, status = 'paid', refunded_at = NULL,
        closed_at = CASE WHEN :reopens THEN NULL ELSE closed_at END
    WHERE channel_id = :channel AND id = :order AND status IN ('paid', 'refunded') AND refunded_minor >= :amount RETURNING id
    """
)
UNDO = text(
    """
    UPDATE payments.refunds SET state = 'undone', undone_at = :at, undone_by = :by
    WHERE channel_id = :channel AND id = :id AND state = 'applied' RETURNING id
    """
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a refund would do to the money and to the access."""

    amount: Money
    is_whole: bool
    ends_access: bool
    wallet_before: Money
    wallet_after: Money
    paid_after: Money


def preview_refund(order: Order, amount: Money, *, ends_access: bool) -> Preview:
    """What refunding this amount would do; raises Invalid (beside `amount`) or AlreadyRefunded when it cannot be."""
    _check(order, amount)
    before = balance_of(order.user_id, order.currency)
    is_whole = amount == order.refundable
    return Preview(amount, is_whole, ends_access or is_whole, before, before + amount, order.refundable - amount)


def refund_order(
    order: Order, amount: Money, reason: str, *, ends_access: bool = False, refund_id: UUID | None = None, by: Actor
) -> Refund:
    """Give the money of an order, or a part of it, back to the wallet it came from: one transaction, the mirror of the sale.

    What is left of an order refunded in full ends the access; a part does when asked to. The same `refund_id` twice refunds once.
    """
    known = queries.find_refund(refund_id) if refund_id is not None else None
    if known is not None:
        return known
    _check(order, amount)
    if not reason.strip() or len(reason.strip()) > 500:
        sentence = _("Say why in at most 500 characters; the person reads it.")
        raise Invalid(sentence, fields={"reason": sentence})
    made = uuid7() if refund_id is None else refund_id
    values = {"amount": amount.minor, "at": now(), "channel": current_channel(), "order": order.id}
    given = db.session().execute(GIVE, values).one_or_none()
    if given is None:
        raise AlreadyRefunded(_("Somebody has refunded this order meanwhile. Reload the page to see what is left."), rule="refunded")
    row = {
        "channel_id": current_channel(),
        "id": made,
        "order_id": order.id,
        "user_id": order.user_id,
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "reason": reason.strip(),
        "ends_access": ends_access or given.is_whole,
        "was_closed": given.was_closed,
        "refunded_at": values["at"],
        "refunded_by": by.user_id,
    }
    db.session().execute(insert(Refund).values(row))
    wallet.credit(order.user_id, amount, source="refund", reference_id=made, note=order.title, by=by)
    db.session().refresh(order)
    after = {key: row[key] for key in ("amount_minor", "currency", "reason", "ends_access")}
    audit.record("payments.refund", order, by=by, after={**after, "refund_id": made})
    refund = queries.get_refund(made)
    emit(_fact(OrderRefunded, refund, order, by))
    return refund


def undo_refund(refund: Refund, *, by: Actor) -> None:
    """Take a refund back: the money leaves the wallet again, the order is paid as it was, the access returns.

    Raises MoneySpent when the wallet holds less by now, BoughtAgain when the course was bought anew, AlreadyRefunded when it is undone.
    """
    order = queries.get_order(refund.order_id)
    values = {"channel": current_channel(), "id": refund.id, "at": now(), "by": by.user_id}
    if db.session().execute(UNDO, values).one_or_none() is None:
        raise AlreadyRefunded(_("This refund has been taken back already."), rule="undone")
    _reopen(order, refund)
    try:
        with db.session().begin_nested():
            wallet.debit(refund.user_id, refund.amount, source="refund_undo", reference_id=refund.id, note=order.title, by=by)
    except NotEnough as refusal:
        held = balance_of(refund.user_id, refund.currency).format(by.locale)
        raise MoneySpent(
            _("The money was spent: the wallet holds %(held)s of it. Ask the person to top it up first.", held=held), rule="spent"
        ) from refusal
    for row in (order, refund):
        db.session().refresh(row)
    audit.record("payments.undo_refund", order, by=by, before={"refund_id": refund.id}, after={"amount_minor": refund.amount_minor})
    emit(_fact(RefundUndone, refund, order, by))


def _reopen(order: Order, refund: Refund) -> None:
    reopens = refund.ends_access and not refund.was_closed
    values = {"amount": refund.amount_minor, "reopens": reopens, "channel": current_channel(), "order": order.id}
    try:
        with db.session().begin_nested():
            db.session().execute(TAKE_BACK, values).one()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", "") != "ix_orders_live":
            raise
        sentence = _("The course has been bought again since, so this refund stands. Refund the newer order instead.")
        raise BoughtAgain(sentence, rule="bought_again") from error


def _check(order: Order, amount: Money) -> None:
    if order.method != "wallet":
        raise Invalid(_("Nothing was paid for this order, so there is nothing to refund."), rule="free")
    if order.refundable.minor == 0 or order.status != "paid":
        raise AlreadyRefunded(_("This order has been refunded in full."), rule="refunded")
    if amount.currency != order.currency or not 0 < amount.minor <= order.refundable.minor:
        sentence = _("Refund between %(least)s and %(most)s.", least=Money(1, order.currency).format(), most=order.refundable.format())
        raise Invalid(sentence, fields={"amount": sentence})


def _fact(kind: type[OrderRefunded] | type[RefundUndone], refund: Refund, order: Order, by: Actor) -> OrderRefunded | RefundUndone:
    return kind(
        by=by.user_id,
        refund_id=refund.id,
        order_id=order.id,
        user_id=order.user_id,
        course_id=order.course_id,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        ends_access=refund.ends_access,
    )
