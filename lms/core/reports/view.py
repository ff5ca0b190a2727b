"""What is wanted of a list, what comes back, and the one checksum all its forms share."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.engine import RowMapping

from lms.core.reports.fields import Column


@dataclass(frozen=True, slots=True)
class View:
    """What is wanted of a report: words to search, filters, sort, columns; immutable, with one canonical query string."""

    words: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    sort: str = ""
    columns: tuple[str, ...] = ()
    zone: str = "UTC"

    def parameters(self) -> list[tuple[str, str]]:
        """The parts of the query string, in canonical order."""
        made = [("q", self.words)] if self.words else []
        made += sorted(self.filters)
        made += [("sort", self.sort)] if self.sort else []
        return made + [("columns", key) for key in self.columns]

    def query_string(self, **more: str) -> str:
        """The canonical query string, with more parameters behind it."""
        return urlencode([*self.parameters(), *((key, value) for key, value in more.items() if value)])


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a view and the keys of the pages before and after."""

    rows: list[RowMapping]
    before: str
    after: str


class Tally:
    """Rows on their way somewhere (a file, a mail), counted and summed up as they pass: one reading serves all forms.

    `first` holds the first rows, as many as were asked for.
    """

    def __init__(self, columns: Sequence[Column], rows: Iterable[RowMapping], *, keep: int = 0) -> None:
        self.columns = columns
        self.rows = rows
        self.keep = keep
        self.count = 0
        self.first: list[RowMapping] = []
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[RowMapping]:
        for row in self.rows:
            self.count += 1
            cells = [None if (cell := plain(column, row)) == "" else cell for column in self.columns]  # files cannot tell "" from nothing
            self._digest.update(json.dumps(cells, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
            if len(self.first) < self.keep:
                self.first.append(row)
            yield row

    @property
    def checksum(self) -> str:
        """The SHA-256 over the canonical JSON of the cells of the rows that passed."""
        return self._digest.hexdigest()


def checksum_of(columns: Sequence[Column], rows: Iterable[RowMapping]) -> tuple[int, str]:
    """The number of rows and the SHA-256 over the canonical JSON of their cells."""
    tally = Tally(columns, rows)
    for _row in tally:
        pass
    return tally.count, tally.checksum


def plain(column: Column, row: Mapping[str, Any] | RowMapping) -> Any:
    """A cell as plain JSON: times in ISO 8601 UTC to the second, as every form shows them, money as {minor, currency}, ids as text."""
    value: Any = row[column.key]
    if value is None:
        return None
    if column.kind == "money":
        return {"minor": int(value), "currency": row.get(f"{column.key}_currency")}
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    if column.kind in ("int", "bytes"):
        return int(value)
    if column.kind in ("percent", "stars", "duration"):
        return float(value)
    return value if isinstance(value, (bool, int, float, str, list, dict)) else str(value)


def with_filter(view: View, key: str, value: str | None) -> View:
    """The view with one filter set, or taken away."""
    kept = tuple(item for item in view.filters if item[0] != key)
    return replace(view, filters=(*kept, (key, value)) if value else kept)
