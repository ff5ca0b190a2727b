"""Figures as tiles: each with the way to the rows it counts, where its definition stands above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from lms.core.i18n import percent
from lms.web.charts import Sparkline, sparkline


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: what it is called, its value in words, the list of its rows, and how it went against the time before."""

    label: str
    value: str
    href: str
    trend: str | None = None
    good: bool | None = None
    note: str | None = None
    spark: Sparkline | None = None


def rows_href(path: str, why: str, **filters: str) -> str:
    """The address of the rows behind a figure, with its definition above them."""
    return f"{path}?{urlencode({**filters, 'why': why})}"


def a_tile(
    label: str,
    value: str,
    href: str,
    *,
    now: int | None = None,
    before: int = 0,
    against: str = "",
    days: Sequence[int] = (),
    note: str = "",
) -> Tile:
    """A tile; with `before` it tells the change against it, with `days` it draws them."""
    change = round(100 * (now - before) / before) if now is not None and before else None
    return Tile(
        label,
        value,
        href,
        trend=percent(change, signed=True) if change is not None else None,
        good=change >= 0 if change is not None else None,
        note=(against if change is not None else "") or note or None,
        spark=sparkline(days) if days else None,
    )
