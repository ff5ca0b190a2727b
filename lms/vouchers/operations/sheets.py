"""The two forms codes leave in: a CSV file, and pages to print. A sheet is made by a worker and lies encrypted with the browser's seal."""

import base64
import csv
import io
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete

from lms.config import ROOT
from lms.core import db, signing
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.core.paper import pdf_of
from lms.core.storage import storage
from lms.vouchers import queries
from lms.vouchers.models import Batch, Sheet
from lms.vouchers.operations.batches import mark_handed_out, note_download
from lms.vouchers.operations.codes import seal_key
from lms.vouchers.operations.qr import Printer

PART = 1000
TEMPLATE = ROOT / "templates" / "vouchers" / "sheet.typ"
LAYOUTS = ("cards10", "cards8", "cards24", "list")
NONCE = 12


@dataclass(frozen=True, slots=True)
class Words:
    """What stands on every card; in the reader's language already, and no code among it."""

    brand: str
    color: str
    gives: str
    link: str
    until: str
    hint: str
    number: str
    has_marks: bool = True


def codes_csv(batch: Batch, codes: Sequence[str], *, origin: str, zone_name: str) -> bytes:
    """One line a code: number, code, value, currency, last moment in the zone, and its link; UTF-8 with a mark for Excel."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["number", "code", "value", "currency", "expires", "link"])
    value = f"{batch.percent}%" if batch.percent is not None else Money(batch.value_minor, batch.currency).decimal
    until = batch.expires_at.astimezone(zone(zone_name)).strftime("%Y-%m-%d %H:%M %z") if batch.expires_at else ""
    for number, code in enumerate(codes, 1):
        writer.writerow([number, code, value, batch.currency, until, redeem_link(f"{origin}/vouchers/redeem", code)])
    return out.getvalue().encode("utf-8-sig")


def redeem_link(page: str, code: str) -> str:
    """The address a QR code holds: it fills the code in, and redeems nothing by itself."""
    return f"{page}?code={quote(code)}"


def sheet_pdf(
    words: Words,
    codes: Sequence[str],
    *,
    layout: str = "cards10",
    first_number: int = 1,
    printer: Printer | None = None,
    logo: bytes = b"",
) -> bytes:
    """A PDF of A4 pages in a layout, with QR codes and lines to cut along; the template sees these values and nothing else.

    `logo` is a WebP picture, small beside the academy's name.
    """
    printer = printer or Printer()
    cards = [
        {"number": number, "code": code, "qr": printer.svg(redeem_link(words.link, code)) if layout != "list" else ""}
        for number, code in enumerate(codes, first_number)
    ]
    data = {**asdict(words), "page": words.link.partition("://")[2], "layout": layout, "cards": cards, "logo": list(logo)}
    return pdf_of(TEMPLATE, data)


# --- sheets made by a worker ------------------------------------------------------------------------------------------------------


def order_sheet(batch: Batch, layout: str, words: Words, *, seal: str, by: Actor) -> tuple[Sheet, str]:
    """Note that a sheet is wanted; the row, and the ticket with which a worker opens the codes for it while they are there."""
    envelope = queries.find_envelope(batch.id)
    if envelope is None:
        raise NotFound(_("The codes of this batch are not here any more."))
    sheet = Sheet(
        batch_id=batch.id,
        layout=layout,
        words=asdict(words),
        file_count=-(-batch.code_count // PART),
        made_by=by.user_id,
        expires_at=envelope.expires_at,
    )
    db.session().add(sheet)
    db.session().flush()
    mark_handed_out(batch, "printed", by=by)
    note_download(batch, f"sheet, {layout}", batch.code_count, by=by)
    return sheet, _cipher().encrypt(seal.encode()).decode()


def seal_in(ticket: str) -> str:
    """The seal a ticket carries."""
    return _cipher().decrypt(ticket.encode()).decode()


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(signing.key("voucher-sheet")))


def keep_part(sheet: Sheet, part: int, body: bytes, *, seal: str) -> None:
    """Put one file of a sheet into the store, encrypted; the sheet knows how many are there."""
    nonce = os.urandom(NONCE)
    storage().put(_key_of(sheet, part), nonce + AESGCM(seal_key(seal)).encrypt(nonce, body, sheet.id.bytes))
    sheet.done = part


def open_part(sheet: Sheet, part: int, *, seal: str) -> bytes:
    """One file of a sheet, for the browser that holds the seal."""
    with storage().open(_key_of(sheet, part)) as file:
        sealed = file.read()
    return AESGCM(seal_key(seal)).decrypt(sealed[:NONCE], sealed[NONCE:], sheet.id.bytes)


def _key_of(sheet: Sheet, part: int) -> str:
    return f"{_folder_of(sheet)}/{part}.bin"


def _folder_of(sheet: Sheet) -> str:
    return f"{sheet.channel_id}/voucher-sheets/{sheet.id}"


def discard_sheets(batch_id: UUID | None = None) -> int:
    """Throw sheets away: a batch's, or all that are past their hour; the number of sheets."""
    which: Any = Sheet.batch_id == batch_id if batch_id is not None else Sheet.expires_at <= now()
    gone = queries.sheets_where(which)
    for sheet in gone:
        storage().delete_all(_folder_of(sheet))
    db.session().execute(delete(Sheet).where(which))
    return len(gone)
