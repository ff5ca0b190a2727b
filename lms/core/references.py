"""What hangs on a row: every table whose references point at it, asked of the database's own catalogue."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import text

from lms.core import db

POINTING = text(
    """
    SELECT k.conrelid::regclass::text AS name, a.attname AS column_name
    FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[array_length(k.conkey, 1)]
    WHERE k.contype = 'f' AND k.confrelid = CAST(:target AS regclass) AND k.confdeltype <> 'c' AND array_length(k.conkey, 1) = 2
      AND has_table_privilege(k.conrelid, 'SELECT') ORDER BY 1, 2
    """
)


def what_hangs_on(table: str, ids: Sequence[UUID], *, besides: Sequence[str] = ()) -> dict[UUID, str]:
    """The rows of the table (`schema.table`) that others point at: "3 enrollments, 1 orders"; those nobody points at are absent.

    `besides` are tables that do not count.
    """
    if not ids:
        return {}
    parts = [
        f"SELECT t.{column} AS id, '{name.rpartition('.')[2].replace('_', ' ')}' AS what, count(*) AS times FROM {name} t"  # noqa: S608
        f" WHERE t.{column} = ANY(CAST(:ids AS uuid[])) GROUP BY 1"
        for name, column in _pointing(table)
        if name not in besides
    ]
    found: dict[UUID, str] = {}
    if parts:
        for row in db.session().execute(text(" UNION ALL ".join(parts)), {"ids": list(ids)}):
            words = f"{row.times} {row.what}"
            found[row.id] = f"{found[row.id]}, {words}" if row.id in found else words
    return found


def counts_on(table: str, row_id: UUID) -> list[tuple[str, int]]:
    """What points at one row: (table, how many), the most first."""
    parts = [
        f"SELECT '{name}' AS name, count(*) AS times FROM {name} t WHERE t.{column} = :id"  # noqa: S608 (names of the catalogue)
        for name, column in _pointing(table)
    ]
    found: dict[str, int] = {}
    if parts:
        for row in db.session().execute(text(" UNION ALL ".join(parts)), {"id": row_id}):
            found[row.name] = found.get(row.name, 0) + row.times
    return sorted(((name, times) for name, times in found.items() if times), key=lambda pair: -pair[1])


@cache
def _pointing(table: str) -> list[tuple[str, str]]:
    """The tables and columns that reference it; they change with migrations alone."""
    return [(row.name, row.column_name) for row in db.session().execute(POINTING, {"target": table})]
