"""A batch changed afterwards: its terms, with a receipt that can be put back, and its unused codes replaced."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.models import Channel
from lms.channels.queries import members_by_id, this_channel
from lms.core.clock import local_day
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.ids import token
from lms.core.money import Money
from lms.vouchers import operations, policies, queries
from lms.vouchers.admin.asking import end_of, first_moment, ids_in, prepared, said
from lms.vouchers.admin.door import bp, with_seal
from lms.vouchers.forms import DoneForm, EditForm, ReplaceForm, domains_in, edit_form_for
from lms.vouchers.models import Batch
from lms.vouchers.operations import Receipt, Terms
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.toasts import toast
from lms.web.words import day, money, number


@bp.route("/batches/<uuid:batch_id>/edit", methods=["GET", "POST"])
def batches_edit(batch_id: UUID) -> ResponseReturnValue:
    """Change a batch; unused codes follow, used ones stay as they were used."""
    batch, channel = queries.get_batch(batch_id), this_channel()
    allow(policies.can_manage(actor()))
    form, page = prepared(edit_form_for(batch.kind), batch.currency), "vouchers/admin/batches_edit.html"
    shown = {"form": form, "batch": batch, "unused": queries.unused_of(batch.id), "totals": queries.totals_of([batch.id])[batch.id]}
    if not form.is_submitted():
        _fill(form, batch, channel)
        return render_template(page, **shown)
    if form.validate():
        try:
            wanted = _terms(form, batch, channel)
            receipt = operations.edit_batch(batch, wanted, version=int(form.version.data), revive=form.revive.data, by=actor())
            _say(receipt)
            return moved(url_for(".batches_show", batch_id=batch.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, **shown)


@bp.route("/batches/<uuid:batch_id>/changes")
def batches_changes(batch_id: UUID) -> ResponseReturnValue:
    """The receipts of a batch's changes."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    changes = queries.changes_of(batch.id)
    ids = [UUID(value) for row in changes for side in (row.before, row.after) for value in _ids_of(side or {})]
    words = _Words({str(person.id): person.name for person in members_by_id(ids).values()}, queries.courses_by_id(ids), batch.currency)
    receipts = [
        (
            row,
            [
                (words.label(name), words.of(name, was), words.of(name, (row.after or {}).get(name)))
                for name, was in (row.before or {}).items()
            ],
        )
        for row in changes
    ]
    page = url_for(".batches_show", batch_id=batch.id)
    return fragment("vouchers/admin/_changes.html", page=page, batch=batch, receipts=receipts, form=DoneForm())


@bp.route("/batches/<uuid:batch_id>/changes/<uuid:change_id>/undo", methods=["POST"])
def batches_changes_undo(batch_id: UUID, change_id: UUID) -> ResponseReturnValue:
    """Put a change back."""
    batch = queries.get_batch(batch_id)
    change = queries.get_change(batch.id, change_id)
    allow(policies.can_manage(actor()))
    if change.action == "vouchers.void":
        count = operations.undo_void(batch, change, by=actor())
        toast(ngettext("%(n)s code is valid again.", "%(n)s codes are valid again.", count, n=number(count)))
    else:
        _say(operations.undo_edit(batch, change, by=actor()))
    return moved(url_for(".batches_show", batch_id=batch.id))


