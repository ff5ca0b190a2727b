"""Views that are built: gathered into groups, with computed columns; the same rows in every form, and no way out of the grammar."""

import pytest
from sqlalchemy.orm import Session

from lms.core.errors import Invalid
from lms.core.reports import plain
from lms.core.reports.files import csv_lines, xlsx_file
from lms.enrollments.reports import Enrollments
from lms.payments.reports import Orders
from lms.reporting import queries
from tests.factories.people import root
from tests.reporting.readers import checksum_of_rows, rows_of_csv, rows_of_xlsx
from tests.reporting.world import busy


def test_groups__add_up_to_what_they_gather_in_every_form(work: Session) -> None:
    by, report = busy(), Enrollments()
    for groups, count in ((["course"], 2), (["course", "status"], 5), (["enrolled_at:month", "course"], 3)):
        view = report.read_view({"group": groups}, zone_name="Europe/Paris")
        columns = report.shown(view)
        page = report.page(view, by)
        rows = [[plain(column, row) for column in columns] for row in page.rows]
        assert len(rows) == count == report.count(view, by)
        counted, checksum = report.checksum(view, by)
        assert (counted, checksum) == (count, checksum_of_rows(rows))
        assert rows_of_csv("".join(csv_lines(report, view, by)), columns, view.zone) == rows
        with xlsx_file(report, view, by) as file:
            assert rows_of_xlsx(file.read(), columns, view.zone) == rows
        answer = queries.table_json(report, view, by)
        assert [[row[column["key"]] for column in answer["columns"]] for row in answer["rows"]] == rows
        assert report.totals(view, by)["rows"] == 12
    whole = [row for row in page.rows if row["part"] == "whole"]
    assert sum(row["rows"] for row in whole) == 12 == sum(row["rows"] for row in page.rows if row["part"] == "part")


def test_groups__turn_pages_and_sort_by_their_sums(work: Session) -> None:
    by, report = busy(), Orders()
    view = report.read_view({"group": ["person"], "sort": ["-rows"]}) if "person" in {c.key for c in report.columns} else None
    assert view is None or report.count(view, by) >= 1
    view = Enrollments().read_view({"group": ["name"], "sort": ["-progress"]})
    seen, after = [], ""
    while True:
        page = Enrollments().page(view, by, after=after, size=5)
        seen += [row["group_0"] for row in page.rows]
        after = page.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == 12


def test_computed__columns_are_arithmetic_and_nothing_else(work: Session) -> None:
    by, report = busy(), Enrollments()
    view = report.read_view({"calc": ["Left=100 - progress", "Half=progress / 2 * -1", "Days=last_seen_at - enrolled_at"]})
    rows = report.page(view, by).rows
    assert all(row["calc_1"] == 100 - row["progress"] and row["calc_2"] == -row["progress"] / 2 for row in rows)
    assert [str(column.label) for column in report.shown(view)][-3:] == ["Left", "Half", "Days"]
    assert report.totals(view, by)["calc_1"] == sum(int(row["calc_1"]) for row in rows)
    grouped = report.read_view({"calc": ["Left=100 - progress"], "group": ["course"]})
    assert sum(row["calc_1"] for row in report.page(grouped, by).rows) == report.totals(view, by)["calc_1"]
    assert grouped == report.read_view({"calc": ["Left=100 - progress"], "group": ["course"]})
    for formula in (
        "progress ** 2", "__import__('os')", "progress.real", "progress if 1 else 2", "[progress]", "lambda: 1", "progress < 3", "'a' * 9",
        "nothing + 1", "name + 1", "enrolled_at", "enrolled_at + enrolled_at", "1e400", "progress +", "-enrolled_at", "1" * 201, "(" * 150 + "1",
        "+".join(["1"] * 60), "progress // 2", "True + 1", "1j", "progress @ 2", "progress & 1",
    ):  # fmt: skip
        with pytest.raises(Invalid):
            report.read_view({"calc": [f"X={formula}"]})
    assert report.page(report.read_view({"calc": ["None=progress / (progress - progress)"]}), by).rows[0]["calc_1"] is None


def test_computed__money_stays_money(work: Session) -> None:
    by, report = root(), Orders()
    busy()
    view = report.read_view({"calc": ["Twice=amount * 2", "Share=amount / amount"]})
    row = next(row for row in report.page(view, by).rows if row["amount"])
    assert (row["calc_1"], row["calc_1_currency"], row["calc_2"]) == (2 * row["amount"], "EUR", 1)
    for formula in ("amount * amount", "amount + 1", "1 / amount"):
        with pytest.raises(Invalid):
            report.read_view({"calc": [f"X={formula}"]})
