"""The academy's logo: sent as a picture, made anew, shown on every page and on printed sheets."""

from typing import Any

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels import operations, policies, queries
from lms.channels.admin.door import bp
from lms.channels.forms import LogoForm
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.cycle import close_work, open_work
from lms.web.toasts import toast


@bp.route("/logo", methods=["GET", "POST"])
def logo() -> ResponseReturnValue:
    """The logo, and another one in its place."""
    allow(policies.can_edit_channel(actor()))
    form, page = LogoForm(), "channels/admin/logo.html"
    if not form.is_submitted():
        return render_template(page, form=form)
    if form.validate():
        try:
            key = _stored(form.picture.data)
            operations.set_logo(queries.this_channel(), key, by=actor())
            toast(_("The logo is changed. Pages show it within seconds."))
            return moved(url_for(".logo"))
        except Refusal as refusal:
            form.refuse(Invalid(refusal.sentence, fields={"picture": refusal.sentence}))
    return invalid(page, page=page, form=form)


@bp.route("/logo/remove", methods=["POST"])
def logo_remove() -> ResponseReturnValue:
    """Show the sign of the house instead of a logo."""
    allow(policies.can_edit_channel(actor()))
    operations.set_logo(queries.this_channel(), None, by=actor())
    toast(_("The logo is gone."))
    return moved(url_for(".logo"))


def _stored(upload: Any) -> str:
    """The key of the picture that was sent. The transaction waits for no picture: a new one begins afterwards."""
    source = upload.read()
    close_work(commit=True)
    try:
        return operations.store_picture(source, g.channel.id)
    finally:
        open_work(read_only=False)
