"""Lists: declared once (query, columns, filters, sorts, search, totals), and then table, file, mail, API and alert.

A `Report` says what there is; a `View` says what is wanted of it (filters, words, sort, columns) and has one canonical query
string, which is its address, its saved form and what a scheduled mail repeats. Pages are found by key, not by counting, so
that the millionth row is as near as the first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Select, Uuid, and_, any_, bindparam, cast, false, func, literal, or_, select, true
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import RowMapping

from lms.core import db
from lms.core.decisions import Actor, Decision, admins
from lms.core.reports import blocks, kept, places
from lms.core.reports.blocks import Block
from lms.core.reports.fields import KNOBS, Column, Expression, Filter, Knob, Sought, Words
from lms.core.reports.formulas import computed
from lms.core.reports.view import Page, Tally, View

PAGE = 50
BLOCK = 2_000  # rows that a file is made of at a time
COUNTED_AT_ONCE = 2_000
MOST_COMPUTED, MOST_ASKED = 3, 10
DRAWN = ("int", "money", "percent", "bytes", "duration", "stars", "number")  # what a chart can show
INDEXED_FROM = 5  # three letters between two signs for "anything": what a trigram is made of


@dataclass(frozen=True, slots=True)
class Gathering:
    """What knows how rows are gathered into groups, which is a list itself and so comes after this file."""

    groups: Callable[["Report", View], "Report"]
    fitting: Callable[[Sequence[str], Sequence[Column]], tuple[str, ...]]


_gathering: list[Gathering] = []


def gather_by(gathering: Gathering) -> None:
    """Have the rows of every list gathered by this."""
    _gathering[:] = [gathering]


class Report:
    """One list of the product. Subclasses set the class attributes and `query`."""

    name: ClassVar[str]
    title: ClassVar[Words]
    columns: Sequence[Column]
    filters: Sequence[Filter] = ()
    search: ClassVar[Sequence[Expression | Sought]] = ()
    sort: ClassVar[str] = ""
    key: ClassVar[Expression]
    href: ClassVar[str] = ""
    path: ClassVar[str] = ""  # the list's own page; without one it is shown at /admin/reporting/reports/<name>
    lead: ClassVar[Words] = ""
    figures: ClassVar[Mapping[str, Words]] = {}  # figures elsewhere that count rows of this list: what each of them means
    empty: ClassVar[tuple[str, Words, Words]] = ("inbox", "", "")
    fixed: Mapping[str, str] = {}  # filters that this list always has, as one of a single batch; its views carry them along
    is_settled: ClassVar[bool] = True  # its statement follows from its words; False where something is looked up to put it together
    is_wide: ClassVar[bool] = False  # has columns for so many things that only those shown are read

    def query(self, by: Actor) -> Select[Any]:
        """The rows this actor may see, as a SELECT with its joins; columns are put in by the report."""
        raise NotImplementedError

    def allowed(self, by: Actor) -> Decision:
        """Who may see this list at all."""
        return admins(by)

    # --- reading a view ---------------------------------------------------------------------------------------------

    def read_view(self, given: Mapping[str, Sequence[str]], *, zone_name: str = "UTC") -> View:
        """The view a query string asks for; unknown names are passed over, wrong values raise Invalid."""
        given = {**given, **{key: [value] for key, value in self.fixed.items()}}
        words = (given.get("q") or [""])[0].strip()[:200].replace("\x00", "")
        known = {item.key: item for item in self.filters}
        filters = tuple((key, known[key].read(values[0])) for key, values in sorted(given.items()) if key in known and values and values[0])
        sort = (given.get("sort") or [""])[0]
        keys = {column.key for column in self.columns}
        columns = tuple(dict.fromkeys(key for key in given.get("columns", ()) if key in keys))
        view = View(words=words, filters=filters, columns=columns, zone=zone_name, computed=_formulas(given.get("calc", ())))
        view = replace(view, groups=tuple(key for key in given.get("group", ())[:MOST_ASKED]), chart=(given.get("chart") or [""])[0][:60])
        return self._fitted(view, sort)

    def _fitted(self, view: View, sort: str) -> View:
        """The view with what fits this list of its groups, sort and chart."""
        if view.groups:
            view = replace(view, groups=_gathering[0].fitting(view.groups, self.columns))
        columns = self.gathered(view).columns if view.groups else self.all_columns(view)
        if sort.lstrip("-") not in {column.key for column in columns if column.sortable}:
            sort = ""
        kind, _colon, key = view.chart.partition(":")
        drawn = kind in ("bar", "line") and key in {column.key for column in columns if column.kind in DRAWN}
        return replace(view, sort=sort, chart=view.chart if drawn else "")

    def gathered(self, view: View) -> "Report":
        """The groups of a view, as a list of their own."""
        return _gathering[0].groups(self, view)

    def all_columns(self, view: View) -> list[Column]:
        """The list's columns and those the view computes; raises Invalid for a formula that is not understood."""
        made = [computed(place, label, formula, self.columns) for place, (label, formula) in enumerate(view.computed, 1)]
        return [*self.columns, *made]

    def shown(self, view: View) -> list[Column]:
        """The columns of a view, in the report's order."""
        if view.groups:
            return list(self.gathered(view).columns)
        wanted = {*view.columns, *(f"calc_{place}" for place in range(1, len(view.computed) + 1))} if view.columns else None
        return [column for column in self.all_columns(view) if (column.key in wanted if wanted else column.shown)]

    def column(self, key: str) -> Column:
        """The column of that key."""
        return next(column for column in self.columns if column.key == key)

    # --- asking the database ----------------------------------------------------------------------------------------

    def bare(self, by: Actor) -> Select[Any] | None:
        """The rows without the joins that only decorate them, when filters and totals need none of those; counting is faster so."""
        return None

    def filtered(self, view: View, by: Actor, *, rows: Select[Any] | None = None) -> Select[Any]:
        """The report's rows (or these) under the view's filters and words."""
        statement = self.query(by) if rows is None else rows
        known = {item.key: item for item in self.filters}
        knobs = [item for item in self.filters if isinstance(item, Knob)]
        if knobs:
            turned = dict(view.filters)
            values = (literal(int(turned.get(item.key, item.default)), BigInteger).label(item.key) for item in knobs)
            statement = statement.join(select(*values).subquery(KNOBS), true())
        for key, raw in view.filters:
            item = known[key]
            if not isinstance(item, Knob):
                statement = statement.where(item.where(raw, view.zone))
        if view.words:
            statement = statement.where(self._matches(view.words))
        return statement

    def _matches(self, words: str) -> Expression:
        """Every word stands in one of the searched columns, whatever its case."""
        if not self.search:
            return false()
        patterns = sorted((_pattern(word) for word in words.lower().split()[:8]), key=len, reverse=True)
        if len(self.search) == 1 and isinstance(self.search[0], Sought):
            return _found(self.search[0], patterns)
        return and_(*(or_(*(_found(item, [pattern]) for item in self.search)) for pattern in patterns))

    def _selected(self, statement: Select[Any], columns: Sequence[Column]) -> Select[Any]:
        wanted = [type(self).key.label("id")]
        for column in columns:
            if column.key != "id":
                wanted.append(column.value.label(column.key))
            if column.currency is not None:
                wanted.append(column.currency.label(f"{column.key}_currency"))
        return statement.with_only_columns(*wanted, maintain_column_froms=True)

    def _read(self, view: View) -> list[Column]:
        """The columns a page reads: all, for links and words beside them; of a wide list those shown, and what it is sorted by."""
        if not self.is_wide:
            return self.all_columns(view)
        shown, (order, _down) = self.shown(view), self._order(view)
        return shown if order is None or order in shown else [*shown, order]

    def _order(self, view: View) -> tuple[Column | None, bool]:
        chosen = view.sort or self.sort
        if not chosen:
            return None, False
        return self.column(chosen.lstrip("-")), chosen.startswith("-")

    def page(self, view: View, by: Actor, *, after: str = "", before: str = "", size: int = PAGE) -> Page:
        """The page after (or before) a key; the first without one. One query, and one more where empty cells begin."""
        if view.groups:
            return self.gathered(view).page(_plain(view), by, after=after, before=before, size=size)
        column, descending = self._order(view)
        backwards = bool(before)
        cursor = places.read(before or after)

        def statements() -> list[Select[Any]]:
            statement = self._selected(self.filtered(view, by), self._read(view))
            parts = places.stretches(column, type(self).key, descending, backwards=backwards, after=cursor)
            return [statement.where(*part.where).order_by(*part.order).limit(size + 1) for part in parts]

        rows: list[Mapping[str, Any]] = []
        for ask in kept.asked(self._depends(view, "page", size) if cursor is None else None, view, by, statements):
            rows += ask()
            if len(rows) > size:
                break
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        first = places.write(column, rows[0]) if rows else ""
        last = places.write(column, rows[-1]) if rows else ""
        has_before, has_after = (more, True) if backwards else (cursor is not None, more)
        return Page(rows, before=first if has_before else "", after=last if has_after else "")

    def _depends(self, view: View, *what: Any) -> tuple[Any, ...] | None:
        """What a steady view's statement depends on besides view, reader and day; None for others, and for a list of its own kind."""
        if vars(self) or not self.is_settled or not kept.is_steady(view, {item.key: item for item in self.filters}):
            return None
        return (type(self), *what, tuple(self.columns))

    def count(self, view: View, by: Actor) -> int:
        """How many rows the view has, exactly."""
        return int(self.totals(view, by)["count"])

    def totals(self, view: View, by: Actor) -> dict[str, Any]:
        """The exact count, and the sum of each column that has one, in one query; money sums are {currency: minor}."""
        if view.groups:
            return self.gathered(view).totals(_plain(view), by)
        return self._tally(view, by)

    def totals_if_few(self, view: View, by: Actor, *, most: int = COUNTED_AT_ONCE) -> dict[str, Any] | None:
        """The totals of a view of at most that many rows; None of a longer one, which takes its time to count."""
        if view.groups:
            return self.gathered(view).totals_if_few(_plain(view), by, most=most)
        found = self._tally(view, by, most=most + 1)
        return found if found["count"] <= most else None

    def _counted(self, view: View, by: Actor) -> Select[Any]:
        """The rows of a view with no more columns and joins than counting needs."""
        bare = None if view.words else self.bare(by)
        wanted = [type(self).key.label("id")]
        for column in self.all_columns(view):
            if column.total:
                wanted.append(column.value.label(column.key))
                wanted += [column.currency.label(f"{column.key}_currency")] if column.currency is not None else []
        return self.filtered(view, by, rows=bare).with_only_columns(*wanted, maintain_column_froms=bare is None)

    def _tally(self, view: View, by: Actor, *, most: int | None = None) -> dict[str, Any]:
        sums = [column for column in self.all_columns(view) if column.total]

        def statements() -> list[Select[Any]]:
            inner = self._counted(view, by).limit(most).subquery()
            counted = select(func.count().label("count"), *(func.sum(inner.c[column.key]).label(column.key) for column in sums))
            currencies = [inner.c[f"{column.key}_currency"] for column in sums if column.currency is not None]
            return [counted.select_from(inner).add_columns(*[c.label("currency") for c in currencies[:1]]).group_by(*currencies[:1])]

        [ask] = kept.asked(self._depends(view, "tally", most), view, by, statements)
        found = list(ask())
        made: dict[str, Any] = {"count": sum(row["count"] for row in found)}
        for column in sums:
            if column.currency is not None:
                made[column.key] = {row["currency"]: int(row[column.key] or 0) for row in found}
            else:
                made[column.key] = sum(int(row[column.key] or 0) for row in found)
        return made

    def stream(self, view: View, by: Actor) -> Iterator[RowMapping]:
        """Every row of the view in its order with all its columns, through a server-side cursor: a million rows in a few megabytes."""
        if view.groups:
            yield from self.gathered(view).stream(_plain(view), by)
            return
        for asked in self._in_order(view, by, self.all_columns(view)):
            yield from db.session().execute(asked, execution_options={"yield_per": BLOCK, "stream_results": True}).mappings()

    def blocks(self, view: View, by: Actor) -> Iterator[Block]:
        """Every row of the view in its order with the columns it shows, many at a time: what files are made of."""
        if view.groups:
            yield from self.gathered(view).blocks(_plain(view), by)
            return
        for asked in self._in_order(view, by, self.shown(view)):
            yield from blocks.read(asked, BLOCK)

    def _in_order(self, view: View, by: Actor, columns: Sequence[Column]) -> Iterator[Select[Any]]:
        column, descending = self._order(view)
        statement = self._selected(self.filtered(view, by), columns)
        for part in places.stretches(column, type(self).key, descending):
            yield statement.where(*part.where).order_by(*part.order)

    def ids(self, view: View, by: Actor) -> Iterator[UUID]:
        """The ids of every row of the view: what "select all 2,318" means."""
        statement = self.filtered(view, by).with_only_columns(type(self).key, maintain_column_froms=True).order_by(type(self).key)
        yield from db.session().execute(statement, execution_options={"yield_per": 2000}).scalars()

    def checksum(self, view: View, by: Actor) -> tuple[int, str]:
        """The number of rows and a SHA-256 over their values in order; the same for table, file, mail and API."""
        tally = Tally(self.shown(view))
        for block in self.blocks(view, by):
            tally.add(block)
        return tally.count, tally.checksum


