"""Refunds to the wallet: the mirror of the sale, whole or in part; taken back as long as the money is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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
from lms.payments.operations.ordering import with_number
from lms.wallet import operations as wallet
from lms.wallet.errors import NotEnough
from lms.wallet.models import account_id_of
from lms.wallet.operations.dating import FARTHEST
from lms.wallet.queries import Share, balance_of, find_transaction, shares_back

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
    shares: Sequence[Share]

    @property
    def expired(self) -> Money:
        """How much of it has expired since it was spent."""
        past = [share.amount.minor for share in self.shares if share.is_past]
        return Money(sum(past), self.amount.currency)


def preview_refund(order: Order, amount: Money, *, ends_access: bool) -> Preview:
    """What refunding this amount would do; raises Invalid (beside `amount`) or AlreadyRefunded when it cannot be."""
    _check(order, amount)
    before = balance_of(order.user_id, order.currency)
    is_whole = amount == order.refundable
    moved = find_transaction("order", order.id)
    shares = shares_back(moved, order.user_id, amount) if moved is not None else []
    return Preview(amount, is_whole, ends_access or is_whole, before, before + amount, order.refundable - amount, shares)


def expired_of(order: Order) -> Money:
    """How much of what an order can still give back has expired since it was spent."""
    moved = find_transaction("order", order.id) if order.refundable.minor else None
    shares = shares_back(moved, order.user_id, order.refundable) if moved is not None else []
    return Money(sum(share.amount.minor for share in shares if share.is_past), order.currency)


def refund_order(
    order: Order,
    amount: Money,
    reason: str,
    *,
    ends_access: bool = False,
    money_until: datetime | None = None,
    refund_id: UUID | None = None,
    by: Actor,
) -> Refund:
    """Give the money of an order, or a part of it, back to the wallet it came from: one transaction, the mirror of the sale.

    Money with a date goes back with it; what of it has expired since lasts until `money_until`, and without that it expires now.
    What is left of an order refunded in full ends the access; a part does when asked to. The same `refund_id` twice refunds once.
    """
    known = queries.find_refund(refund_id) if refund_id is not None else None
    if known is not None:
        return known
    _check(order, amount)
    _check_words(reason, money_until)
    moment = now()
    is_whole, was_closed = _take_off(order, amount, moment)
    row: dict[str, Any] = {
        "channel_id": current_channel(),
        "id": refund_id or uuid7(),
        "order_id": order.id,
        "user_id": order.user_id,
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "reason": reason.strip(),
        "ends_access": ends_access or is_whole,
        "was_closed": was_closed,
        "money_until": money_until,
        "refunded_at": moment,
        "refunded_by": by.user_id,
    }
    db.session().execute(insert(Refund).values(row))
    refund = queries.get_refund(row["id"])
    _give_back(refund, order, by)
    return refund


def _take_off(order: Order, amount: Money, moment: datetime) -> tuple[bool, bool]:
    """Note on the order what goes back; whether that is all of it, and whether its access was closed before."""
    values = {"amount": amount.minor, "at": moment, "channel": current_channel(), "order": order.id}
    given = db.session().execute(GIVE, values).one_or_none()
    if given is None:
        raise AlreadyRefunded(_("Somebody has refunded this order meanwhile. Reload the page to see what is left."), rule="refunded")
    return given.is_whole, given.was_closed


def _give_back(refund: Refund, order: Order, by: Actor) -> None:
    """Book the refund and say so; what of it has expired, and is not given a new day, goes to the expired account at once."""
    dating = wallet.Dating(until=refund.money_until, mirrors=find_transaction("order", order.id))
    note = with_number(order.title, refund.number)
    wallet.credit(order.user_id, refund.amount, source="refund", reference_id=refund.id, note=note, by=by, dating=dating)
    wallet.expire_money([account_id_of(current_channel(), "student", order.user_id, refund.currency)])
    db.session().refresh(order)
    after = {key: getattr(refund, key) for key in ("amount_minor", "currency", "reason", "ends_access", "money_until")}
    audit.record("payments.refund", order, by=by, after={**after, "refund_id": refund.id})
    emit(_fact(OrderRefunded, refund, order, by))


def _check_words(reason: str, money_until: datetime | None) -> None:
    if not reason.strip() or len(reason.strip()) > 500:
        sentence = _("Say why in at most 500 characters; the person reads it.")
        raise Invalid(sentence, fields={"reason": sentence})
    if money_until is not None and not now() < money_until <= now() + FARTHEST:
        sentence = _("The new last day lies ahead, and at most ten years.")
        raise Invalid(sentence, fields={"until": sentence})


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
            undone = wallet.Dating(mirrors=find_transaction("refund", refund.id))
            note = with_number(order.title, refund.number)
            wallet.debit(refund.user_id, refund.amount, source="refund_undo", reference_id=refund.id, note=note, by=by, dating=undone)
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
