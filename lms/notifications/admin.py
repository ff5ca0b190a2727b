"""Door 2: which mails an act will send, and which it stops."""

from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import get_member
from lms.core.i18n import gettext as _
from lms.notifications import operations, policies, queries
from lms.notifications.forms import defaults_form, defaults_said
from lms.notifications.models import KINDS
from lms.payments.queries import get_order
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.toasts import toast

bp = Blueprint("notifications_admin", __name__, url_prefix="/admin/notifications")


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """What one person was told and mailed (a piece of their page)."""
    person = get_member(user_id)
    allow(policies.can_see_mails_of(actor()))
    page = url_for("admin.system_mail", q=person.email)
    return fragment("notifications/admin/_people_show.html", page=page, person=person, told=queries.told(user_id, person.email))


@bp.route("/defaults", methods=["GET", "POST"])
def defaults() -> ResponseReturnValue:
    """How news comes to everybody who said nothing else."""
    allow(policies.can_set_defaults(actor()))
    kinds, page = list(KINDS.values()), "notifications/admin/defaults.html"
    form = defaults_form(kinds, queries.defaults())
    if not form.is_submitted():
        return render_template(page, form=form, kinds=kinds)
    if not form.validate():
        return invalid(page, page=page, form=form, kinds=kinds)
    saved = operations.set_defaults(defaults_said(form, kinds), by=actor())
    toast(_("Saved. Whoever chose something else keeps it.") if saved else _("Nothing was changed."))
    return moved(url_for(".defaults"))


@bp.route("/orders/<uuid:order_id>")
def orders_show(order_id: UUID) -> ResponseReturnValue:
    """The mails a refund of the order sends and stops (a piece of the order's refund)."""
    order = get_order(order_id)
    allow(policies.can_see_mails_of(actor()))
    return fragment(
        "notifications/admin/_orders_show.html",
        page=url_for("payments_admin.orders_show", order_id=order.id),
        order=order,
        person=get_member(order.user_id),
        reached=queries.find_reader(order.user_id) is not None,
        ways=queries.ways_of([order.user_id], "refund")[order.user_id],
    )
