"""One page per person, in parts; what higher modules know of the person loads into it as their own pieces."""

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from lms.auth import queries as accounts
from lms.channels import policies, queries
from lms.channels.admin.door import bp, head_of
from lms.channels.forms import RoleForm
from lms.channels.models import Member
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.web.access import actor, allow
from lms.web.history import told

HISTORY = 50


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """One person: who they are, and what they may do."""
    member = _member(user_id)
    return render_template(
        "channels/admin/people_show.html",
        **head_of(member, "people_show"),
        account=accounts.get_user(user_id),
        role_form=RoleForm(role=member.role),
        tags=queries.tags_of([user_id]).get(user_id, []),
        known_tags=[name for _tag_id, name in queries.tag_names()],
        own=_own(user_id),
        may_role=policies.can_give_role(actor(), member, member.role),
    )


@bp.route("/people/<uuid:user_id>/learning")
def people_learning(user_id: UUID) -> ResponseReturnValue:
    """What the person learns, how far they are, which live classes they came to, and why a lesson does not open."""
    return render_template("channels/admin/people_learning.html", **head_of(_member(user_id), "people_learning"))


@bp.route("/people/<uuid:user_id>/money")
def people_money(user_id: UUID) -> ResponseReturnValue:
    """The person's wallet, vouchers, orders and refunds."""
    return render_template("channels/admin/people_money.html", **head_of(_member(user_id), "people_money"))


@bp.route("/people/<uuid:user_id>/messages")
def people_messages(user_id: UUID) -> ResponseReturnValue:
    """What the person was told, and which of their messages others reported."""
    return render_template("channels/admin/people_messages.html", **head_of(_member(user_id), "people_messages"))


@bp.route("/people/<uuid:user_id>/sign-ins")
def people_sign_ins(user_id: UUID) -> ResponseReturnValue:
    """Where the person is signed in, and the ways to help somebody who cannot get in."""
    member = _member(user_id)
    account = accounts.get_user(user_id)
    return render_template(
        "channels/admin/people_sign_ins.html",
        **head_of(member, "people_sign_ins"),
        account=account,
        sessions=accounts.live_sessions(user_id),
        passkeys=len(accounts.passkeys_of(user_id)),
        may_send=policies.can_send_way_in(actor(), member, has_app=account.has_app),
    )


@bp.route("/people/<uuid:user_id>/history")
def people_history(user_id: UUID) -> ResponseReturnValue:
    """What was done to the person, and what the person did."""
    member = _member(user_id)
    rows = queries.history_of(user_id, limit=HISTORY + 1, before=_place(request.args.get("before", "")))
    older = rows[HISTORY - 1].id if len(rows) > HISTORY else None
    events = told(rows[:HISTORY], linked=True)
    return render_template("channels/admin/people_history.html", **head_of(member, "people_history"), events=events, older=older)


def _own(user_id: UUID) -> list[tuple[str, str]]:
    """What the academy's own fields say of a person: (label, value)."""
    values = queries.values_of([user_id]).get(user_id, {})
    words = {"yes": _("Yes"), "no": _("No")}
    fields = queries.fields_here()
    return [(one.label, words.get(said, said) if one.kind == "yesno" else said) for one in fields for said in [values.get(one.name, "")]]


def _member(user_id: UUID) -> Member:
    member = queries.get_member(user_id)
    allow(policies.can_manage_people(actor()))
    return member


def _place(raw: str) -> UUID | None:
    try:
        return UUID(raw) if raw else None
    except ValueError as error:
        raise Invalid(_("This address is not complete.")) from error
