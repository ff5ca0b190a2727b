"""The first sheet of an XLSX workbook, row by row: strings, numbers, booleans and dates as text; formulas as their last value.

The parts are read as streams with a limit on what they unpack to; a document type (where entities come from) is refused.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from xml.etree import ElementTree as Tree

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.reports.files import unsafe_text

MOST_BYTES = 400_000_000
MOST_PARTS = 2_000
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
DATE_FORMATS = frozenset({14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 46, 47})
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class _Limited(io.RawIOBase):
    """A part of the archive that stops when it unpacks to more than fits, or brings a document type."""

    def __init__(self, part: IO[bytes], left: int) -> None:
        self._part, self._left, self._first = part, left, True

    def read(self, size: int = -1) -> bytes:
        block = self._part.read(65536 if size < 0 else size)
        self._left -= len(block)
        if self._left < 0:
            raise Invalid(_("This workbook unpacks to more than can be read. Save the sheet as CSV."))
        if self._first and b"<!DOCTYPE" in block[:4096].upper():
            raise Invalid(_("This workbook cannot be read. Save it again as .xlsx, or as CSV."))
        self._first = False
        return block


def sheet_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet with their numbers; raises Invalid for what is no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if len(book.infolist()) > MOST_PARTS:
                raise Invalid(_("This workbook has too many parts. Save the sheet as CSV."))
            strings, dates = _strings(book), _date_styles(book)
            with book.open(_first_sheet(book)) as part:
                yield from _rows(_Limited(part, MOST_BYTES), strings, dates)
    except (zipfile.BadZipFile, KeyError, Tree.ParseError, ValueError, IndexError, NotImplementedError, RuntimeError) as error:
        raise Invalid(_("This workbook cannot be read. Save it again as .xlsx, or as CSV.")) from error


def _each(stream: Any, tag: str) -> Iterator[Tree.Element]:
    """Every element of a tag as it ends, and nothing kept of it afterwards."""
    for _event, element in Tree.iterparse(stream):  # noqa: S314 - no document type gets here
        if element.tag == tag:
            yield element
            element.clear()


def _strings(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    with book.open("xl/sharedStrings.xml") as part:
        return [_text(item) for item in _each(_Limited(part, MOST_BYTES), f"{SPACE}si")]


def _text(item: Tree.Element) -> str:
    return "".join(piece.text or "" for piece in item.iter(f"{SPACE}t"))


def _date_styles(book: zipfile.ZipFile) -> set[int]:
    """The numbers of the cell styles that show a number as a date."""
    if "xl/styles.xml" not in book.namelist():
        return set()
    with book.open("xl/styles.xml") as part:
        root = Tree.parse(_Limited(part, MOST_BYTES)).getroot()  # noqa: S314 - as above
    own = {
        int(one.get("numFmtId", "0"))
        for one in root.iter(f"{SPACE}numFmt")
        if re.search(r"[ymdhs]", re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", one.get("formatCode", "")), re.I)
    }
    styles = root.find(f"{SPACE}cellXfs")
    kinds = [int(one.get("numFmtId", "0")) for one in styles] if styles is not None else []
    return {place for place, kind in enumerate(kinds) if kind in DATE_FORMATS or kind in own}


def _first_sheet(book: zipfile.ZipFile) -> str:
    with book.open("xl/workbook.xml") as part:
        sheets = [one.get(RELATION, "") for one in Tree.parse(_Limited(part, MOST_BYTES)).getroot().iter(f"{SPACE}sheet")]  # noqa: S314
    with book.open("xl/_rels/workbook.xml.rels") as part:
        targets = {one.get("Id"): one.get("Target", "") for one in Tree.parse(_Limited(part, MOST_BYTES)).getroot()}  # noqa: S314
    target = targets[sheets[0]]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _rows(stream: Any, strings: list[str], dates: set[int]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    for row in _each(stream, f"{SPACE}row"):
        number = int(row.get("r") or number + 1)
        cells: list[str] = []
        for cell in row:
            place = _column(cell.get("r", "")) if cell.get("r") else len(cells)
            if place > 16_384:
                raise ValueError("no such column")
            while len(cells) <= place:
                cells.append("")
            cells[place] = unsafe_text(_value(cell, strings, dates).strip(" \t\r\n\u00a0").replace("\x00", ""))[:20_000]
        yield number, cells


def _column(reference: str) -> int:
    place = 0
    for letter in reference:
        if not letter.isalpha():
            break
        place = place * 26 + ord(letter.upper()) - 64
    return place - 1


def _value(cell: Tree.Element, strings: list[str], dates: set[int]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    found = cell.find(f"{SPACE}v")
    value = (found.text if found is not None else "") or ""
    readers: dict[str, Callable[[], str]] = {
        "s": lambda: strings[int(value)] if value else "",
        "b": lambda: "1" if value == "1" else "0",
        "e": lambda: "",
        "n": lambda: _number(value, int(cell.get("s", "0")) in dates),
    }
    return readers.get(kind, lambda: value)()


def _number(value: str, is_date: bool) -> str:
    if not value:
        return ""
    number = float(value)
    if is_date:
        return (DAY_ZERO + timedelta(seconds=round(number * 86_400))).strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
