"""How videos may be watched, and the devices a person watches on (a piece of their page)."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import get_member
from lms.content import operations, policies, queries
from lms.content.admin.door import bp
from lms.content.forms import WatchingForm
from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.toasts import toast


@bp.route("/watching", methods=["GET", "POST"])
def watching() -> ResponseReturnValue:
    """How videos may be watched: on how many screens at once, on how many devices, and with whose address over them."""
    allow(policies.can_rule(actor()))
    rule, page = queries.watching_rule(), "content/admin/watching.html"
    form = WatchingForm(data={name: getattr(rule, name) for name in ("most_screens", "most_devices", "has_watermark")})
    if not form.is_submitted():
        return render_template(page, form=form)
    if not form.validate():
        return invalid(page, page=page, form=form)
    operations.set_watching(form.most_screens.data, has_watermark=form.has_watermark.data, most_devices=form.most_devices.data, by=actor())
    toast(_("Saved."))
    return moved(url_for(".watching"))


@bp.route("/people/<uuid:user_id>/devices")
def people_devices(user_id: UUID) -> ResponseReturnValue:
    """The devices a person watches on."""
    member = get_member(user_id)
    allow(policies.can_rule(actor()))
    page = url_for("channels_admin.people_sign_ins", user_id=member.id)
    devices = queries.devices_of(member.id, queries.watching_rule().most_devices)
    return fragment("content/admin/_devices.html", page=page, member=member, devices=devices, at=now())


@bp.route("/people/<uuid:user_id>/devices/clear", methods=["POST"])
def people_devices_clear(user_id: UUID) -> ResponseReturnValue:
    """Forget every device a person watches on, and how often they changed them."""
    member = get_member(user_id)
    allow(policies.can_rule(actor()))
    count = operations.clear_devices(member.id, by=actor())
    toast(ngettext("%(num)s device was forgotten.", "%(num)s devices were forgotten.", count))
    page = url_for("channels_admin.people_sign_ins", user_id=member.id)
    devices = queries.devices_of(member.id, queries.watching_rule().most_devices)
    return changed("content/admin/_devices.html", otherwise=page, member=member, devices=devices, at=now())
