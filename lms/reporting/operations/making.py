"""Making the file of a view: the rows are read once, and counted, summed up and written as they pass."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from sqlalchemy.engine import RowMapping

from lms.core.decisions import Actor
from lms.core.reports import Report, Tally, View
from lms.core.reports.files import CSV, XLSX, csv_lines, file_name, xlsx_file

TYPES = {"csv": CSV, "xlsx": XLSX}
TOLD_EACH = 5_000


@dataclass(slots=True)
class Made:
    """A file at its beginning, what it is, and the figures of the rows that went into it."""

    file: BinaryIO
    filename: str
    content_type: str
    size: int
    count: int
    checksum: str
    first: list[Mapping[str, Any]]

    def close(self) -> None:
        """Let the file go."""
        self.file.close()


def make_file(report: Report, view: View, by: Actor, ending: str, *, keep: int = 0, told: Callable[[int], None] | None = None) -> Made:
    """The file of a view (csv or xlsx) in a temporary place, by one reading of the rows; `told` hears how many are done."""
    if ending == "xlsx":
        tally = Tally(report.shown(view), _telling(report.stream(view, by), told), keep=keep)
        file: Any = xlsx_file(report, view, by, rows=tally)
    else:
        tally = Tally(report.shown(view), keep=keep)
        file = tempfile.TemporaryFile()  # noqa: SIM115  # whoever asked closes it
        for piece in csv_lines(report, view, by, tally=tally):
            file.write(piece.encode())
            if told is not None:
                told(tally.count)
    size = file.seek(0, 2)
    file.seek(0)
    return Made(cast(BinaryIO, file), file_name(report, ending), TYPES[ending], size, tally.count, tally.checksum, tally.first)


def _telling(rows: Iterable[RowMapping], told: Callable[[int], None] | None) -> Iterator[RowMapping]:
    for number, row in enumerate(rows, 1):
        if told is not None and number % TOLD_EACH == 0:
            told(number)
        yield row
