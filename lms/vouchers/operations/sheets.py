"""The two forms codes leave in: a CSV file, and cards to print with QR codes."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import segno
import typst

from lms.config import ROOT
from lms.core.clock import zone
from lms.core.money import Money
from lms.vouchers.models import Batch

PART = 1000
TEMPLATE = ROOT / "templates" / "vouchers" / "sheet.typ"
QUIET = 2
MASK = 3


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on every card; words are in the reader's language already."""

    brand: str
    value: str
    link: str
    until: str
    hint: str
    first_number: int


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


def sheet_pdf(sheet: Sheet, codes: Sequence[str]) -> bytes:
    """A PDF of A4 pages with ten cards each, cut marks between them; the template sees these values and nothing else."""
    cards = [
        {"number": sheet.first_number + place, "code": code, "qr": qr_svg(redeem_link(sheet.link, code))}
        for place, code in enumerate(codes)
    ]
    data = {
        "brand": sheet.brand,
        "value": sheet.value,
        "until": sheet.until,
        "hint": sheet.hint,
        "page": sheet.link.partition("://")[2],
        "cards": cards,
    }
    made: bytes = typst.compile(str(TEMPLATE), root=str(TEMPLATE.parent), sys_inputs={"data": json.dumps(data)}, ignore_system_fonts=True)
    return made


def qr_svg(text: str) -> str:
    """A QR code (ISO/IEC 18004, level M) as an SVG of one path.

    The mask is fixed: every reader takes it, and looking for the best one costs four fifths of the time.
    """
    matrix = segno.make(text, error="m", micro=False, mask=MASK).matrix
    side = len(matrix) + 2 * QUIET
    runs = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                runs.append(f"M{start} {y}h{x - start}v1h{start - x}z")
            x += 1
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-{QUIET} -{QUIET} {side} {side}"><path d="{"".join(runs)}"/></svg>'
