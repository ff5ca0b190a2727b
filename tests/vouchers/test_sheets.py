"""QR codes drawn fast are the ones the encoder draws; sheets made in parts, and thrown away."""

from datetime import timedelta

import segno
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core.clock import now
from lms.core.storage import storage
from lms.vouchers import jobs, operations, queries
from lms.vouchers.operations.codes import make_codes, write
from lms.vouchers.operations.qr import MASK, Printer
from lms.vouchers.operations.sheets import Words, keep_part, open_part, redeem_link, seal_in, sheet_pdf
from tests.factories.people import root
from tests.factories.vouchers import a_batch

WORDS = Words("Academy", "#4f39f6", "€10.00", "https://learn.example/vouchers/redeem", "", "Scan", "No.")


def test_svg__draws_what_the_encoder_draws() -> None:
    printer = Printer()
    for code in [write(code, "SPRING") for code in make_codes(12)] + ["SUMMER20"]:
        link = redeem_link(WORDS.link, code)
        printer.svg(link)
        matrix = segno.make(link, error="m", micro=False, mask=MASK, boost_error=False).matrix
        path = "".join(f"M{x} {y}h{len(run)}v1h-{len(run)}z" for y, row in enumerate(matrix) for x, run in _runs(row))
        assert f'd="{path}"' in printer.svg(link)


def _runs(row: bytearray) -> list[tuple[int, str]]:
    found, x = [], 0
    for part in "".join(map(str, row)).split("0"):
        if part:
            found.append((x, part))
        x += len(part) + 1
    return found


def test_sheet_pdf__knows_every_layout_and_pattern() -> None:
    for layout, grouping in (("cards8", 0), ("cards10", 7), ("cards24", 4), ("list", 4)):
        codes = [write(code, "", grouping) for code in make_codes(2)]
        assert sheet_pdf(WORDS, codes, layout=layout).startswith(b"%PDF-")


def test_order_sheet__counts_its_files_and_discard_sheets_takes_them(work: Session) -> None:
    admin = root()
    made = a_batch(2, by=admin, seal="mine")
    sheet, ticket = operations.order_sheet(made.batch, "list", WORDS, seal="mine", by=admin)
    assert (sheet.file_count, sheet.is_ready, seal_in(ticket)) == (1, False, "mine") and "mine" not in ticket
    keep_part(sheet, 1, b"%PDF", seal="mine")
    assert sheet.is_ready and open_part(sheet, 1, seal="mine") == b"%PDF"
    key = f"{sheet.channel_id}/voucher-sheets/{sheet.id}/1.bin"
    assert operations.discard_sheets() == 0 and storage().exists(key)
    work.execute(text("UPDATE vouchers.sheets SET expires_at = :past"), {"past": now() - timedelta(minutes=1)})
    assert operations.discard_sheets() == 1 and not storage().exists(key)
    assert queries.sheets_of(made.batch.id) == []


def test_make_sheet__is_named_as_a_job_in_steps() -> None:
    assert jobs.make_sheet.in_steps and jobs.make_sheet.queue == "files"
