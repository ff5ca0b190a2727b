"""Door 2: people and the channel's own settings."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lms.auth import operations as accounts_operations
from lms.auth import queries as accounts
from lms.channels import operations, policies, queries
from lms.channels.forms import ChannelForm, InviteForm, PersonForm, RoleForm
from lms.channels.reports import People
from lms.core import db, plans
from lms.core.errors import Conflict, Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.models import AuditRow, Plan
from lms.core.money import is_currency
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.bulk import answer_import
from lms.web.history import told
from lms.web.lists import answer_list
from lms.web.theme import BadColor, Theme, stylesheet
from lms.web.toasts import toast

bp = Blueprint("channels_admin", __name__, url_prefix="/admin/channels")


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


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """One person: who they are, what they may do, and what they did."""
    member = queries.get_member(user_id)
    allow(policies.can_manage_people(actor()))
    rows = (
        db.session()
        .scalars(select(AuditRow).where(AuditRow.target_id == user_id).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(20))
        .all()
    )
    form = RoleForm(role=member.role)
    return render_template(
        "channels/admin/people_show.html",
        member=member,
        account=accounts.get_user(user_id),
        sessions=accounts.live_sessions(user_id),
        history=told(rows, about=user_id),
        role_form=form,
        may_edit=policies.can_edit_person(actor(), member),
        may_role=policies.can_give_role(actor(), member, member.role),
        may_suspend=policies.can_suspend(actor(), member),
    )


@bp.route("/people/<uuid:user_id>/edit", methods=["GET", "POST"])
def people_edit(user_id: UUID) -> ResponseReturnValue:
    """Change what is known of a person."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    form = PersonForm(obj=member)
    if not form.is_submitted():
        return render_template("channels/admin/people_edit.html", form=form, member=member)
    if not form.validate():
        return invalid("channels/admin/people_edit.html", page="channels/admin/people_edit.html", form=form, member=member)
    values = {key: form[key].data or "" for key in ("name", "title", "phone", "bio", "note")}
    changed = operations.edit_person(member, values, by=actor())
    toast(_("Saved.") if changed else _("Nothing was changed."))
    return moved(url_for(".people_show", user_id=user_id))


@bp.route("/people/<uuid:user_id>/role", methods=["POST"])
def people_role(user_id: UUID) -> ResponseReturnValue:
    """Give a person another role."""
    member = queries.get_member(user_id)
    form = RoleForm()
    if not form.validate():
        raise Invalid(_("Choose one of the roles."))
    allow(policies.can_give_role(actor(), member, form.role.data), fresh=True)
    plan = plans.do_now("channels.change_role", user_id, by=actor(), params={"role": form.role.data})
    if plan is not None:
        toast(_("%(name)s is %(role)s now.", name=member.name, role=form.role.data), undo=_undo(plan, user_id))
    return moved(url_for(".people_show", user_id=user_id))


@bp.route("/people/<uuid:user_id>/suspend", methods=["POST"])
def people_suspend(user_id: UUID) -> ResponseReturnValue:
    """Stop a person from signing in; nothing of theirs is lost."""
    member = queries.get_member(user_id)
    allow(policies.can_suspend(actor(), member))
    plan = plans.do_now("channels.suspend_people", user_id, by=actor())
    toast(_("%(name)s cannot sign in any more. Nothing of theirs was deleted.", name=member.name), undo=_undo(plan, user_id))
    return moved(url_for(".people_show", user_id=user_id))


@bp.route("/people/<uuid:user_id>/restore", methods=["POST"])
def people_restore(user_id: UUID) -> ResponseReturnValue:
    """Let a suspended person in again."""
    member = queries.get_member(user_id)
    allow(policies.can_suspend(actor(), member))
    plan = plans.do_now("channels.restore_people", user_id, by=actor())
    toast(_("%(name)s can sign in again.", name=member.name), undo=_undo(plan, user_id))
    return moved(url_for(".people_show", user_id=user_id))


@bp.route("/people/<uuid:user_id>/sign-out", methods=["POST"])
def people_sign_out(user_id: UUID) -> ResponseReturnValue:
    """Sign a person out of every browser and machine."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    count = accounts_operations.end_sessions(member.id, by=actor(), keep=actor().session_id if member.id == actor().user_id else None)
    toast(ngettext("Signed out of %(num)s browser.", "Signed out of %(num)s browsers.", count))
    return moved(url_for(".people_show", user_id=user_id))


@bp.route("/people/<uuid:user_id>/app-off", methods=["POST"])
def people_app_off(user_id: UUID) -> ResponseReturnValue:
    """Turn off the authenticator app of somebody who has lost it; staff are asked for a code by mail again."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member), fresh=True)
    operations.turn_app_off(member, by=actor())
    toast(_("%(name)s signs in without the app now.", name=member.name))
    return moved(url_for(".people_show", user_id=user_id))


def _undo(plan: Plan | None, user_id: UUID) -> str | None:
    """Where a single act is taken back; it leads to the person's page again."""
    return url_for("admin.plans_undo", plan_id=plan.id, back=url_for(".people_show", user_id=user_id)) if plan is not None else None


@bp.route("/people/<uuid:user_id>/invite", methods=["POST"])
def people_invite(user_id: UUID) -> ResponseReturnValue:
    """Send the invitation once more."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    operations.send_invitation(member, accounts.get_user(user_id), by=actor())
    toast(_("A new invitation is on its way. Earlier ones no longer work."))
    return moved(url_for(".people_show", user_id=user_id))


@bp.route("/settings", methods=["GET", "POST"])
def settings() -> ResponseReturnValue:
    """The channel's name, money, zone and look."""
    channel = queries.this_channel()
    allow(policies.can_edit_channel(actor()))
    form = ChannelForm(obj=channel, color=channel.theme.get("color", Theme().color))
    if not form.is_submitted():
        return render_template("channels/admin/settings.html", form=form)
    try:
        if not form.validate():
            return invalid("channels/admin/settings.html", page="channels/admin/settings.html", form=form)
        if not is_currency(form.currency.data):
            raise Invalid("", fields={"currency": _("%(code)s is no currency. Use an ISO 4217 code such as EUR.", code=form.currency.data)})
        theme = {**channel.theme, "color": form.color.data}
        _check_theme(theme)
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("channels/admin/settings.html", page="channels/admin/settings.html", form=form)
    values = {key: form[key].data or "" for key in ("name", "tagline", "currency", "zone")}
    changed = operations.edit_channel(channel, {**values, "theme": theme}, by=actor())
    toast(_("Saved.") if changed else _("Nothing was changed."))
    return moved(url_for(".settings"))


def _check_theme(theme: dict[str, str]) -> None:
    try:
        stylesheet(Theme(**theme))
    except BadColor as error:
        raise Invalid(str(error), fields={"color": str(error)}) from error
