"""Door 2: batches of vouchers, their one-time download, their codes and each code's trail."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import find_member, members_by_id, members_with_role, this_channel
from lms.core.clock import now, zone
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.ids import token
from lms.core.money import Money
from lms.vouchers import operations, policies, queries
from lms.vouchers.forms import BatchForm, DoneForm, SampleForm, VoidForm
from lms.vouchers.models import Batch
from lms.vouchers.operations import NewBatch
from lms.vouchers.operations.sheets import PART, Sheet, codes_csv, sheet_pdf
from lms.vouchers.reports import Batches, Codes
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.lists import answer_list, chosen_ids
from lms.web.toasts import toast
from lms.web.words import day, money, number

bp = Blueprint("vouchers_admin", __name__, url_prefix="/admin/vouchers")
SHOWN = 5


@bp.route("/batches")
def batches() -> ResponseReturnValue:
    """Every batch with how it stands."""
    allow(policies.can_manage(actor()))
    return answer_list(Batches(), "vouchers/admin/batches.html")


@bp.route("/batches/new", methods=["GET", "POST"])
def batches_new() -> ResponseReturnValue:
    """Make a batch; its codes are on the next page, once."""
    allow(policies.can_manage(actor()))
    channel, form = this_channel(), BatchForm()
    form.value.currency = form.sold_for_minor.currency = channel.currency
    form.owner.choices = [(str(member.id), member.name) for member in members_with_role("instructor", "admin", "owner")]
    if not form.is_submitted():
        form.seal.data, form.owner.data = token(), str(actor().user_id)
        return render_template(
            "vouchers/admin/batches_new.html", form=form, currency=channel.currency, sample=_sample(form, channel.currency)
        )
    form.value.process(request.form)
    form.sold_for_minor.process(request.form)
    if form.validate():
        try:
            made = operations.create_batch(_wish(form, channel.zone), seal=form.seal.data, by=actor())
            return _with_seal(moved(url_for(".batches_codes", batch_id=made.batch.id)), made.batch, form.seal.data or "")
        except Refusal as refusal:
            form.refuse(refusal)
    page = "vouchers/admin/batches_new.html"
    return invalid(page, page=page, form=form, currency=channel.currency, sample=_sample(form, channel.currency))


@bp.route("/batches/new/sample")
def batches_new_sample() -> ResponseReturnValue:
    """What the codes will look like and be worth, while the form is filled in."""
    allow(policies.can_manage(actor()))
    form, currency = SampleForm(request.args), this_channel().currency
    form.value.currency = currency
    form.value.process(request.args)
    form.validate()
    return fragment("vouchers/admin/_sample.html", page=url_for(".batches_new"), sample=_sample(form, currency))


@bp.route("/batches/<uuid:batch_id>")
def batches_show(batch_id: UUID) -> ResponseReturnValue:
    """One batch: how it stands, whether it agrees with the ledger, and its codes."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    envelope = queries.find_envelope(batch.id)
    return answer_list(
        Codes(batch),
        "vouchers/admin/batches_show.html",
        batch=batch,
        reconciled=queries.reconcile(batch),
        owner=find_member(batch.owner_id) if batch.owner_id else None,
        may_download=policies.can_open_envelope(actor(), envelope, at=now()),
        is_expired=batch.is_expired(now()),
    )


