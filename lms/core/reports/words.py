"""Cells and views as words, for mails and other places without a page: in the running locale and a zone that is told."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from sqlalchemy.engine import RowMapping

from lms.core import i18n
from lms.core.clock import zone
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.core.reports.fields import Column
from lms.core.reports.report import Report
from lms.core.reports.view import View


def cell_words(column: Column, row: Mapping[str, Any] | RowMapping, zone_name: str) -> str:
    """A cell as people read it; "–" when it is empty."""
    value: Any = row[column.key]
    if value is None:
        return "–"
    if column.kind == "money":
        return Money(int(value), str(row[f"{column.key}_currency"])).format(i18n.locale())
    if isinstance(value, datetime):
        return str(format_datetime(value.astimezone(zone(zone_name)), "d MMM y, HH:mm", locale=i18n.locale()))
    if isinstance(value, date):
        return str(format_date(value, "d MMM y", locale=i18n.locale()))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if column.kind == "state":
        return str(column.words.get(value, value))
    if column.kind == "month":  # 2026-11
        return str(format_date(date.fromisoformat(f"{value}-01"), "MMM y", locale=i18n.locale()))
    if column.kind in ("int", "bytes", "stars", "duration", "number"):
        return str(format_decimal(value, locale=i18n.locale()))
    return i18n.percent(float(value)) if column.kind == "percent" else str(value)


def view_words(report: Report, view: View) -> list[str]:
    """What a view leaves in, in words; empty when it is the whole list."""
    known = {item.key: item for item in report.filters}
    words = [f"{known[key].label}: {known[key].words(raw)}" for key, raw in view.filters]
    return [*words, *([_("Words: %(words)s", words=view.words)] if view.words else [])]
