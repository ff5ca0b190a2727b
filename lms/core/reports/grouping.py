"""A list gathered into groups: a row for each, with how many rows it has and their sums; with two levels, a row for each first one too."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, Numeric, Select, Text, Uuid, cast, func, literal_column, select, tuple_

from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports.fields import Column, Expression
from lms.core.reports.report import Gathering, Report, gather_by
from lms.core.reports.view import View

STEPS = {"day": _l("day"), "week": _l("week"), "month": _l("month"), "year": _l("year")}
GROUPABLE = ("text", "state", "bool", "int", "percent", "stars")
EVENED = ("percent", "stars")
MOST_LEVELS = 2
PARTS = {"whole": _l("All of it"), "part": _l("A part")}


def groupable(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """What a list can be gathered by, as (value, label): columns, and days, weeks, months and years of times."""
    made: list[tuple[str, str]] = []
    for column in columns:
        if column.kind in ("time", "date"):
            made += [(f"{column.key}:{step}", f"{column.label} ({name})") for step, name in STEPS.items()]
        elif column.kind in GROUPABLE and column.key != "id":
            made.append((column.key, str(column.label)))
    return made


def fitting(keys: Sequence[str], columns: Sequence[Column]) -> tuple[str, ...]:
    """The keys a list can be gathered by, of those asked for, each once, two at most; others are passed over."""
    known = dict(groupable(columns))
    return tuple(dict.fromkeys(key for key in keys if key in known))[:MOST_LEVELS]


class Groups(Report):
    """The groups of a view of a list, as a list of their own: sums are added up, shares evened out."""

    key = literal_column("groups.id", Uuid)
    sort = "group_0"
    is_settled: ClassVar[bool] = False

    def __init__(self, report: Report, view: View) -> None:
        self.report, self.view = report, replace(view, groups=(), columns=(), sort="", chart="")
        self.keys = view.groups
        known = report.shown(replace(view, groups=())) if report.is_wide else report.all_columns(view)
        self.sums = [column for column in known if column.total or column.kind in EVENED]
        self.name, self.title = report.name, report.title  # type: ignore[misc]  # it goes by the name of what it gathers
        self.columns = self._columns()

    def allowed(self, by: Actor) -> Decision:
        """Whoever may see the list."""
        return self.report.allowed(by)

    def query(self, by: Actor) -> Select[Any]:
        """A row for each group; the rows behind them are those of the view."""
        return select(self._gathered(by).subquery("groups"))

    def _columns(self) -> list[Column]:
        made = [self._level(place, key) for place, key in enumerate(self.keys)]
        if len(self.keys) > 1:
            made.append(Column("part", _l("Counts"), _at("part", Text), kind="state", sortable=False, nullable=False, words=PARTS))
        made.append(Column("rows", _l("Rows"), _at("rows", BigInteger), kind="int", total=True, nullable=False))
        return made + [_summed(column) for column in self.sums]

    def _level(self, place: int, key: str) -> Column:
        name, _colon, step = key.partition(":")
        column, here = self.report.column(name), f"group_{place}"
        if step:
            label = _l("%(column)s (%(step)s)", column=column.label, step=STEPS[step])
            return Column(here, label, _at(here, Date), kind="date", nullable=True)
        value = _at(here, column.value.type)
        return replace(column, key=here, value=value, href="", sortable=True, shown=True, total=False, nullable=True)

    def _gathered(self, by: Actor) -> Select[Any]:
        wanted = [self._grouped(key).label(f"group_{place}") for place, key in enumerate(self.keys)]
        wanted += [column.value.label(column.key) for column in self.sums]
        money = next((column.currency for column in self.sums if column.currency is not None), None)
        wanted += [money.label("currency")] if money is not None else []
        rows = self.report.filtered(self.view, by).with_only_columns(*wanted, maintain_column_froms=True).subquery("rows")
        keys = [rows.c[f"group_{place}"] for place in range(len(self.keys))]
        apart = [rows.c.currency] if money is not None else []
        level = func.grouping(keys[-1])
        names = [func.coalesce(cast(key, Text), "\x01") for key in (*keys, *apart)]
        identity = cast(func.md5(func.concat_ws("|", *names, cast(level, Text))), Uuid).label("id")
        sums = [_total(column, rows.c[column.key]).label(column.key) for column in self.sums]
        part = func.replace(func.replace(cast(level, Text), "0", "part"), "1", "whole").label("part")
        made = select(identity, *keys, *apart, part, func.count().label("rows"), *sums)
        if len(keys) == 1:
            return made.group_by(*keys, *apart)
        return made.group_by(func.grouping_sets(tuple_(*keys, *apart), tuple_(keys[0], *apart)))

    def _grouped(self, key: str) -> Expression:
        name, _colon, step = key.partition(":")
        column = self.report.column(name)
        if not step:
            return column.value
        moment = func.timezone(self.view.zone, column.value) if column.kind == "time" else column.value
        return cast(func.date_trunc(step, moment), Date)

    def _tally(self, view: View, by: Actor, *, most: int | None = None) -> dict[str, Any]:
        """How many groups there are; the sums are those of the rows behind them, so that nothing counts twice."""
        inner = self.query(by).with_only_columns(type(self).key, maintain_column_froms=True).limit(most).subquery()
        count = int(db.session().scalar(select(func.count()).select_from(inner)) or 0)
        whole = self.report.totals(self.view, by)
        return {**whole, "rows": whole["count"], "count": count}


def _at(name: str, kind: Any) -> Expression:
    return literal_column(f"groups.{name}", kind)


def _summed(column: Column) -> Column:
    currency = _at("currency", Text) if column.currency is not None else None
    value = _at(column.key, Numeric)
    return replace(column, value=value, currency=currency, href="", sortable=True, shown=True, nullable=True)


def _total(column: Column, value: Expression) -> Expression:
    return func.round(func.avg(value), 1) if column.kind in EVENED else func.sum(value)


gather_by(Gathering(Groups, fitting))
