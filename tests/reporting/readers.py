"""Readers of the forms a list takes, written against the formats and not against our writers: each gives back the rows as plain JSON."""

import ast
import csv
import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from lms.core.money import digits
from lms.core.reports import Column

Rows = list[list[Any]]


def checksum_of_rows(rows: Rows) -> str:
    """The checksum as the README of the API describes it: SHA-256 over one line of compact JSON a row, empty texts as null."""
    total = hashlib.sha256()
    for row in rows:
        cells = [None if cell == "" else cell for cell in row]
        total.update(json.dumps(cells, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
    return total.hexdigest()


def rows_of_csv(text: str, columns: Sequence[Column], zone: str) -> Rows:
    """The rows of a CSV file."""
    assert text.startswith("\ufeff")
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    return [_row(line, columns, zone) for line in lines[1:]]


def rows_of_xlsx(data: bytes, columns: Sequence[Column], zone: str) -> Rows:
    """The rows of the first sheet of an XLSX file."""
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    width = len(columns) + sum(column.kind == "money" for column in columns)
    lines = [[cell.value for cell in row] + [None] * width for row in sheet.iter_rows(min_row=2)]
    return [_row(line[:width], columns, zone) for line in lines]


def _row(line: Sequence[Any], columns: Sequence[Column], zone: str) -> list[Any]:
    cells, place = [], 0
    for column in columns:
        value = line[place]
        place += 1
        if column.kind == "money":
            currency = line[place]
            place += 1
            minor = round(Decimal(str(value)).scaleb(digits(currency))) if value not in (None, "") else None
            cells.append({"minor": minor, "currency": currency} if minor is not None else None)
        else:
            cells.append(_cell(column.kind, value, zone))
    return cells


def _cell(kind: str, value: Any, zone: str) -> Any:
    if value in (None, ""):
        return None
    if kind == "time":
        moment = value if isinstance(value, datetime) else datetime.strptime(value, "%Y-%m-%d %H:%M:%S")
        return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    if kind in ("int", "bytes"):
        return int(value)
    if kind in ("percent", "stars", "duration", "number"):
        return float(value)
    if kind == "bool":
        return value if isinstance(value, bool) else {"True": True, "False": False}[value]
    if kind == "segments":
        return ast.literal_eval(value)
    text = str(value)
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@\t\r\n＝＋－＠") else text
