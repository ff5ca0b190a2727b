"""Door 2: orders."""

from uuid import UUID

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from lms.channels.queries import get_member
from lms.payments import policies, queries
from lms.payments.reports import Orders
from lms.wallet.queries import find_transaction
from lms.web.access import actor, allow
from lms.web.lists import answer_list

bp = Blueprint("payments_admin", __name__, url_prefix="/admin/payments")


@bp.route("/orders")
def orders() -> ResponseReturnValue:
    """What was bought."""
    allow(policies.can_see_orders(actor()))
    return answer_list(Orders(), "payments/admin/orders.html")


@bp.route("/orders/<uuid:order_id>")
def orders_show(order_id: UUID) -> ResponseReturnValue:
    """One order, with its booking."""
    allow(policies.can_see_orders(actor()))
    order = queries.get_order(order_id)
    return render_template(
        "payments/admin/orders_show.html", order=order, person=get_member(order.user_id), transaction_id=find_transaction("order", order.id)
    )
