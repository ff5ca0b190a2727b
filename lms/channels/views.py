"""Door 1: my own profile."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.auth import queries as accounts
from lms.channels import operations, policies, queries
from lms.channels.forms import ProfileForm
from lms.core.errors import Unauthenticated
from lms.core.i18n import gettext as _
from lms.core.i18n import languages
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast

bp = Blueprint("channels", __name__, url_prefix="/channels")


@bp.route("/profile", methods=["GET", "POST"])
def profile() -> ResponseReturnValue:
    """My name, language and time zone."""
    allow(policies.can_edit_self(actor()))
    user_id = actor().user_id
    if user_id is None:
        raise Unauthenticated(_("Sign in first."))
    user, member = accounts.get_user(user_id), queries.get_member(user_id)
    form = ProfileForm(obj=user, name=member.name)
    form.locale.choices = [(code, code) for code in languages()]
    if not form.is_submitted():
        return render_template("channels/profile.html", form=form, user=user)
    if not form.validate():
        return invalid("channels/profile.html", page="channels/profile.html", form=form, user=user)
    operations.edit_self(user, member, name=form.name.data, locale=form.locale.data, zone=form.zone.data, by=actor())
    toast(_("Saved."))
    return moved(url_for(".profile"))
