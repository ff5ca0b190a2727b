"""The codes of a batch while they are known: looked at, downloaded, printed, thrown away."""

from uuid import UUID

from flask import g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import this_channel
from lms.core.clock import now
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.vouchers import jobs, operations, policies, queries
from lms.vouchers.admin.door import bp, cookie_of, file_name, file_of, gives_of, last_day, seal_of
from lms.vouchers.forms import DoneForm, SheetForm
from lms.vouchers.models import Batch
from lms.vouchers.operations.sheets import PART, Words, codes_csv, open_part
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, moved
from lms.web.theme import Theme, parse_color, to_hex
from lms.web.toasts import toast
from lms.web.words import day

SHOWN = 5


@bp.route("/batches/<uuid:batch_id>/codes")
def batches_codes(batch_id: UUID) -> ResponseReturnValue:
    """The one page that knows the codes: download them, then throw them away."""
    batch = queries.get_batch(batch_id)
    envelope = queries.find_envelope(batch.id)
    allow(policies.can_open_envelope(actor(), envelope, at=now()), fresh=True)
    codes = operations.open_codes(batch, seal=seal_of(batch))
    assert envelope is not None
    return render_template(
        "vouchers/admin/batches_codes.html",
        batch=batch,
        codes=codes[:SHOWN],
        form=DoneForm(),
        sheet_form=SheetForm(formdata=None),
        until=envelope.expires_at,
        gives=gives_of(batch, len(queries.course_ids_of(batch.id))),
    )


@bp.route("/batches/<uuid:batch_id>/codes/csv", methods=["POST"])
def batches_codes_csv(batch_id: UUID) -> ResponseReturnValue:
    """The codes as a file."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()), fresh=True)
    codes = operations.open_codes(batch, seal=seal_of(batch))
    operations.mark_handed_out(batch, "sent", by=actor())
    operations.note_download(batch, "csv", len(codes), by=actor())
    return file_of(
        codes_csv(batch, codes, origin=g.channel.origin, zone_name=g.channel.zone), "text/csv; charset=utf-8", f"{file_name(batch)}.csv"
    )


@bp.route("/batches/<uuid:batch_id>/codes/sheets", methods=["GET", "POST"])
def batches_codes_sheets(batch_id: UUID) -> ResponseReturnValue:
    """The sheets of a batch as they come along; a POST has another made."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()))
    page, form = url_for(".batches_codes", batch_id=batch.id), SheetForm()
    if not form.is_submitted():
        return fragment("vouchers/admin/_sheets.html", page=page, batch=batch, sheets=queries.sheets_of(batch.id))
    if not form.validate():
        raise Invalid(_("There is no such layout. Choose one of the list."))
    operations.open_codes(batch, seal=seal_of(batch))
    words = sheet_words(batch, has_marks=form.marks.data)
    sheet, ticket = operations.order_sheet(batch, form.layout.data, words, seal=seal_of(batch), by=actor())
    jobs.make_sheet.later(batch_id=str(batch.id), sheet_id=str(sheet.id), ticket=ticket)
    return changed("vouchers/admin/_sheets.html", otherwise=page, batch=batch, sheets=queries.sheets_of(batch.id))


@bp.route("/batches/<uuid:batch_id>/codes/sheets/<uuid:sheet_id>/file", methods=["POST"])
def batches_codes_sheets_file(batch_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    """One file of a sheet."""
    batch = queries.get_batch(batch_id)
    sheet = queries.get_sheet(batch.id, sheet_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()), fresh=True)
    operations.open_codes(batch, seal=seal_of(batch))
    part = request.form.get("part", 1, type=int)
    if not 1 <= part <= sheet.done:
        raise Invalid(_("This file is not ready yet. Wait a moment, then try again."))
    operations.note_download(batch, f"sheet, file {part}", min(PART, batch.code_count - (part - 1) * PART), by=actor())
    suffix = f"-{part}" if sheet.file_count > 1 else ""
    return file_of(open_part(sheet, part, seal=seal_of(batch)), "application/pdf", f"{file_name(batch)}{suffix}.pdf")


def sheet_words(batch: Batch, *, has_marks: bool) -> Words:
    """What stands on the cards, in the words of who has them made."""
    ends = _("valid until %(day)s", day=day(last_day(batch, g.channel.zone))) if batch.expires_at else ""
    return Words(
        brand=g.channel.name,
        color=to_hex(parse_color(Theme(**this_channel().theme).color)),
        gives=gives_of(batch, len(queries.course_ids_of(batch.id))),
        link=f"{g.channel.origin}{url_for('vouchers.redeem')}",
        until=ends,
        hint=_("Scan, or type the code at"),
        number=_("No."),
        has_marks=has_marks,
    )


@bp.route("/batches/<uuid:batch_id>/codes/done", methods=["POST"])
def batches_codes_done(batch_id: UUID) -> ResponseReturnValue:
    """Throw the codes away: from here on nobody can read them."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    operations.discard_codes(batch, by=actor())
    operations.discard_sheets(batch.id)
    toast(_("The codes are yours alone now: this platform keeps only what it needs to know them again."))
    response = make_response(moved(url_for(".batches_show", batch_id=batch.id)))
    response.delete_cookie(cookie_of(batch), path=url_for(".batches_show", batch_id=batch.id))
    return response
