"""The lists there are, and one of them as plain data for machines."""

from typing import Any

from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.reports import PAGE, Report, View, every_report, plain
from lms.reporting.errors import NoReport

MOST = 500


def get_report(name: str) -> Report:
    """The list of that name; raises NoReport."""
    found = find_report(name)
    if found is None:
        raise NoReport(_("There is no list called %(name)s.", name=name))
    return found


def find_report(name: str) -> Report | None:
    """The list of that name, or None: it may have gone with its module."""
    return every_report().get(name)


def reports_for(by: Actor) -> list[Report]:
    """Every list this actor may see, by title."""
    return sorted((report for report in every_report().values() if report.allowed(by)), key=lambda report: str(report.title))


def table_json(report: Report, view: View, by: Actor, *, after: str = "", size: int = PAGE) -> dict[str, Any]:
    """A page of a list for machines: columns, rows of plain values, exact count, totals, and where the next page begins.

    `after` is the `next` of the page before. Row and column order, values and checksum are those of screen, file and mail.
    """
    columns = report.shown(view)
    page = report.page(view, by, after=after, size=min(max(size, 1), MOST))
    totals = report.totals(view, by)
    return {
        "report": report.name,
        "title": str(report.title),
        "query": view.query_string(),
        "zone": view.zone,
        "columns": [{"key": column.key, "label": str(column.label), "kind": column.kind} for column in columns],
        "count": int(totals["count"]),
        "totals": {key: value for key, value in totals.items() if key != "count"},
        "rows": [{"id": str(row["id"]), **{column.key: plain(column, row) for column in columns}} for row in page.rows],
        "next": page.after or None,
    }
