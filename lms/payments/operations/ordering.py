"""Orders: made, paid and booked in one transaction."""

from typing import Any
from uuid import UUID

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
from lms.payments.errors import OrderOpen, PriceChanged
from lms.payments.events import OrderPaid
from lms.payments.models import Order
from lms.vouchers.operations import Discount
from lms.wallet import operations as wallet

PAID = db.answering(
    Order,
    """
    INSERT INTO payments.orders (channel_id, id, user_id, course_id, title, amount_minor, currency, discount_minor, discount_note,
        redemption_id, status, method, created_at, paid_at)
    VALUES (:channel_id, :id, :user_id, :course_id, :title, :amount_minor, :currency, :discount_minor, :discount_note,
        :redemption_id, 'paid', :method, :at, :at)
    ON CONFLICT DO NOTHING RETURNING {columns}
    """,
)


def pay_from_wallet(user_id: UUID, course_id: UUID, price: Money, *, title: str = "", discount: Discount | None = None, by: Actor) -> Order:
    """Buy a course out of the wallet: order, ledger and OrderPaid in one transaction; bought already, it answers that order.

    `price` is what is paid, read by the server in this transaction; `discount` is the used coupon that made it so, and the order
    keeps it. A price of zero makes a free order and moves no money.
    Raises NotEnough when the wallet holds less, and nothing has happened.
    """
    if price.minor < 0:
        raise Invalid(_("A price cannot be below zero."))
    with db.session().begin_nested():
        order: Order | None = db.session().scalars(PAID, _values_of(user_id, course_id, price, title, discount)).one_or_none()
        if order is not None and price.minor:
            wallet.debit(user_id, price, source="order", reference_id=order.id, note=with_number(title, order.number), by=by)
    if order is None:
        return _the_same_order(user_id, course_id)
    after = {"amount_minor": price.minor, "currency": price.currency, "method": order.method, "discount_minor": order.discount_minor}
    audit.record("payments.pay", order, by=by, after=after)
    emit(
        OrderPaid(by=by.user_id, order_id=order.id, user_id=user_id, course_id=course_id, amount_minor=price.minor, currency=price.currency)
    )
    return order


def _values_of(user_id: UUID, course_id: UUID, price: Money, title: str, discount: Discount | None) -> dict[str, Any]:
    return {
        "channel_id": current_channel(),
        "id": uuid7(),
        "user_id": user_id,
        "course_id": course_id,
        "title": title,
        "amount_minor": price.minor,
        "currency": price.currency,
        "discount_minor": discount.off.minor if discount else 0,
        "discount_note": discount.words if discount else "",
        "redemption_id": discount.redemption_id if discount else None,
        "method": "wallet" if price.minor else "free",
        "at": now(),
    }


def with_number(title: str, number: str) -> str:
    """What a movement of the wallet is called: what it was for, and the number of its receipt."""
    return f"{title} · {number}" if title else number


def _the_same_order(user_id: UUID, course_id: UUID) -> Order:
    """The order that stands already."""
    order = queries.live_order(user_id, course_id)
    if order is None or order.status != "paid":
        raise OrderOpen(_("Another payment for this course is under way. Finish or cancel it first."), rule="pending")
    return order


def close_order(order: Order, *, by: Actor) -> None:
    """Let an order rest because what it bought has ended; the course can be bought again. Closing twice changes nothing."""
    if order.closed_at is None:
        audit.update(order, "payments.close", by=by, closed_at=now())


def confirm_price(shown_minor: int | None, price: Money, *, by: Actor) -> None:
    """Refuse when the price a person agreed to is no longer the price; a form that names none agrees to nothing."""
    if shown_minor != price.minor:
        raise PriceChanged(
            _("The price is %(price)s now. Look at it again, and confirm if it suits you.", price=price.format(by.locale)), rule="price"
        )
