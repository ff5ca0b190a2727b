"""Files of a list: CSV and XLSX of exactly what is shown, made piece by piece in little memory."""

import csv
import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

import xlsxwriter

from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.money import Money, digits
from lms.core.reports.fields import Column
from lms.core.reports.report import Report
from lms.core.reports.view import Tally, View
from lms.core.reports.words import view_words

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
FORMULA_AHEAD = re.compile("\x1f'*[" + re.escape("".join(FORMULA)) + "]")


def safe_text(value: str) -> str:
    """Text a spreadsheet will not run: a cell that begins like a formula, apostrophes aside, gets an apostrophe before it."""
    return "'" + value if value.lstrip("'").startswith(FORMULA) else value


def safe_texts(values: Sequence[str]) -> Sequence[str]:
    """Many such texts; one look tells whether any of them begins like a formula."""
    return [safe_text(value) for value in values] if FORMULA_AHEAD.search("\x1f" + "\x1f".join(values)) else values


def unsafe_text(value: str) -> str:
    """What `safe_text` was given."""
    return value[1:] if value.startswith("'") and value.lstrip("'").startswith(FORMULA) else value


def headings(columns: list[Column]) -> list[str]:
    """The header row: one heading a column, two for money (amount and currency)."""
    made = []
    for column in columns:
        made.append(str(column.label))
        if column.kind == "money":
            made.append(_("%(column)s currency", column=column.label))
    return made


def file_columns(column: Column, values: Sequence[Any], currencies: Sequence[Any], zone_name: str) -> list[Sequence[Any]]:
    """The cells of a column in a file: numbers as numbers, times in the reader's zone, text safe; two columns for money."""
    if column.kind == "money":
        amounts = ["" if value is None else Money(int(value), code or "").decimal for value, code in zip(values, currencies, strict=True)]
        return [amounts, ["" if value is None else code or "" for value, code in zip(values, currencies, strict=True)]]
    place = zone(zone_name)
    kinds = set(map(type, values))
    if kinds == {str}:
        return [safe_texts(values)]
    if kinds <= {datetime, NoneType}:
        return [["" if value is None else str(value.astimezone(place))[:19] for value in values]]
    if kinds <= {int, bool, float}:
        return [values]
    made: list[Any] = []
    for value in values:
        if type(value) is str:
            made.append(safe_text(value))
        elif type(value) is Decimal:
            made.append(int(value) if value == value.to_integral_value() else float(value))
        elif value is None:
            made.append("")
        elif isinstance(value, datetime):
            made.append(value.astimezone(place).isoformat(" ")[:19])
        elif isinstance(value, (UUID, list, dict)):
            made.append(safe_text(str(value)))
        else:
            made.append(value)
    return [made]


def file_name(report: Report, ending: str) -> str:
    """A name that says what and when: `voucher-batches-2026-11-20.csv`."""
    return f"{report.name.replace('.', '-')}-{now():%Y-%m-%d}.{ending}"


def csv_lines(report: Report, view: View, by: Actor, *, tally: Tally | None = None) -> Iterator[str]:
    """The CSV of a view (UTF-8 with a byte-order mark, RFC 4180), in pieces; a tally counts and sums up what went into it."""
    columns = report.shown(view)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(headings(columns))
    for block in report.blocks(view, by):
        if tally is not None:
            tally.add(block)
        made: list[Sequence[Any]] = []
        for column, values in zip(columns, block.turned(columns), strict=True):
            made += file_columns(column, *values, view.zone)
        writer.writerows(zip(*made, strict=True))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue()


def xlsx_file(report: Report, view: View, by: Actor, *, rows: Tally | None = None) -> Any:
    """An open temporary file with the XLSX of a view: the rows, and a sheet that says what they are, with their checksum."""
    columns = report.shown(view)
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the answer that streams it closes it
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(str(report.title)[:31].translate({ord(letter): " " for letter in "[]:*?/\\"}))
    bold = book.add_format({"bold": True})
    sheet.write_row(0, 0, headings(columns), bold)
    sheet.freeze_panes(1, 0)
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    money = {count: book.add_format({"num_format": "#,##0" + ("." + "0" * count if count else "")}) for count in range(5)}
    tally = Tally(columns, report.stream(view, by)) if rows is None else rows
    for count, row in enumerate(tally, 1):
        _write_row(sheet, count, columns, row, view.zone, moment, money)
    facts = {
        _("List"): str(report.title),
        _("Filter"): "; ".join(view_words(report, view)) or _("none"),
        _("Time zone"): view.zone,
        _("Rows"): tally.count,
        _("Made"): now().strftime("%Y-%m-%d %H:%M UTC"),
        _("Checksum"): f"SHA-256 {tally.checksum}",
    }
    about = book.add_worksheet(_("About"))
    for line, (name, value) in enumerate(facts.items()):
        about.write(line, 0, name, bold)
        about.write(line, 1, safe_text(value) if isinstance(value, str) else value)
    book.close()
    target.seek(0)
    return target


def _write_row(sheet: Any, line: int, columns: list[Column], row: Any, zone_name: str, moment: Any, money: dict[int, Any]) -> None:
    place = 0
    for column in columns:
        value = row[column.key]
        if column.kind == "money":
            if value is not None:
                currency = row[f"{column.key}_currency"]
                sheet.write_number(line, place, float(Money(int(value), currency).decimal), money[digits(currency)])
                sheet.write_string(line, place + 1, currency)
            place += 1
        elif isinstance(value, datetime):
            sheet.write_datetime(line, place, value.astimezone(zone(zone_name)).replace(tzinfo=None, microsecond=0), moment)
        elif isinstance(value, bool):
            sheet.write_boolean(line, place, value)
        elif isinstance(value, (int, float, Decimal)) or (column.kind in ("int", "percent", "stars", "bytes") and value is not None):
            sheet.write_number(line, place, float(value))
        elif value is not None:
            sheet.write_string(line, place, safe_text(str(value)))
        place += 1
