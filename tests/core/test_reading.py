"""Tables people bring along: dialects, encodings, workbooks, and what is wrong named by its line."""

import io
import zipfile

import openpyxl
import pytest
import xlsxwriter

from lms.core.errors import Invalid
from lms.core.plans import reading
from lms.core.reports.files import safe_text, unsafe_text

TABLE = [
    ["Name", "E-mail", "Note"],
    ["Ana Ruiz", "ana@example.org", "a, b; c"],
    ["Ben “B” Okri", "ben@example.org", "two\nlines"],
    ["Çe", "ce@example.org", '"q"'],
]


def csv_of(separator: str, newline: str = "\r\n") -> str:
    return newline.join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in TABLE)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_table_rows__reads_every_common_dialect(separator: str, encoding: str) -> None:
    rows = list(reading.table_rows(csv_of(separator).encode(encoding)))
    assert [cells for _number, cells in rows] == TABLE
    assert [number for number, _cells in rows] == [1, 2, 3, 5]


def test_table_rows__counts_the_last_line_without_newline_and_passes_over_empty_ones() -> None:
    assert list(reading.table_rows(b"a;b\n\n1;2\n;\n3;4")) == [(1, ["a", "b"]), (3, ["1", "2"]), (5, ["3", "4"])]
    assert list(reading.table_rows(b"sep=;\r\na;b\r\n1;2")) == [(2, ["a", "b"]), (3, ["1", "2"])]


@pytest.mark.parametrize("text", [b'a,b\n1,2\n"open,3\n4,5\n', b'a,b\n1,2\n"x"y,3\n'])
def test_table_rows__names_the_line_of_a_quoting_error(text: bytes) -> None:
    with pytest.raises(Invalid, match="Line 3 "):
        list(reading.table_rows(text))


def test_table_rows__reads_workbooks_of_others_and_of_ours() -> None:
    book = openpyxl.Workbook()
    for row in (
        ["Name", "Number", "Day", "Yes"],
        ["Ana", 12, __import__("datetime").datetime(2026, 11, 20), True],
        ["Ben", 1.5, None, False],
    ):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    expected = [["Name", "Number", "Day", "Yes"], ["Ana", "12", "2026-11-20", "1"], ["Ben", "1.5", "", "0"]]
    assert [[*cells, *[""] * (4 - len(cells))] for _number, cells in reading.table_rows(file.getvalue())] == expected
    file = io.BytesIO()
    ours = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = ours.add_worksheet()
    for place, row in enumerate(TABLE):
        sheet.write_row(place, 0, [safe_text(cell) for cell in row])
    ours.close()
    assert [cells for _number, cells in reading.table_rows(file.getvalue())] == TABLE


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", b"PK\x03\x04"])
def test_table_rows__refuses_what_is_no_workbook(content: bytes) -> None:
    with pytest.raises(Invalid):
        list(reading.table_rows(content))


def test_table_rows__refuses_a_workbook_with_a_document_type() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        book.writestr("xl/workbook.xml", '<!DOCTYPE x [<!ENTITY a "b">]><workbook/>')
    with pytest.raises(Invalid):
        list(reading.table_rows(file.getvalue()))


def test_table_rows__refuses_more_rows_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    with pytest.raises(Invalid, match="at most 2 rows"):
        list(reading.table_rows(b"a\n1\n2\n3\n"))


@pytest.mark.parametrize(
    ("line", "address", "name"),
    [
        (["Ana Ruiz <ana@example.org>"], "ana@example.org", "Ana Ruiz"),
        (["ana@example.org"], "ana@example.org", ""),
        (["ana@example.org", "Ana Ruiz"], "ana@example.org", "Ana Ruiz"),
        (["Ana", "Ruiz", "ana@example.org"], "ana@example.org", "Ana Ruiz"),
        (["ana@example.org Ana Ruiz"], "ana@example.org", "Ana Ruiz"),
    ],
)
def test_person_of__finds_address_and_name_in_any_order(line: list[str], address: str, name: str) -> None:
    assert reading.person_of(line) == [address, name]


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "''@x", "+1", "plain", "'plain", "\ttab", ""])
def test_safe_text__comes_back_as_it_was(text: str) -> None:
    safe = safe_text(text)
    assert unsafe_text(safe) == text
    assert not safe.startswith(("=", "+", "-", "@", "\t"))
