"""The parts a list is declared with: columns and filters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, and_, cast, func, literal_column, or_, select
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import ARRAY

from lms.core.clock import zone
from lms.core.errors import Invalid
from lms.core.i18n import Lazy
from lms.core.i18n import gettext as _

KINDS = ("text", "int", "money", "time", "date", "month", "bool", "percent", "state", "bytes", "duration", "segments", "stars", "number")
FOUND_AT_MOST = 20_000
KNOBS = "knobs"  # the name under which a statement knows the values of its list's knobs
Expression = Any  # a SQLAlchemy column expression; its generics add nothing here
Words = str | Lazy


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key (also in files and the API), label, SQL expression and kind.

    `currency` is the expression beside a money column; `href` a path with {key} of other columns; `tones` maps a state to a
    badge tone and `words` to its label; `total` sums the column; `more` names extra expressions its cell needs.
    """

    key: str
    label: Words
    value: Expression
    kind: str = "text"
    currency: Expression = None
    href: str = ""
    sortable: bool = True
    shown: bool = True
    total: bool = False
    nullable: bool | None = None
    tones: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Words] = field(default_factory=dict)
    help: Words = ""

    def may_be_null(self) -> bool:
        """Whether the expression can be NULL, as far as its declaration says."""
        if self.nullable is not None:
            return self.nullable
        mapped = getattr(self.value, "property", None)
        return bool(getattr(mapped.columns[0] if mapped is not None else self.value, "nullable", True))


