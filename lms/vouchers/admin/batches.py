"""Batches: listed, made, looked at, made worthless."""

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import find_member, this_channel
from lms.core.clock import now
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.ids import token
from lms.core.money import Money
from lms.vouchers import operations, policies, queries
from lms.vouchers.admin.asking import fill_choices, prepared, sample_of, wish_of
from lms.vouchers.admin.door import bp, gives_of, money_lasts, with_seal
from lms.vouchers.forms import SampleForm, VoidForm, form_for
from lms.vouchers.models import KINDS, Batch
from lms.vouchers.operations import NewBatch
from lms.vouchers.plans import void_with_a_way_back
from lms.vouchers.reports import Batches, Codes
from lms.wallet.queries import adjustment_limit
from lms.web.access import ProofNeeded, actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.lists import answer_list, chosen_ids
from lms.web.toasts import toast
from lms.web.words import number


@bp.route("/batches")
def batches() -> ResponseReturnValue:
    """Every batch with how it stands."""
    allow(policies.can_manage(actor()))
    return answer_list(Batches(), "vouchers/admin/batches.html")


@bp.route("/batches/new", methods=["GET", "POST"])
def batches_new() -> ResponseReturnValue:
    """Make a batch of one of four kinds; its codes are on the next page, once."""
    allow(policies.can_manage(actor()))
    channel, kind = this_channel(), request.values.get("kind", "value")
    form = prepared(form_for(kind if kind in KINDS else "value"), channel.currency)
    page = "vouchers/admin/batches_new.html"
    if not form.is_submitted():
        form.seal.data, form.owner.data = token(), str(actor().user_id)
        return render_template(page, form=form, currency=channel.currency, sample=sample_of(form, channel.currency), proof=False)
    proof = False
    if form.validate():
        try:
            wish = wish_of(form, channel)
            allow(policies.can_manage(actor()), fresh=needs_proof(wish))
            made = operations.create_batch(wish, seal=form.seal.data, by=actor())
            return with_seal(moved(url_for(".batches_codes", batch_id=made.batch.id)), made.batch, form.seal.data or "")
        except ProofNeeded:
            form.form_errors = [_("A batch of that worth needs a fresh proof. Prove that it is you in another tab, then press again.")]
            proof = True
        except Refusal as refusal:
            form.refuse(refusal)
    sample = sample_of(form, channel.currency)
    return invalid(page, page=page, form=form, currency=channel.currency, sample=sample, proof=proof)


def needs_proof(wish: NewBatch) -> bool:
    """Whether a batch is worth more than an admin adjusts alone, so that the browser proves once more who sits at it."""
    limit = adjustment_limit()
    return limit is not None and wish.kind == "value" and wish.worth.minor > limit.minor


@bp.route("/batches/new/sample")
def batches_new_sample() -> ResponseReturnValue:
    """What the codes will look like and give, while the form is filled in."""
    allow(policies.can_manage(actor()))
    form, currency = SampleForm(request.args), this_channel().currency
    form.value.currency = currency
    form.value.process(request.args)
    fill_choices(form)
    form.validate()
    page = url_for(".batches_new", kind=form.kind.data or None)
    return fragment("vouchers/admin/_sample.html", page=page, sample=sample_of(form, currency))


@bp.route("/batches/<uuid:batch_id>")
def batches_show(batch_id: UUID) -> ResponseReturnValue:
    """One batch: how it stands, whether it agrees with the ledger, and its codes."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    envelope = queries.find_envelope(batch.id)
    courses = queries.courses_of(batch.id) if batch.kind != "value" or batch.is_gift else {}
    return answer_list(
        Codes(batch),
        "vouchers/admin/batches_show.html",
        batch=batch,
        reconciled=queries.reconcile(batch),
        owner=find_member(batch.owner_id) if batch.owner_id else None,
        may_download=policies.can_open_envelope(actor(), envelope, at=now()),
        courses=courses,
        gives=gives_of(batch, len(courses)),
        money_lasts=money_lasts(batch),
    )


@bp.route("/batches/<uuid:batch_id>/void", methods=["GET", "POST"])
def batches_void(batch_id: UUID) -> ResponseReturnValue:
    """Make codes worthless: those chosen in the list, or all that are open."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    form = VoidForm()
    chosen = _chosen(batch)
    page = "vouchers/admin/batches_void.html"
    touched = queries.open_among(batch.id, chosen)
    shown = {"form": form, "batch": batch, "chosen": chosen, "touched": touched, "worth": Money(touched.minor, batch.currency)}
    if not form.is_submitted():
        return render_template(page, **shown)
    if not form.validate():
        return invalid(page, page=page, **shown)
    reason = form.reason.data or ""
    plan = void_with_a_way_back(batch, chosen, reason=reason, by=actor())
    count = plan.applied_count if plan else operations.void_codes(batch, chosen, reason=reason, by=actor())
    undo = url_for("admin.plans_undo", plan_id=plan.id) if plan else _undo_of(batch)
    toast(ngettext("%(n)s code is void.", "%(n)s codes are void.", count, n=number(count)), undo=undo)
    return moved(url_for(".batches_show", batch_id=batch.id))


def _undo_of(batch: Batch) -> str | None:
    """Where the newest change of a batch is put back."""
    newest = queries.changes_of(batch.id, 1)
    return url_for(".batches_changes_undo", batch_id=batch.id, change_id=newest[0].id) if newest else None


@bp.route("/batches/<uuid:batch_id>/delete", methods=["POST"])
def batches_delete(batch_id: UUID) -> ResponseReturnValue:
    """Put a batch nobody used into the bin."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    if operations.delete_batch(batch, by=actor()):
        toast(_("%(batch)s lies in the bin for 30 days. Its codes are void until it is restored.", batch=batch.label))
    return moved(url_for(".batches"))


@bp.route("/batches/<uuid:batch_id>/archive", methods=["POST"])
def batches_archive(batch_id: UUID) -> ResponseReturnValue:
    """Put a batch of which nothing is outstanding out of the way."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    if operations.archive_batch(batch, by=actor()):
        toast(_("%(batch)s lies in the archive. The list shows it when you ask for the archive.", batch=batch.label))
    return moved(url_for(".batches"))


@bp.route("/batches/<uuid:batch_id>/unarchive", methods=["POST"])
def batches_unarchive(batch_id: UUID) -> ResponseReturnValue:
    """Bring a batch back into the list."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    if operations.unarchive_batch(batch, by=actor()):
        toast(_("%(batch)s stands in the list again.", batch=batch.label))
    return moved(url_for(".batches_show", batch_id=batch.id))


def _chosen(batch: Batch) -> list[UUID] | None:
    """The codes the bulk form means; None for all of the batch."""
    if not request.form.get("id") and not request.form.get("all"):
        return None
    return list(chosen_ids(Codes(batch)))
