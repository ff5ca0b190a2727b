"""Door 2: orders, and refunds to the wallet."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import get_member, members_by_id, this_channel
from lms.core.clock import local_day, now
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import locale as get_locale
from lms.core.money import Money, digits
from lms.core.reports import View
from lms.payments import operations, policies, queries
from lms.payments.errors import AlreadyRefunded
from lms.payments.forms import RefundForm
from lms.payments.models import Order
from lms.payments.reports import Movements, Orders, Refunds, Revenue
from lms.payments.reports.orders import METHODS, STATUSES
from lms.payments.reports.revenue import months_of
from lms.wallet.queries import find_transaction
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.charts import line_chart
from lms.web.idempotency import sent_once
from lms.web.lists import answer_list
from lms.web.toasts import toast
from lms.web.words import money
from lms.web.words import month as month_words

bp = Blueprint("payments_admin", __name__, url_prefix="/admin/payments")

MONTHS_DRAWN = 12
NEWEST = 10
RENEWED = timedelta(days=30)


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """What one person bought, and what was given back (a piece of their page)."""
    person = get_member(user_id)
    allow(policies.can_see_orders(actor()))
    theirs = View(filters=(("person", str(user_id)),))
    return fragment(
        "payments/admin/_people_show.html",
        page=url_for(".orders", person=user_id),
        person=person,
        orders=Orders().page(theirs, actor(), size=NEWEST),
        refunds=Refunds().page(theirs, actor(), size=NEWEST),
        methods=dict(METHODS),
        statuses=dict(STATUSES),
    )


@bp.route("/orders")
def orders() -> ResponseReturnValue:
    """What was bought."""
    allow(policies.can_see_orders(actor()))
    return answer_list(Orders(), "payments/admin/orders.html")


@bp.route("/orders/<uuid:order_id>")
def orders_show(order_id: UUID) -> ResponseReturnValue:
    """One order, with its booking and what was given back of it."""
    allow(policies.can_see_orders(actor()))
    order = queries.get_order(order_id)
    return render_template(
        "payments/admin/orders_show.html",
        order=order,
        person=get_member(order.user_id),
        transaction_id=find_transaction("order", order.id),
        refunds=queries.refunds_of(order.id),
        may_refund=policies.can_refund(actor()),
    )


@bp.route("/orders/<uuid:order_id>/refund", methods=["GET", "POST"])
@sent_once()
def orders_refund(order_id: UUID) -> ResponseReturnValue:
    """Refund an order to the wallet: money, access, progress and mails before the act, then the act."""
    order = queries.get_order(order_id)
    allow(policies.can_refund(actor()), fresh=True)
    form, page = _form(order), "payments/admin/orders_refund.html"
    if not form.is_submitted():
        return render_template(page, **_sheet(order, form))
    if form.validate():
        try:
            amount, ends = form.money(order), bool(form.ends_access.data)
            until = form.new_end(this_channel().zone)
            refund = operations.refund_order(order, amount, form.reason.data or "", ends_access=ends, money_until=until, by=actor())
            words = _("%(amount)s is back in the wallet.", amount=money(amount.minor, amount.currency))
            toast(words, tone="success", undo=url_for(".refunds_undo", refund_id=refund.id))
            return moved(url_for(".refunds_show", refund_id=refund.id))
        except (Invalid, AlreadyRefunded) as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, **_sheet(order, form))


@bp.route("/orders/<uuid:order_id>/refund/preview")
def orders_refund_preview(order_id: UUID) -> ResponseReturnValue:
    """What the refund in the form would do, while it is filled in."""
    order = queries.get_order(order_id)
    allow(policies.can_refund(actor()))
    page = url_for(".orders_refund", order_id=order.id)
    return fragment("payments/admin/_preview.html", page=page, **_sheet(order, _form(order)))


@bp.route("/revenue")
def revenue() -> ResponseReturnValue:
    """What came in less what went back, by month and course."""
    allow(policies.can_see_orders(actor()))
    currency = g.channel.currency
    months = months_of(currency, MONTHS_DRAWN)

    def say(value: int | float) -> str:
        return Money(round(value * 10 ** digits(currency)), currency).format(get_locale())

    def drawn(minor: int) -> float:  # whole units, as the axis shows them; a drawing may round, the list does not
        return float(Money(minor, currency).decimal)

    lines = [(_("Paid"), [drawn(paid) for _month, paid, _back in months]), (_("Left"), [drawn(paid - back) for _m, paid, back in months])]
    chart = line_chart(_("Revenue by month"), [month_words(month) for month, _paid, _back in months], lines, say=say, head=_("Month"))
    return answer_list(Revenue(), "payments/admin/revenue.html", chart=chart if months else None)


@bp.route("/movements")
def movements() -> ResponseReturnValue:
    """What the revenue is made of."""
    allow(policies.can_see_orders(actor()))
    return answer_list(Movements(), "payments/admin/movements.html")


@bp.route("/refunds")
def refunds() -> ResponseReturnValue:
    """What was given back."""
    allow(policies.can_see_orders(actor()))
    return answer_list(Refunds(), "payments/admin/refunds.html")


@bp.route("/refunds/<uuid:refund_id>")
def refunds_show(refund_id: UUID) -> ResponseReturnValue:
    """One refund, with its bookings, and the way back."""
    refund = queries.get_refund(refund_id)
    allow(policies.can_see_orders(actor()))
    people = members_by_id([one for one in (refund.user_id, refund.refunded_by, refund.undone_by) if one])
    return render_template(
        "payments/admin/refunds_show.html",
        refund=refund,
        order=queries.get_order(refund.order_id),
        people=people,
        may_undo=policies.can_undo(actor(), refund),
        bookings=[find_transaction(source, refund.id) for source in ("refund", "refund_undo")],
    )


@bp.route("/refunds/<uuid:refund_id>/undo", methods=["POST"])
def refunds_undo(refund_id: UUID) -> ResponseReturnValue:
    """Take a refund back, as long as its money is there; once."""
    refund = queries.get_refund(refund_id)
    allow(policies.can_refund(actor()))
    if refund.stands:
        operations.undo_refund(refund, by=actor())
        toast(_("The refund is taken back. The order is paid as it was."))
    return moved(url_for(".refunds_show", refund_id=refund.id))


def _form(order: Order) -> RefundForm:
    """The form of this order's refund, read from the body or, for the preview, from the address."""
    given = request.form if request.method == "POST" else request.args
    form = RefundForm(given or None)
    form.amount.currency = order.currency
    if given:
        form.amount.process(given)
    if not operations.expired_of(order).minor:
        del form.past, form.until
    elif not given:
        form.until.data = local_day(now(), this_channel().zone) + RENEWED
    form.how.choices[0].label = _("All that is left, %(amount)s", amount=money(order.refundable.minor, order.currency))
    return form


def _sheet(order: Order, form: RefundForm) -> dict[str, Any]:
    """What the sheet shows: the order, and what the form as it stands would do."""
    preview, why_not = None, ""
    try:
        preview = operations.preview_refund(order, form.money(order), ends_access=bool(form.ends_access.data))
    except (Invalid, AlreadyRefunded) as refusal:
        why_not = refusal.sentence
    return {"order": order, "form": form, "person": get_member(order.user_id), "preview": preview, "why_not": why_not}
