"""Places in a list: pages are found by the key of a row, not by counting, so that the last page is as near as the first."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import literal, tuple_

from lms.core.reports.fields import Column, Expression


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some neighbouring rows of a list: a condition and an order that one index answers, forwards and backwards."""

    where: tuple[Expression, ...]
    order: tuple[Expression, ...]


def stretches(
    column: Column | None, key: Expression, descending: bool, *, backwards: bool = False, after: tuple[Any, UUID] | None = None
) -> list[Stretch]:
    """The stretches a list is read in, from a place on: by the column, empty cells last, then by the key.

    Empty cells are a stretch of their own, because no plain index has them last in both directions.
    """
    down = descending != backwards
    by_key = _directed(key, down)
    if column is None:
        return [Stretch((_past(key, after[1], down),) if after else (), (by_key,))]
    order = (_directed(column.value, down), by_key)
    nullable = column.may_be_null()
    filled = Stretch((column.value.is_not(None),) if nullable else (), order)
    empty = Stretch((column.value.is_(None),), (by_key,))
    if after is None:
        return ([empty, filled] if backwards else [filled, empty]) if nullable else [filled]
    value, row_id = after
    if value is None:
        rest = Stretch((*empty.where, _past(key, row_id, down)), empty.order)
        return [rest, filled] if backwards else [rest]
    edge = column.value <= value if down else column.value >= value
    rest = Stretch((edge, _past(tuple_(column.value, key), tuple_(literal(value, column.value.type), row_id), down)), order)
    return [rest, empty] if nullable and not backwards else [rest]


def _directed(expression: Expression, down: bool) -> Expression:
    return expression.desc() if down else expression.asc()


def _past(left: Expression, right: Any, down: bool) -> Expression:
    return left < right if down else left > right


def write(column: Column | None, row: Mapping[str, Any]) -> str:
    """The place of a row, as text for an address."""
    value: Any = row[column.key] if column is not None else None
    kind = "t" if isinstance(value, datetime) else "d" if isinstance(value, date) else "j"
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)  # a sum of whole numbers
    packed = value.isoformat() if kind in "td" else value if isinstance(value, (int, float, str, bool, type(None))) else str(value)
    return base64.urlsafe_b64encode(json.dumps([kind, packed, str(row["id"])]).encode()).rstrip(b"=").decode()


def read(text: str) -> tuple[Any, UUID] | None:
    """The place a key names; a key nobody made means the first page."""
    if not text:
        return None
    try:
        kind, value, row_id = json.loads(base64.urlsafe_b64decode(text[:2000] + "=" * (-len(text) % 4)))
        if not isinstance(value, (str, int, float, bool, type(None))) or not isinstance(row_id, str):
            return None
        str(value).encode()
        if kind == "t":
            value = datetime.fromisoformat(str(value))
        elif kind == "d":
            value = date.fromisoformat(str(value))
        return value, UUID(row_id)
    except (ValueError, TypeError, RecursionError):
        return None
