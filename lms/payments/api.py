"""Door 3: orders and refunds."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, url_for
from pydantic import Field

from lms.core.money import Money
from lms.payments import operations, policies, queries
from lms.payments.reports import Movements, Orders, Refunds, Revenue
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Moment, Rows, answer_rows, endpoint, located

bp = Blueprint("payments_api", __name__, url_prefix="/api/v1/payments")


class OrderAnswer(Answer):
    """What one person bought, at the price it had then."""

    id: UUID
    number: str
    user_id: UUID
    course_id: UUID
    title: str
    amount: Amount
    list_price: Amount
    discount_minor: int
    discount_note: str
    status: str
    method: str
    created_at: datetime
    paid_at: datetime | None
    refunded_at: datetime | None
    refunded_minor: int


@bp.get("/orders")
@endpoint(lists=Orders)
def orders() -> Rows:
    """What was bought."""
    allow(policies.can_see_orders(actor()))
    return answer_rows(Orders())


@bp.get("/orders/<uuid:order_id>")
@endpoint()
def orders_show(order_id: UUID) -> OrderAnswer:
    """One order."""
    order = queries.get_order(order_id)
    allow(policies.can_see_order(actor(), order))
    return OrderAnswer.model_validate(order)


class RefundRequest(Body):
    """How much of the order goes back (all that is left without an amount), why, and whether a part ends the access, too."""

    id: UUID | None = None
    amount: Amount | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    ends_access: bool = False
    money_until: Moment | None = None


class RefundAnswer(Answer):
    """Money that went back to a wallet: `applied`, or `undone` when it was taken back."""

    id: UUID
    number: str
    order_id: UUID
    user_id: UUID
    amount: Amount
    reason: str
    ends_access: bool
    money_until: datetime | None
    state: str
    refunded_at: datetime
    refunded_by: UUID | None
    undone_at: datetime | None
    undone_by: UUID | None


@bp.post("/orders/<uuid:order_id>/refund")
@endpoint(status=201, money=True)
def orders_refund(order_id: UUID, body: RefundRequest) -> RefundAnswer:
    """Give the money of an order back to the wallet it came from, in full or in part."""
    order = queries.get_order(order_id)
    allow(policies.can_refund(actor()))
    amount = Money(body.amount.minor, body.amount.currency) if body.amount else order.refundable
    choices: dict[str, Any] = {"ends_access": body.ends_access, "money_until": body.money_until}
    refund = operations.refund_order(order, amount, body.reason, **choices, refund_id=body.id, by=actor())
    located(url_for(".refunds_show", refund_id=refund.id))
    return RefundAnswer.model_validate(refund)


@bp.get("/revenue")
@endpoint(lists=Revenue)
def revenue() -> Rows:
    """What came in less what went back, by month and course."""
    allow(policies.can_see_orders(actor()))
    return answer_rows(Revenue())


@bp.get("/movements")
@endpoint(lists=Movements)
def movements() -> Rows:
    """Every sale, refund and refund taken back."""
    allow(policies.can_see_orders(actor()))
    return answer_rows(Movements())


@bp.get("/refunds")
@endpoint(lists=Refunds)
def refunds() -> Rows:
    """What was given back."""
    allow(policies.can_see_orders(actor()))
    return answer_rows(Refunds())


@bp.get("/refunds/<uuid:refund_id>")
@endpoint()
def refunds_show(refund_id: UUID) -> RefundAnswer:
    """One refund."""
    refund = queries.get_refund(refund_id)
    allow(policies.can_see_orders(actor()))
    return RefundAnswer.model_validate(refund)


@bp.post("/refunds/<uuid:refund_id>/undo")
@endpoint(money=True)
def refunds_undo(refund_id: UUID) -> RefundAnswer:
    """Take a refund back, as long as its money is there."""
    refund = queries.get_refund(refund_id)
    allow(policies.can_refund(actor()))
    operations.undo_refund(refund, by=actor())
    return RefundAnswer.model_validate(refund)
