"""The channel's own settings."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels import operations, policies, queries
from lms.channels.admin.door import bp
from lms.channels.forms import ChannelForm
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.money import is_currency
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.theme import BadColor, Theme, stylesheet
from lms.web.toasts import toast


@bp.route("/settings", methods=["GET", "POST"])
def settings() -> ResponseReturnValue:
    """The channel's name, money, zone and look."""
    channel = queries.this_channel()
    allow(policies.can_edit_channel(actor()))
    form = ChannelForm(
        obj=channel, color=channel.theme.get("color", Theme().color), strong_staff=bool(channel.settings.get("strong_staff"))
    )
    if not form.is_submitted():
        return render_template("channels/admin/settings.html", form=form)
    if form.strong_staff.data != bool(channel.settings.get("strong_staff")):
        allow(policies.can_edit_channel(actor()), fresh=True)
    try:
        if not form.validate():
            return invalid("channels/admin/settings.html", page="channels/admin/settings.html", form=form)
        if not is_currency(form.currency.data):
            raise Invalid("", fields={"currency": _("%(code)s is no currency. Use an ISO 4217 code such as EUR.", code=form.currency.data)})
        theme = {**channel.theme, "color": form.color.data}
        _check_theme(theme)
        demanded = operations.demand_strong_staff(channel, form.strong_staff.data, by=actor())
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("channels/admin/settings.html", page="channels/admin/settings.html", form=form)
    values = {key: form[key].data or "" for key in ("name", "tagline", "currency", "zone")}
    changed = operations.edit_channel(channel, {**values, "theme": theme}, by=actor())
    toast(_("Saved.") if changed or demanded else _("Nothing was changed."))
    return moved(url_for(".settings"))


def _check_theme(theme: dict[str, str]) -> None:
    try:
        stylesheet(Theme(**theme))
    except BadColor as error:
        raise Invalid(str(error), fields={"color": str(error)}) from error
