"""The orders, and the refunds."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.reports import of_person, people_by
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report, Sought
from lms.payments import policies
from lms.payments.models import Order, Refund

STATUSES = (("paid", _l("Paid")), ("pending", _l("Pending")), ("refunded", _l("Refunded")), ("cancelled", _l("Cancelled")))
Giver = aliased(Member)
METHODS = (("wallet", _l("Wallet")), ("free", _l("Free")), ("card", _l("Card")), ("manual", _l("By hand")))


class Orders(Report):
    """What was bought, by whom, for how much."""

    name = "payments.orders"
    path = "/admin/payments/orders"
    title = _l("Orders")
    lead = _l("What was bought, by whom, for how much, and how it was paid.")
    key = Order.id
    href = "/admin/payments/orders/{id}"
    sort = "-created_at"
    empty = ("receipt", _l("No orders yet"), _l("An order appears when somebody enrols in a course."))
    columns = (
        Column("title", _l("Course"), Order.title),
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, shown=False),
        Column("number", _l("Number"), Order.number),
        Column("created_at", _l("Ordered"), Order.created_at, kind="time"),
        Column("amount", _l("Amount"), Order.amount_minor, kind="money", currency=Order.currency, total=True),
        Column(
            "discount", _l("Coupon"), Order.discount_minor, kind="money", currency=Order.currency, total=True, shown=False, nullable=False
        ),
        Column(
            "refunded",
            _l("Given back"),
            Order.refunded_minor,
            kind="money",
            currency=Order.currency,
            total=True,
            shown=False,
            nullable=False,
        ),
        Column("method", _l("Method"), Order.method, kind="state", words=dict(METHODS)),
        Column(
            "status",
            _l("Status"),
            Order.status,
            kind="state",
            words=dict(STATUSES),
            tones={"paid": "success", "pending": "warning", "refunded": "info", "cancelled": "neutral"},
        ),
        Column("paid_at", _l("Paid"), Order.paid_at, kind="time", shown=False),
    )
    filters = (
        Choice("status", _l("Status"), Order.status, options=STATUSES),
        Choice("method", _l("Method"), Order.method, options=METHODS),
        Period("created", _l("Ordered"), Order.created_at),
        Period("paid", _l("Paid"), Order.paid_at),
        of_person(Order.user_id),
    )
    search = (
        Sought(Order.id, (Order.title + " " + Order.number + " " + func.replace(Order.number, "-", ""),), "payments.find_orders"),
        people_by(Order.user_id),
    )

    def query(self, by: Actor) -> Select[Any]:
        """Every order with its person."""
        return select(Order).join(Member, Member.id == Order.user_id)

    def bare(self, by: Actor) -> Select[Any]:
        """The orders alone; every one has its person."""
        return select(Order)

    def allowed(self, by: Actor) -> Decision:
        """Who may see the orders."""
        return policies.can_see_orders(by)


class Refunds(Report):
    """What was given back, to whom, why."""

    name = "payments.refunds"
    title = _l("Refunds")
    lead = _l("What was given back to wallets, and what was taken back since.")
    key = Refund.id
    href = "/admin/payments/refunds/{id}"
    path = "/admin/payments/refunds"
    sort = "-refunded_at"
    empty = ("undo-2", _l("Nothing was refunded"), _l("Open an order to refund it, in full or in part."))
    columns = (
        Column("title", _l("Course"), Order.title),
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, shown=False),
        Column("number", _l("Number"), Refund.number),
        Column("order", _l("Order"), Order.number, shown=False),
        Column("amount", _l("Amount"), Refund.amount_minor, kind="money", currency=Refund.currency, total=True),
        Column("reason", _l("Reason"), Refund.reason),
        Column("ends_access", _l("Ends the access"), Refund.ends_access, kind="bool"),
        Column(
            "state",
            _l("Status"),
            Refund.state,
            kind="state",
            words={"applied": _l("Refunded"), "undone": _l("Taken back")},
            tones={"applied": "info", "undone": "neutral"},
        ),
        Column("refunded_at", _l("Refunded"), Refund.refunded_at, kind="time"),
        Column("refunded_by", _l("By"), Giver.name, nullable=True),
        Column("undone_at", _l("Taken back"), Refund.undone_at, kind="time", shown=False),
    )
    filters = (
        Choice("state", _l("Status"), Refund.state, options=(("applied", _l("Refunded")), ("undone", _l("Taken back")))),
        Period("refunded", _l("Refunded"), Refund.refunded_at),
        of_person(Refund.user_id),
    )
    search = (Order.title, Member.name, Member.email, Refund.reason, Refund.number, func.replace(Refund.number, "-", ""), Order.number)

    def query(self, by: Actor) -> Select[Any]:
        """Every refund with its order and people."""
        return (
            select(Refund)
            .join(Order, Order.id == Refund.order_id)
            .join(Member, Member.id == Refund.user_id)
            .outerjoin(Giver, Giver.id == Refund.refunded_by)
        )

    def allowed(self, by: Actor) -> Decision:
        """Who may see the refunds."""
        return policies.can_see_orders(by)
