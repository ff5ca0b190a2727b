"""Where the academy's files lie, when originals go to the cold place, and what it costs."""

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.content import operations, policies, queries
from lms.content.admin.door import bp
from lms.content.forms import RoomForm
from lms.core.i18n import gettext as _
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast


@bp.route("/room", methods=["GET", "POST"])
def room() -> ResponseReturnValue:
    """What files take, by what it is, the rule for originals, and prices."""
    allow(policies.can_rule(actor()))
    form, page = RoomForm(), "content/admin/room.html"
    context = {"form": form, "room": queries.room(), "usage": queries.usage(), "currency": g.channel.currency}
    if not form.is_submitted():
        form.fill(queries.watching_rule())
        return render_template(page, **context)
    if not form.validate():
        return invalid(page, page=page, **context)
    operations.set_cooling(form.cold_after_days.data, by=actor())
    operations.set_prices(form.prices, by=actor())
    toast(_("Saved."))
    return moved(url_for(".room"))
