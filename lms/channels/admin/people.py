"""Everybody of the channel: the list, inviting one, importing many."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels import operations, policies
from lms.channels.admin.door import bp
from lms.channels.forms import InviteForm
from lms.channels.reports import People
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.bulk import answer_import
from lms.web.lists import answer_list
from lms.web.toasts import toast


@bp.route("/people")
def people() -> ResponseReturnValue:
    """Everybody of the channel."""
    allow(policies.can_manage_people(actor()))
    return answer_list(People(), "channels/admin/people.html")


@bp.route("/people/new", methods=["GET", "POST"])
def people_new() -> ResponseReturnValue:
    """Invite somebody by mail."""
    allow(policies.can_manage_people(actor()), fresh=True)
    form = InviteForm()
    if not form.is_submitted():
        form.role.data = request.args.get("role", "instructor")
        return render_template("channels/admin/people_new.html", form=form)
    if not form.validate():
        return invalid("channels/admin/people_new.html", page="channels/admin/people_new.html", form=form)
    try:
        member = operations.invite_person(form.name.data, form.email.data, form.role.data, by=actor())
    except Conflict as refusal:
        form.refuse(Invalid(refusal.sentence, fields=refusal.fields))
        return invalid("channels/admin/people_new.html", page="channels/admin/people_new.html", form=form)
    toast(_("%(name)s is invited. The mail is on its way to %(email)s.", name=member.name, email=member.email))
    return moved(url_for(".people_show", user_id=member.id))


@bp.route("/people/import", methods=["GET", "POST"])
def people_import() -> ResponseReturnValue:
    """Import people from a file or from pasted lines: first a plan, then the act."""
    allow(policies.can_manage_people(actor()))
    return answer_import("channels.import_people", "channels/admin/people_import.html")
