"""Rows on their way into files: many at a time as plain tuples, and turned into columns there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from lms.core import db
from lms.core.reports.fields import Column
from lms.core.settled import Settled, Turned


@dataclass(frozen=True, slots=True)
class Block:
    """Some neighbouring rows of a list; `names` says what stands where in each."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    def turned(self, columns: Sequence[Column]) -> list[tuple[Sequence[Any], Sequence[Any]]]:
        """The values of each column, and beside a money column those of its currency."""
        places = {name: place for place, name in enumerate(self.names)}
        turned = list(zip(*self.rows, strict=True))
        return [(turned[places[column.key]], turned[places.get(f"{column.key}_currency", 0)]) for column in columns]

    def first(self, count: int) -> list[Mapping[str, Any]]:
        """The first rows, by the names of their columns."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows[: max(0, count)]]


def read(statement: Select[Any], size: int) -> Iterator[Block]:
    """The rows of a statement, straight from the driver; through the session where its values are turned round on their way."""
    try:
        settled = Settled(statement)
    except Turned:
        found = db.session().execute(statement, execution_options={"yield_per": size, "stream_results": True})
        names = tuple(found.keys())
        for rows in found.partitions(size):
            yield Block(names, rows)
        return
    for tuples in settled.streamed(size=size):
        yield Block(settled.names(), tuples)