@bp.route("/batches/<uuid:batch_id>/codes")
def batches_codes(batch_id: UUID) -> ResponseReturnValue:
    """The one page that knows the codes: download them, then throw them away."""
    batch = queries.get_batch(batch_id)
    envelope = queries.find_envelope(batch.id)
    allow(policies.can_open_envelope(actor(), envelope, at=now()))
    codes = operations.open_codes(batch, seal=_seal_of(batch))
    assert envelope is not None
    parts = [(part + 1, part * PART + 1, min((part + 1) * PART, len(codes))) for part in range(-(-len(codes) // PART))]
    return render_template(
        "vouchers/admin/batches_codes.html", batch=batch, codes=codes[:SHOWN], parts=parts, form=DoneForm(), until=envelope.expires_at
    )


@bp.route("/batches/<uuid:batch_id>/codes/csv", methods=["POST"])
def batches_codes_csv(batch_id: UUID) -> ResponseReturnValue:
    """The codes as a file."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()))
    codes = operations.open_codes(batch, seal=_seal_of(batch))
    operations.mark_handed_out(batch, "sent", by=actor())
    operations.note_download(batch, "csv", len(codes), by=actor())
    return _file(
        codes_csv(batch, codes, origin=g.channel.origin, zone_name=g.channel.zone), "text/csv; charset=utf-8", f"{_file_name(batch)}.csv"
    )


@bp.route("/batches/<uuid:batch_id>/codes/sheet", methods=["POST"])
def batches_codes_sheet(batch_id: UUID) -> ResponseReturnValue:
    """The codes as cards to print, a thousand to a file."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()))
    codes = operations.open_codes(batch, seal=_seal_of(batch))
    part = max(1, request.form.get("part", 1, type=int))
    chosen = codes[(part - 1) * PART : part * PART]
    if not chosen:
        raise Invalid(_("This batch has no sheet with that number."))
    operations.mark_handed_out(batch, "printed", by=actor())
    operations.note_download(batch, "sheet", len(chosen), by=actor())
    sheet = Sheet(
        brand=g.channel.name,
        value=money(batch.value_minor, batch.currency),
        link=f"{g.channel.origin}{url_for('vouchers.redeem')}",
        until=_("valid until %(day)s", day=day(_last_day(batch, g.channel.zone))) if batch.expires_at else "",
        hint=_("Scan, or type the code at"),
        first_number=(part - 1) * PART + 1,
    )
    suffix = f"-{part}" if len(codes) > PART else ""
    return _file(sheet_pdf(sheet, chosen), "application/pdf", f"{_file_name(batch)}{suffix}.pdf")


@bp.route("/batches/<uuid:batch_id>/codes/done", methods=["POST"])
def batches_codes_done(batch_id: UUID) -> ResponseReturnValue:
    """Throw the codes away: from here on nobody can read them."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    operations.discard_codes(batch, by=actor())
    toast(_("The codes are yours alone now: this platform keeps only what it needs to know them again."))
    response = make_response(moved(url_for(".batches_show", batch_id=batch.id)))
    response.delete_cookie(_cookie_of(batch), path=url_for(".batches_show", batch_id=batch.id))
    return response


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
    count = operations.void_codes(batch, chosen, reason=form.reason.data or "", by=actor())
    toast(_("%(count)s codes are void.", count=number(count)))
    return moved(url_for(".batches_show", batch_id=batch.id))


@bp.route("/codes")
def codes() -> ResponseReturnValue:
    """Every code of every batch."""
    allow(policies.can_manage(actor()))
    return answer_list(Codes(), "vouchers/admin/codes.html")


@bp.route("/codes/<uuid:code_id>")
def codes_show(code_id: UUID) -> ResponseReturnValue:
    """The trail of one code: made, handed out, used by whom, booked where."""
    code = queries.get_code(code_id)
    allow(policies.can_manage(actor()))
    batch, steps, uses = (queries.get_batch(code.batch_id), queries.trail_of(code.id), queries.uses_of(code.id))
    people = members_by_id([use.redemption.user_id for use in uses] + ([batch.created_by] if batch.created_by else []))
    return render_template(
        "vouchers/admin/codes_show.html", code=code, batch=batch, steps=steps, uses=uses, people=people, state=code.state_on(now())
    )


# --- what the views above share --------------------------------------------------------------------------------------------------


def _wish(form: BatchForm, zone_name: str) -> NewBatch:
    """The batch the form asks for; its days are whole days in the academy's zone."""
    return NewBatch(
        label=form.label.data or "",
        value=form.value.data,
        count=form.count.data or 0,
        purpose=form.purpose.data or "",
        prefix=form.prefix.data or "",
        owner_id=UUID(form.owner.data),
        starts_at=datetime.combine(form.starts_at.data, time(), zone(zone_name)).astimezone(UTC) if form.starts_at.data else None,
        expires_at=datetime.combine(form.expires_at.data + timedelta(days=1), time(), zone(zone_name)).astimezone(UTC)
        if form.expires_at.data
        else None,
        per_person=form.per_person.data,
        uses_per_code=form.uses_per_code.data or 0,
        sold_for_minor=form.sold_for_minor.data.minor if form.sold_for_minor.data is not None else None,
    )


def _sample(form: BatchForm | SampleForm, currency: str) -> dict[str, str]:
    """A made-up code, its value, and the sentence on the button."""
    value = form.value.data if isinstance(form.value.data, Money) else None
    count, uses = form.count.data or 0, form.uses_per_code.data or 1
    prefix = (form.prefix.data or "")[:12]
    words = _("Create the codes")
    if value is not None and count and 0 < value.minor * count * uses < 10**18:
        words = _("Create %(count)s codes worth %(worth)s", count=number(count), worth=money(value.minor * count * uses, currency))
    return {
        "code": operations.a_sample_code(prefix if prefix.isalnum() and prefix.isascii() else ""),
        "value": money(value.minor, currency) if value is not None else money(0, currency),
        "button": words,
    }


def _cookie_of(batch: Batch) -> str:
    return f"codes-{batch.id.hex}"


def _seal_of(batch: Batch) -> str:
    return request.cookies.get(_cookie_of(batch), "")


def _with_seal(answer: ResponseReturnValue, batch: Batch, seal: str) -> Response:
    """The answer, with the seal in a cookie of this batch's pages: the browser holds the key, the database the envelope."""
    response = make_response(answer)
    response.set_cookie(
        _cookie_of(batch),
        seal,
        max_age=3600,
        path=url_for(".batches_show", batch_id=batch.id),
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Strict",
    )
    return response


def _file(body: bytes, kind: str, name: str) -> Response:
    response = make_response(body)
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _file_name(batch: Batch) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in batch.label.lower()).strip("-")
    return f"vouchers-{plain[:40] or batch.id.hex[:8]}"


def _last_day(batch: Batch, zone_name: str) -> datetime:
    assert batch.expires_at is not None
    return (batch.expires_at - timedelta(seconds=1)).astimezone(zone(zone_name))


def _chosen(batch: Batch) -> list[UUID] | None:
    """The codes the bulk form means; None for all of the batch."""
    if not request.form.get("id") and not request.form.get("all"):
        return None
    return list(chosen_ids(Codes(batch)))
