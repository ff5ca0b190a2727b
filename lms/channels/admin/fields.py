"""What the academy asks its people for, beyond what everybody is asked."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels import operations, policies, queries
from lms.channels.admin.door import bp
from lms.channels.forms import FIELD_KINDS, FieldForm
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast


@bp.route("/fields")
def fields() -> ResponseReturnValue:
    """Every field, retired ones too."""
    allow(policies.can_edit_channel(actor()))
    return render_template("channels/admin/fields.html", fields=queries.standing_fields(), kinds=dict(FIELD_KINDS))


@bp.route("/fields/new", methods=["GET", "POST"])
def fields_new() -> ResponseReturnValue:
    """Ask people for one thing more."""
    allow(policies.can_edit_channel(actor()))
    form, page = FieldForm(), "channels/admin/fields_new.html"
    if not form.is_submitted():
        return render_template(page, form=form)
    if form.validate():
        try:
            made = operations.add_field(form.label.data or "", form.kind.data, **_wishes(form), by=actor())
            toast(_("%(field)s stands on every profile and in the list of people now.", field=made.label))
            return moved(url_for(".fields"))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form)


@bp.route("/fields/<uuid:field_id>/edit", methods=["GET", "POST"])
def fields_edit(field_id: UUID) -> ResponseReturnValue:
    """Change a field; what people said stays."""
    field = queries.get_field(field_id)
    allow(policies.can_edit_channel(actor()))
    form, page = FieldForm(obj=field, data=None), "channels/admin/fields_edit.html"
    if not isinstance(form.choices.data, str):  # of the field itself, also when what was sent says nothing of choices
        form.choices.data = "\n".join(field.choices)
    if not form.is_submitted():
        return render_template(page, form=form, field=field)
    form.kind.data = field.kind
    if form.validate():
        try:
            changed = operations.edit_field(field, {"label": form.label.data, **_wishes(form)}, by=actor())
            toast(_("Saved.") if changed else _("Nothing was changed."))
            return moved(url_for(".fields"))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, field=field)


@bp.route("/fields/<uuid:field_id>/retire", methods=["POST"])
def fields_retire(field_id: UUID) -> ResponseReturnValue:
    """Ask for it no longer; what people said is kept."""
    field = queries.get_field(field_id)
    allow(policies.can_edit_channel(actor()))
    operations.retire_field(field, by=actor())
    toast(
        _("%(field)s is asked no longer. What people said is kept.", field=field.label), undo=url_for(".fields_restore", field_id=field.id)
    )
    return moved(url_for(".fields"))


@bp.route("/fields/<uuid:field_id>/restore", methods=["POST"])
def fields_restore(field_id: UUID) -> ResponseReturnValue:
    """Ask for it again."""
    field = queries.get_field(field_id)
    allow(policies.can_edit_channel(actor()))
    operations.restore_field(field, by=actor())
    toast(_("%(field)s is asked again.", field=field.label))
    return moved(url_for(".fields"))


def _wishes(form: Any) -> dict[str, Any]:
    choices = form.chosen() if form.kind.data == "choice" else []
    return {"choices": choices, "is_required": bool(form.is_required.data), "is_private": bool(form.is_private.data)}
