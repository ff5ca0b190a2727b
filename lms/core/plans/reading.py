"""Tables people bring along: CSV in any common dialect and encoding, XLSX, pasted lines; read row by row in little memory."""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.plans.sheets import sheet_rows
from lms.core.reports.files import unsafe_text

MOST_ROWS = 100_000
MOST_COLUMNS = 200
LONGEST_CELL = 20_000
SEPARATORS = ",;\t|"
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ADDRESSED = re.compile(r"^\s*\"?(?P<name>[^<>\"]*?)\"?\s*<(?P<address>[^<>\s]+@[^<>\s]+)>\s*$")

Line = tuple[int, list[str]]


def table_rows(content: bytes) -> Iterator[Line]:
    """The rows of a file that hold anything: line number (from 1) and cells, as they were before a file made them safe.

    Raises Invalid, with the line, for what cannot be read.
    """
    lines = sheet_rows(content) if content[:4] == b"PK\x03\x04" else _csv_rows(content)
    count = 0
    for number, cells in lines:
        if not any(cells):
            continue
        count += 1
        if count > MOST_ROWS + 1:
            raise Invalid(_("A file has at most %(most)s rows. Cut it into parts.", most=f"{MOST_ROWS:,}"))
        if len(cells) > MOST_COLUMNS:
            raise Invalid(_("Line %(line)s has more than %(most)s columns.", line=number, most=MOST_COLUMNS))
        yield number, cells


def _csv_rows(content: bytes) -> Iterator[Line]:
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Invalid(_("This is a workbook of the old kind (.xls). Save it as .xlsx or CSV."))
    encoding = encoding_of(content)
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    first = next((line for line in text if line.strip("\ufeff \t\r\n")), "")
    separator, skipped = separator_of(first)
    text.seek(0)
    if skipped:
        text.readline()
    reader = csv.reader((line.replace("\x00", "") for line in text), delimiter=separator, strict=True, skipinitialspace=True)
    number = 1
    try:
        for cells in reader:
            yield number + skipped, [clean(cell) for cell in cells]
            number = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(
            _(
                "Line %(line)s cannot be read: a quotation mark is opened and not closed, or stands in the middle of a cell.",
                line=number + skipped,
            )
        ) from error


def clean(cell: str) -> str:
    """A cell without the space around it, and as it was before a file made it safe for spreadsheets."""
    return unsafe_text(cell.strip(" \t\r\n\ufeff\u00a0"))[:LONGEST_CELL]


def encoding_of(content: bytes) -> str:
    """The encoding of a text file: by its mark, else UTF-16 where every other byte is empty, else UTF-8, else Windows-1252."""
    for mark, name in MARKS:
        if content.startswith(mark):
            return name
    head = content[:2000]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if head[::2].count(0) > len(head) // 4:
        return "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252" if not set(content) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
    return "utf-8"


def separator_of(line: str) -> tuple[str, int]:
    """What separates the cells of a first line, and how many lines (0 or 1) only say so (`sep=;`, as Excel writes)."""
    said = re.match(r"^\ufeff?sep=(.)\s*$", line, re.I)
    if said:
        return said[1], 1
    outside = re.sub(r'"(?:[^"]|"")*"', "", line)
    best = max(SEPARATORS, key=outside.count)
    return (best if outside.count(best) else ","), 0


def person_of(cells: list[str]) -> list[str]:
    """Address and name in a line without headings, in whatever order: `Ana Ruiz <ana@example.org>`, `ana@example.org; Ana Ruiz`."""
    for cell in cells:
        found = ADDRESSED.match(cell)
        if found:
            return [found["address"], found["name"].strip() or _other(cells, cell)]
    address = next((cell for cell in cells if "@" in cell), cells[0] if cells else "")
    if " " in address.strip() and address.count("@") == 1 and len([cell for cell in cells if cell]) == 1:
        words = address.split()
        mail = next(word for word in words if "@" in word)
        return [mail.strip("<>,;()"), " ".join(word for word in words if word != mail)]
    return [address, _other(cells, address)]


def _other(cells: list[str], taken: str) -> str:
    return " ".join(cell for cell in cells if cell and cell != taken and "@" not in cell)


def is_workbook(content: bytes) -> bool:
    """Whether the file is an XLSX workbook that can be opened."""
    return content[:4] == b"PK\x03\x04" and zipfile.is_zipfile(io.BytesIO(content))
