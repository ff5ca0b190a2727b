"""Door 3: orders."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint

from lms.payments import policies, queries
from lms.payments.reports import Orders
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Rows, answer_rows, endpoint

bp = Blueprint("payments_api", __name__, url_prefix="/api/v1/payments")


class OrderAnswer(Answer):
    """What one person bought, at the price it had then."""

    id: UUID
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
