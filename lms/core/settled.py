"""Statements worked out once: what SQLAlchemy makes of a SELECT is kept, with wall 1 inside, and run again with other values.

For reads asked many times a second: building, keying and loading a statement through the ORM costs a page more than its rows do.
"""

from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any

from psycopg.rows import dict_row, namedtuple_row, tuple_row
from sqlalchemy import Select, inspect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

from lms.core import db

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Turned(RuntimeError):
    """A statement that must go through the session: its values are turned round on their way, or it has no table of the channel."""


class Settled:
    """A SELECT whose text never changes; what does is named in it by `bindparam`. Given as it is, or as what builds it when first asked.

    Raises Turned for one that the driver alone would not answer the same.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]] | Callable[[], Select[*tuple[Any, ...]]]) -> None:
        self._build: Callable[[], Select[*tuple[Any, ...]]] | None = None
        self._lock = Lock()
        self._text = ""
        self._names: tuple[str, ...] = ()
        self._still: dict[str, Any] = {}
        self._turned: dict[str, Any] = {}
        if isinstance(statement, Select):
            self._settle(statement)
        else:
            self._build = statement

    def rows(self, **values: Any) -> list[Any]:
        """The rows as named tuples, for these values of the statement's parameters."""
        return db.fetched(self._ready(), self._given(values), namedtuple_row)

    def tuples(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows as plain tuples, in the order of the columns."""
        return db.fetched(self._ready(), self._given(values), tuple_row)

    def mappings(self, **values: Any) -> list[Mapping[str, Any]]:
        """The rows by the names of their columns."""
        return db.fetched(self._ready(), self._given(values), dict_row)

    def names(self) -> tuple[str, ...]:
        """The names of its columns, in their order."""
        self._ready()
        return self._names

    def streamed(self, *, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows as plain tuples, so many at a time, in the memory of as many."""
        return db.streamed(self._ready(), self._given({}), size=size)

    def _given(self, values: dict[str, Any]) -> dict[str, Any]:
        turned = self._turned
        given = {name: turned[name](value) if name in turned else value for name, value in values.items()}
        return {**self._still, **given, db.RUNNING_CHANNEL: db.work().channel_id}

    def _ready(self) -> str:
        if not self._text:
            with self._lock:
                if not self._text and self._build is not None:
                    self._settle(self._build())
        return self._text

    def _settle(self, statement: Select[*tuple[Any, ...]]) -> None:
        compiled = statement.options(db.GATE).compile(dialect=DIALECT)
        assert isinstance(compiled, SQLCompiler)
        if db.RUNNING_CHANNEL not in compiled.params:
            raise Turned("no table of the channel: nothing would hold the statement inside it")
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise Turned("a list of values whose length is part of the text: say = ANY(an array)")
        for column in compiled._result_columns:
            if _turns(column.type):
                raise Turned(f"{column.keyname} is turned round on its way out")
        self._turned = {name: turn for name, turn in compiled._bind_processors.items() if callable(turn)}
        self._still = {name: self._turned[name](value) if name in self._turned else value for name, value in compiled.params.items()}
        self._names = tuple(column.keyname for column in compiled._result_columns)
        self._text = compiled.string


class SettledObjects:
    """A settled SELECT of whole mapped rows, for pages that only read them: of the first kind, with the others joined to it.

    The objects belong to no session: they answer about themselves as any other, but setting an attribute or following a
    relationship fails. An outer join that found nothing gives None.
    """

    def __init__(self, build: Callable[[], Select[Any]], *kinds: type[Any]) -> None:
        self._build = build
        self._kinds = kinds
        self._parts: list[tuple[type[Any], int, tuple[str, ...]]] = []
        self._settled = Settled(self._labelled)

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows, an object of each kind in each."""
        found = self._settled.tuples(**values)
        return [tuple(_whole(kind, keys, row[at : at + len(keys)]) for kind, at, keys in self._parts) for row in found]

    def _labelled(self) -> Select[Any]:
        """The statement with every column of every kind under a name of its own, since kinds share names."""
        columns: list[Any] = []
        parts = []
        for kind in self._kinds:
            keys = tuple(attribute.key for attribute in inspect(kind).column_attrs)
            parts.append((kind, len(columns), keys))
            columns += [getattr(kind, key).label(f"c{len(columns) + place}") for place, key in enumerate(keys)]
        self._parts = parts
        return self._build().with_only_columns(*columns, maintain_column_froms=True)


def _whole(kind: type[Any], keys: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    found = dict(zip(keys, values, strict=True))
    if found["id"] is None:
        return None
    made = object.__new__(kind)
    made.__dict__.update(found)
    return made


def _turns(kind: Any) -> bool:
    """Whether values of a type are made into something else than what the driver reads."""
    decimal = getattr(kind, "asdecimal", None)
    if decimal is not None:  # the driver reads numeric as Decimal; whoever wants a float has it made
        return not decimal
    return bool(kind.dialect_impl(DIALECT).result_processor(DIALECT, None))