@bp.route("/batches/<uuid:batch_id>/replace", methods=["GET", "POST"])
def batches_replace(batch_id: UUID) -> ResponseReturnValue:
    """Void the unused codes and make new ones on the same terms: the only way to have codes again."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    form, page = ReplaceForm(), "vouchers/admin/batches_replace.html"
    unused = queries.unused_of(batch.id)
    shown = {"form": form, "batch": batch, "unused": unused, "worth": Money(unused.minor, batch.currency)}
    if not form.is_submitted():
        form.seal.data = token()
        return render_template(page, **shown)
    if form.validate():
        try:
            made = operations.replace_unused(batch, reason=form.reason.data or "", seal=form.seal.data or "", by=actor())
            return with_seal(moved(url_for(".batches_codes", batch_id=made.batch.id)), made.batch, form.seal.data or "")
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, **shown)


# --- what the views above share --------------------------------------------------------------------------------------------------


def _say(receipt: Receipt) -> None:
    if not receipt.is_changed:
        toast(_("Nothing was changed."))
        return
    words = ngettext(
        "The change holds for %(n)s unused code.", "The change holds for %(n)s unused codes.", receipt.codes, n=number(receipt.codes)
    )
    if receipt.revived:
        words += " " + ngettext(
            "%(n)s expired code works again.", "%(n)s expired codes work again.", receipt.revived, n=number(receipt.revived)
        )
    toast(words, tone="success")


def _fill(form: EditForm, batch: Batch, channel: Channel) -> None:
    """The form as the batch is; days are whole days in the academy's zone."""
    terms = operations.terms_of(batch)
    known: dict[str, Any] = {
        "label": terms.label,
        "purpose": terms.purpose,
        "owner": str(terms.owner_id or ""),
        "value": batch.value,
        "percent": terms.percent,
        "course_ids": [str(course_id) for course_id in terms.course_ids],
        "starts_at": local_day(terms.starts_at, channel.zone) if terms.starts_at else None,
        "expires_at": local_day(terms.expires_at - timedelta(seconds=1), channel.zone) if terms.expires_at else None,
        "per_person": terms.per_person,
        "domains": ", ".join(terms.domains),
        "sold_for_minor": Money(terms.sold_for_minor, batch.currency) if terms.sold_for_minor is not None else None,
        "money_days": terms.money_days,
        "money_until": _last(terms.money_until, channel) if terms.money_until else None,
        "version": str(batch.version),
    }
    for name, value in known.items():
        if name in form:
            form[name].data = value


def _terms(form: EditForm, batch: Batch, channel: Channel) -> Terms:
    """The terms the form asks for; a day that was not touched keeps its very moment."""
    now_, sold_for, value = operations.terms_of(batch), said(form, "sold_for_minor"), said(form, "value")
    starts, ends = first_moment(said(form, "starts_at"), channel.zone), end_of(said(form, "expires_at"), channel.zone)
    return Terms(
        label=said(form, "label", ""),
        purpose=said(form, "purpose", ""),
        owner_id=UUID(form.owner.data),
        value_minor=value.minor if value is not None else batch.value_minor,
        percent=said(form, "percent"),
        course_ids=tuple(sorted(ids_in(said(form, "course_ids", ())))),
        starts_at=now_.starts_at
        if now_.starts_at and starts and local_day(now_.starts_at, channel.zone) == local_day(starts, channel.zone)
        else starts,
        expires_at=now_.expires_at if now_.expires_at and ends and _last(now_.expires_at, channel) == _last(ends, channel) else ends,
        per_person=said(form, "per_person"),
        domains=tuple(domains_in(said(form, "domains", ""))),
        sold_for_minor=sold_for.minor if sold_for is not None else None,
        money_days=said(form, "money_days"),
        money_until=end_of(said(form, "money_until"), channel.zone),
    )


def _last(moment: Any, channel: Channel) -> Any:
    return local_day(moment - timedelta(seconds=1), channel.zone)


def _ids_of(values: dict[str, Any]) -> list[str]:
    owner = [values["owner_id"]] if values.get("owner_id") else []
    return owner + list(values.get("course_ids") or ())


class _Words:
    """The values of a receipt in words."""

    def __init__(self, people: dict[str, str], courses: dict[UUID, str], currency: str) -> None:
        self.people, self.courses, self.currency = people, {str(key): title for key, title in courses.items()}, currency

    def label(self, name: str) -> str:
        return {
            "label": _("Name"),
            "purpose": _("Purpose"),
            "owner_id": _("Who answers for it"),
            "value_minor": _("Value of one code"),
            "percent": _("Percent off"),
            "course_ids": _("Courses"),
            "starts_at": _("Valid from"),
            "expires_at": _("Valid until"),
            "per_person": _("Limit per person"),
            "domains": _("Only for addresses at"),
            "sold_for_minor": _("Sold for"),
            "money_days": _("Days the money lasts"),
            "money_until": _("The money lasts until"),
        }.get(name, name)

    def of(self, name: str, value: Any) -> str:
        if value in (None, "", []):
            return "–"
        if name in ("value_minor", "sold_for_minor"):
            return money(value, self.currency)
        if name in ("starts_at", "expires_at", "money_until"):
            late = timedelta(seconds=1) if name != "starts_at" else timedelta()
            return day(datetime.fromisoformat(value) - late)
        if name == "owner_id":
            return self.people.get(value, "–")
        if name == "course_ids":
            return ", ".join(self.courses.get(one, "–") for one in value)
        return ", ".join(value) if isinstance(value, list) else str(value)
