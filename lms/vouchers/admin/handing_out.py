"""The codes of a batch while they are known: looked at, downloaded, printed, thrown away."""

from uuid import UUID

from flask import g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.vouchers import operations, policies, queries
from lms.vouchers.admin.door import bp, cookie_of, file_name, file_of, gives_of, last_day, seal_of
from lms.vouchers.forms import DoneForm
from lms.vouchers.operations.sheets import PART, Sheet, codes_csv, sheet_pdf
from lms.web.access import actor, allow
from lms.web.answers import moved
from lms.web.toasts import toast
from lms.web.words import day

SHOWN = 5


@bp.route("/batches/<uuid:batch_id>/codes")
def batches_codes(batch_id: UUID) -> ResponseReturnValue:
    """The one page that knows the codes: download them, then throw them away."""
    batch = queries.get_batch(batch_id)
    envelope = queries.find_envelope(batch.id)
    allow(policies.can_open_envelope(actor(), envelope, at=now()))
    codes = operations.open_codes(batch, seal=seal_of(batch))
    assert envelope is not None
    parts = [(part + 1, part * PART + 1, min((part + 1) * PART, len(codes))) for part in range(-(-len(codes) // PART))]
    return render_template(
        "vouchers/admin/batches_codes.html",
        batch=batch,
        codes=codes[:SHOWN],
        parts=parts,
        form=DoneForm(),
        until=envelope.expires_at,
        gives=gives_of(batch, len(queries.course_ids_of(batch.id))),
    )


@bp.route("/batches/<uuid:batch_id>/codes/csv", methods=["POST"])
def batches_codes_csv(batch_id: UUID) -> ResponseReturnValue:
    """The codes as a file."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()))
    codes = operations.open_codes(batch, seal=seal_of(batch))
    operations.mark_handed_out(batch, "sent", by=actor())
    operations.note_download(batch, "csv", len(codes), by=actor())
    return file_of(
        codes_csv(batch, codes, origin=g.channel.origin, zone_name=g.channel.zone), "text/csv; charset=utf-8", f"{file_name(batch)}.csv"
    )


@bp.route("/batches/<uuid:batch_id>/codes/sheet", methods=["POST"])
def batches_codes_sheet(batch_id: UUID) -> ResponseReturnValue:
    """The codes as cards to print, a thousand to a file."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()))
    codes = operations.open_codes(batch, seal=seal_of(batch))
    part = max(1, request.form.get("part", 1, type=int))
    chosen = codes[(part - 1) * PART : part * PART]
    if not chosen:
        raise Invalid(_("This batch has no sheet with that number."))
    operations.mark_handed_out(batch, "printed", by=actor())
    operations.note_download(batch, "sheet", len(chosen), by=actor())
    sheet = Sheet(
        brand=g.channel.name,
        value=gives_of(batch, len(queries.course_ids_of(batch.id))),
        link=f"{g.channel.origin}{url_for('vouchers.redeem')}",
        until=_("valid until %(day)s", day=day(last_day(batch, g.channel.zone))) if batch.expires_at else "",
        hint=_("Scan, or type the code at"),
        first_number=(part - 1) * PART + 1,
    )
    suffix = f"-{part}" if len(codes) > PART else ""
    return file_of(sheet_pdf(sheet, chosen), "application/pdf", f"{file_name(batch)}{suffix}.pdf")


@bp.route("/batches/<uuid:batch_id>/codes/done", methods=["POST"])
def batches_codes_done(batch_id: UUID) -> ResponseReturnValue:
    """Throw the codes away: from here on nobody can read them."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    operations.discard_codes(batch, by=actor())
    toast(_("The codes are yours alone now: this platform keeps only what it needs to know them again."))
    response = make_response(moved(url_for(".batches_show", batch_id=batch.id)))
    response.delete_cookie(cookie_of(batch), path=url_for(".batches_show", batch_id=batch.id))
    return response
