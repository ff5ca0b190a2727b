"""The drawing of a view: the rows of its page as bars or a line, with their numbers behind."""

from collections.abc import Mapping, Sequence
from typing import Any

from lms.core.money import digits
from lms.core.reports import Column, View
from lms.core.reports.words import cell_words
from lms.web.charts import Chart, Number, bar_chart, line_chart
from lms.web.words import duration, money, number


def drawing(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], view: View) -> Chart | None:
    """What `chart=bar:amount` asks for, of these rows; None where nothing is asked for, or there is nothing to draw.

    Where a value is below zero, bars become a line. Left out are rows that only sum up others,
    and money of another currency than the first row's.
    """
    if not view.chart:
        return None
    kind, _colon, key = view.chart.partition(":")
    column = next((one for one in columns if one.key == key), None)
    rows = [row for row in rows if row.get("part", "part") == "part"]
    if column is None or not rows:
        return None
    currency = next((row[f"{key}_currency"] for row in rows if row[key] is not None), "") if column.kind == "money" else ""
    rows = [row for row in rows if column.kind != "money" or row[f"{key}_currency"] == currency]
    unit = 10 ** digits(currency) if column.kind == "money" and currency else 1
    values = [float(row[key] or 0) / unit for row in rows]
    draw = bar_chart if kind == "bar" and min(values, default=0) >= 0 else line_chart
    names = [one for one in columns if one.key.startswith("group_")] or list(columns[:1])
    labels = [" · ".join(cell_words(one, row, view.zone) for one in names) for row in rows]

    def say(value: Number) -> str:
        if column.kind == "money":
            return money(round(value * unit), currency)
        return duration(value) if column.kind == "duration" else number(value)

    return draw(str(column.label), labels, [(str(column.label), values)], say=say, head=str(names[0].label))
