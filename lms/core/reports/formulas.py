"""Computed columns: arithmetic over the columns of a list, read by a small grammar and made into SQL with bound values.

Only names of columns, numbers, `+ - * /` and brackets are understood. Money stays money while it is added, taken away or multiplied by
a number; money by money is a number; the difference of two times or days is a number of days. Dividing by nothing gives nothing.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Date, DateTime, Numeric, cast, func, literal

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.reports.fields import Column, Expression

LONGEST, MOST_PARTS, DIGITS = 200, 40, 4
NUMBERS = ("int", "percent", "bytes", "duration", "stars", "number")
MOMENTS = ("time", "date")
DAY = 86_400
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a formula: its SQL, what it is (number, money, time or date), and the currency of money."""

    value: Expression
    kind: str
    currency: Expression = None


def usable(columns: Iterable[Column]) -> list[Column]:
    """The columns a formula may name."""
    return [column for column in columns if column.kind in (*NUMBERS, *MOMENTS, "money")]


def computed(place: int, label: str, formula: str, columns: Iterable[Column]) -> Column:
    """The column of a formula; raises Invalid, with the sentence for the field, when it is not understood."""
    text = formula.strip()
    if not 0 < len(text) <= LONGEST:
        raise Invalid(_("A formula has up to %(count)s letters.", count=LONGEST))
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Invalid(_("“%(formula)s” is not arithmetic. Write for example: price - paid", formula=text)) from error
    if sum(1 for _node in ast.walk(tree)) > MOST_PARTS:
        raise Invalid(_("That formula is too long. Split it into two columns."))
    part = _read(tree.body, {column.key: column for column in usable(columns)})
    if part.kind in MOMENTS:
        raise Invalid(_("A time alone is no figure. Take one time from another to get days."))
    kind = "money" if part.kind == "money" else "number"
    value = func.round(part.value) if kind == "money" else func.round(part.value, DIGITS)
    return Column(
        f"calc_{place}", label, cast(value, Numeric), kind=kind, currency=part.currency, sortable=False, total=True, nullable=True
    )


def _read(node: ast.expr, known: dict[str, Column]) -> Part:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and _is_plain(node.value):
        return Part(literal(Decimal(str(node.value)), Numeric), "number")
    if isinstance(node, ast.Name):
        return _named(node.id, known)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _read(node.operand, known)
        if inner.kind in MOMENTS:
            raise Invalid(_("A time cannot be turned round."))
        return Part(-inner.value, inner.kind, inner.currency)
    if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        return _joined(SIGNS[type(node.op)], _read(node.left, known), _read(node.right, known))
    raise Invalid(_("A formula has names of columns, numbers, + - * / and brackets, nothing else."))


def _is_plain(number: float) -> bool:
    """Whether it is a number as people write it: no truth, no infinity."""
    return type(number) is not bool and abs(number) < 10**12


def _named(name: str, known: dict[str, Column]) -> Part:
    column = known.get(name)
    if column is None:
        names = ", ".join(sorted(known)) or "–"
        raise Invalid(_("There is no figure called %(name)s in this list. There are: %(names)s.", name=name, names=names))
    if column.kind in MOMENTS:
        return Part(column.value, column.kind)
    return Part(cast(column.value, Numeric), "money" if column.kind == "money" else "number", column.currency)


def _joined(sign: str, left: Part, right: Part) -> Part:
    if left.kind in MOMENTS or right.kind in MOMENTS:
        return _days_between(sign, left, right)
    if sign in "+-":
        if left.kind != right.kind:
            raise Invalid(_("Money and numbers cannot be added up. Multiply or divide instead."))
        return Part(left.value + right.value if sign == "+" else left.value - right.value, left.kind, left.currency)
    if sign == "*":
        if left.kind == right.kind == "money":
            raise Invalid(_("Money cannot be multiplied by money."))
        money = left if left.kind == "money" else right
        return Part(left.value * right.value, money.kind, money.currency)
    if right.kind == "money" and left.kind != "money":
        raise Invalid(_("A number cannot be divided by money."))
    kind = "number" if left.kind == right.kind else left.kind
    return Part(left.value / func.nullif(right.value, 0), kind, left.currency if kind == "money" else None)


def _days_between(sign: str, left: Part, right: Part) -> Part:
    if sign != "-" or left.kind != right.kind:
        raise Invalid(_("Of times and days only the difference of two of a kind can be had, in days."))
    if left.kind == "date":
        return Part(cast(cast(left.value, Date) - cast(right.value, Date), Numeric), "number")
    seconds = func.extract("epoch", cast(left.value, DateTime(timezone=True)) - cast(right.value, DateTime(timezone=True)))
    return Part(cast(seconds, Numeric) / DAY, "number")