def _plain(view: View) -> View:
    """What is wanted of the groups of a view, as a view of theirs."""
    return View(sort=view.sort, zone=view.zone)


def _formulas(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Names and formulas of computed columns, as they stand in an address: name=formula."""
    parts = (one.replace("\x00", "").partition("=") for one in given[:MOST_COMPUTED])
    return tuple(
        (" ".join(label.split())[:60] or formula.strip()[:60], formula.strip()) for label, _is, formula in parts if formula.strip()
    )


def _pattern(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _found(item: Expression | Sought, patterns: Sequence[str]) -> Expression:
    """The condition that every pattern stands in what is searched: by its index when that is the shorter way."""
    if not isinstance(item, Sought):
        return and_(*(func.lower(cast(item, SqlText)).like(pattern) for pattern in patterns))
    ids = _ids_of(item, patterns) if len(patterns[0]) >= INDEXED_FROM or not item.finder else None
    if ids is None:
        return item.like(patterns)
    return item.key == any_(bindparam(None, ids, ARRAY(Uuid))) if ids else false()


def _ids_of(item: Sought, patterns: Sequence[str]) -> list[UUID] | None:
    """What a finder finds, asked once in a unit of work, since the page, its count and its sums want the same."""
    kept = db.session().info.setdefault("reports.found", {})
    asked = (item.name, *patterns)
    if asked not in kept:
        ids = db.session().scalar(item.ask(patterns))
        kept[asked] = [] if ids is None and not item.finder else ids
    found: list[UUID] | None = kept[asked]
    return found


def every_report() -> dict[str, Report]:
    """Every declared report by name."""
    found: dict[str, Report] = {}
    waiting = list(Report.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if "name" in kind.__dict__:
            found[kind.name] = kind()
    return dict(sorted(found.items()))