@dataclass(frozen=True, slots=True)
class Sought:
    """Searched columns of one table, whose rows are found first and then held against the list's column `key`.

    `finder` is the function of the database that finds them by an index: it gives the ids of the rows in which every pattern stands,
    or NULL when those are so many that reading along the list is shorter. Without one the table is small, and `row` is its id.
    """

    key: Expression
    columns: Sequence[Expression]
    finder: str = ""
    row: Expression = None

    def ask(self, patterns: Sequence[str]) -> Expression:
        """The ids of the rows that hold all the patterns, as a statement with one answer."""
        if not self.finder:
            return select(func.array_agg(self.row)).where(self.like(patterns))
        place = func
        for part in self.finder.split("."):
            place = getattr(place, part)
        return select(place(cast(list(patterns), ARRAY(SqlText)), FOUND_AT_MOST, type_=ARRAY(Uuid)))

    def like(self, patterns: Sequence[str]) -> Expression:
        """The condition itself: each pattern stands in one of the columns."""
        return and_(*(or_(*(func.lower(column).like(pattern) for column in self.columns)) for pattern in patterns))

    @property
    def name(self) -> str:
        """What tells it from others."""
        return self.finder or str(self.row)


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter with fixed values; `options` are (value, label), or a function that gives them."""

    key: str
    label: Words
    value: Expression
    options: Sequence[tuple[str, Words]] | Callable[[], Sequence[tuple[str, Words]]]

    def choices(self) -> list[tuple[str, str]]:
        """The values and labels to choose from."""
        found = self.options() if callable(self.options) else self.options
        return [(str(value), str(label)) for value, label in found]

    def read(self, raw: str) -> str:
        """A value of this filter; raises Invalid for one that is none of its choices."""
        if raw not in dict(self.choices()):
            raise Invalid(_("%(filter)s has no value %(value)s.", filter=self.label, value=raw))
        return raw

    def where(self, raw: str, zone_name: str) -> Expression:
        """The condition of a value."""
        if callable(self.value) and not hasattr(self.value, "in_"):
            return self.value(raw)
        if isinstance(getattr(self.value, "type", None), Uuid):
            return self.value == cast(raw, Uuid)
        return cast(self.value, SqlText) == raw

    def words(self, raw: str) -> str:
        """How a value reads."""
        return dict(self.choices()).get(raw, raw)


@dataclass(frozen=True, slots=True)
class Period:
    """A filter over a time: `2026-11-01..2026-11-30`, either end open, or `30d` for the last 30 days; days of the reader's zone.

    `2026-11-01..2026-11-30@Africa/Cairo` means days of that zone, whoever reads. `whole_days` says that the value is a calendar day
    already, which belongs to no zone.
    """

    key: str
    label: Words
    value: Expression
    whole_days: bool = False

    def read(self, raw: str) -> str:
        """A period as it was written; raises Invalid when it is none."""
        self._days(raw, "UTC")
        return raw

    def _days(self, raw: str, zone_name: str) -> tuple[date | None, date | None]:
        if raw.endswith("d") and raw[:-1].isdecimal() and raw.isascii() and len(raw) < 6 and int(raw[:-1]) <= 3650:
            return datetime.now(zone(zone_name)).date() - timedelta(days=int(raw[:-1]) - 1), None
        raw, at, zone_name = raw.partition("@")
        first, separator, last = raw.partition("..")
        try:
            if at and zone(zone_name).key != zone_name:
                separator = ""
            begin = date.fromisoformat(first) if first else None
            end = date.fromisoformat(last) + timedelta(days=1) if last else None
        except (ValueError, OverflowError):
            separator = ""
            begin = end = None
        if not separator or (begin is None and end is None):
            raise Invalid(_("%(filter)s takes days such as 2026-11-01..2026-11-30, or 30d.", filter=self.label))
        return begin, end

    def where(self, raw: str, zone_name: str) -> Expression:
        """The condition of a period."""
        begin, end = (self._edge(day, raw.partition("@")[2] or zone_name) for day in self._days(raw, zone_name))
        return and_(*([self.value >= begin] if begin else []), *([self.value < end] if end else []))

    def _edge(self, day: date | None, zone_name: str) -> date | datetime | None:
        return day if day is None or self.whole_days else datetime.combine(day, time(), zone(zone_name)).astimezone(UTC)

    def words(self, raw: str) -> str:
        """How a period reads."""
        if raw.endswith("d"):
            return _("last %(days)s days", days=raw[:-1])
        days, at, zone_name = raw.partition("@")
        return days.replace("..", " – ") + (f" ({zone_name})" if at else "")


@dataclass(frozen=True, slots=True)
class Flag:
    """A filter that is a condition or nothing."""

    key: str
    label: Words
    value: Expression

    def read(self, raw: str) -> str:
        """`1` or `0`."""
        if raw not in ("1", "0"):
            raise Invalid(_("%(filter)s takes 1 or 0.", filter=self.label))
        return raw

    def where(self, raw: str, zone_name: str) -> Expression:
        """The condition or its opposite."""
        return self.value if raw == "1" else ~self.value

    def words(self, raw: str) -> str:
        """yes or no."""
        return _("yes") if raw == "1" else _("no")


@dataclass(frozen=True, slots=True)
class Knob:
    """A number that the list itself works with (a threshold, a number of days): it leaves nothing out, and always has a value."""

    key: str
    label: Words
    options: Sequence[tuple[int, Words]]
    default: int

    def choices(self) -> list[tuple[str, str]]:
        """The values and labels to choose from."""
        return [(str(value), str(label)) for value, label in self.options]

    def read(self, raw: str) -> str:
        """A value of this knob; raises Invalid for one that is none of its choices."""
        if raw not in dict(self.choices()):
            raise Invalid(_("%(filter)s has no value %(value)s.", filter=self.label, value=raw))
        return raw

    def words(self, raw: str) -> str:
        """How a value reads."""
        return dict(self.choices()).get(raw, raw)


def knob(key: str) -> Expression:
    """The value of a knob in the columns and conditions of its list."""
    return literal_column(f"{KNOBS}.{key}", BigInteger)


@dataclass(frozen=True, slots=True)
class Only:
    """A filter by the id of one thing (a person's orders): links set it, a chip names and removes it, no form asks for it."""

    key: str
    label: Words
    value: Expression
    name_of: Callable[[UUID], str]

    def read(self, raw: str) -> str:
        """An id; raises Invalid for what is none."""
        try:
            return str(UUID(raw))
        except ValueError as error:
            raise Invalid(_("%(filter)s takes an id.", filter=self.label)) from error

    def where(self, raw: str, zone_name: str) -> Expression:
        """The rows of that one."""
        return self.value == cast(raw, Uuid)

    def words(self, raw: str) -> str:
        """What the one is called."""
        return self.name_of(UUID(raw))


Filter = Choice | Period | Flag | Knob | Only
