"""What is done to one person: known things changed, a role given, suspended and let in, signed out; each says how it is taken back."""

from uuid import UUID

from flask import render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.auth import operations as accounts_operations
from lms.auth import queries as accounts
from lms.channels import operations, policies, queries
from lms.channels.admin.door import bp
from lms.channels.forms import PersonForm, RoleForm, TagForm, ViewAsForm, said_in, with_fields
from lms.core import plans
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.models import Plan
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast
from lms.web.viewing import KEY


@bp.route("/people/<uuid:user_id>/edit", methods=["GET", "POST"])
def people_edit(user_id: UUID) -> ResponseReturnValue:
    """Change what is known of a person."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    fields, page = queries.fields_here(), "channels/admin/people_edit.html"
    form = with_fields(PersonForm, fields)(obj=member, data=queries.values_of([user_id]).get(user_id, {}))
    own = [one.name for one in fields]
    if not form.is_submitted():
        return render_template(page, form=form, member=member, own=own)
    if not form.validate():
        return invalid(page, page=page, form=form, member=member, own=own)
    values = {key: form[key].data or "" for key in ("name", "title", "phone", "bio", "note")}
    changed = operations.edit_person(member, values, by=actor())
    changed = operations.set_traits(member, said_in(form, fields), by=actor()) or changed
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
    return moved(url_for(".people_sign_ins", user_id=user_id))


@bp.route("/people/<uuid:user_id>/app-off", methods=["POST"])
def people_app_off(user_id: UUID) -> ResponseReturnValue:
    """Turn off the authenticator app of somebody who has lost it; staff are asked for a code by mail again."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member), fresh=True)
    operations.turn_app_off(member, by=actor())
    toast(_("%(name)s signs in without the app now.", name=member.name))
    return moved(url_for(".people_sign_ins", user_id=user_id))


def _undo(plan: Plan | None, user_id: UUID) -> str | None:
    """Where a single act is taken back; it leads to the person's page again."""
    return url_for("admin.plans_undo", plan_id=plan.id, back=url_for(".people_show", user_id=user_id)) if plan is not None else None


@bp.route("/people/<uuid:user_id>/passkeys-forget", methods=["POST"])
def people_passkeys_forget(user_id: UUID) -> ResponseReturnValue:
    """Take away the passkeys of somebody who has lost them; they sign in another way and make new ones."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member), fresh=True)
    operations.forget_passkeys(member, by=actor())
    toast(_("The passkeys of %(name)s do not work any more.", name=member.name))
    return moved(url_for(".people_sign_ins", user_id=user_id))


@bp.route("/people/<uuid:user_id>/invite", methods=["POST"])
def people_invite(user_id: UUID) -> ResponseReturnValue:
    """Send the invitation once more."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    operations.send_invitation(member, accounts.get_user(user_id), by=actor())
    toast(_("A new invitation is on its way. Earlier ones no longer work."))
    return moved(url_for(".people_show", user_id=user_id))


@bp.route("/people/<uuid:user_id>/way-in", methods=["POST"])
def people_way_in(user_id: UUID) -> ResponseReturnValue:
    """Mail a link with which somebody who cannot get in chooses a new password."""
    member = queries.get_member(user_id)
    account = accounts.get_user(user_id)
    allow(policies.can_send_way_in(actor(), member, has_app=account.has_app))
    operations.send_way_in(member, account, by=actor())
    toast(_("A link to choose a new password is on its way to %(email)s. Earlier links no longer work.", email=member.email))
    return moved(url_for(".people_sign_ins", user_id=user_id))


@bp.route("/people/<uuid:user_id>/view-as", methods=["GET", "POST"])
def people_view_as(user_id: UUID) -> ResponseReturnValue:
    """Look at the pages as this person, with a reason: read-only, for half an hour."""
    member = queries.get_member(user_id)
    allow(policies.can_view_as(actor(), member), fresh=True)
    form, page = ViewAsForm(), "channels/admin/people_view_as.html"
    if not form.is_submitted():
        return render_template(page, form=form, member=member)
    if not form.validate():
        return invalid(page, page=page, form=form, member=member)
    session[KEY] = str(operations.start_viewing(member, form.reason.data or "", by=actor()).id)
    return moved("/admin/" if member.is_staff else "/enrollments/")


@bp.route("/people/<uuid:user_id>/tags", methods=["POST"])
def people_tags(user_id: UUID) -> ResponseReturnValue:
    """Give a person a tag, or take one away; either can be taken back."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    form = TagForm()
    if not form.validate():
        raise Invalid(_("Write a tag."))
    act = "channels.remove_tag" if request.form.get("away") else "channels.add_tag"
    plan = plans.do_now(act, user_id, by=actor(), params={"tag": form.tag.data})
    if plan is not None:
        words = _("The tag %(tag)s is gone.") if request.form.get("away") else _("Tagged: %(tag)s.")
        toast(words % {"tag": form.tag.data}, undo=_undo(plan, user_id))
    return moved(url_for(".people_show", user_id=user_id))
