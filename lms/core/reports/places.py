"""Places in a list: pages are found by the key of a row, not by counting, so that the last page is as near as the first."""

import base64
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_
from sqlalchemy.engine import RowMapping

from lms.core.reports.fields import Column, Expression


def ordering(column: Column | None, key: Expression, descending: bool, backwards: bool) -> list[Expression]:
    """ORDER BY of a page: the column, empty cells last, then the key."""
    down = descending != backwards
    order: list[Expression] = []
    if column is not None:
        if column.may_be_null():
            empty = column.value.is_(None)
            order.append(empty.desc() if backwards else empty.asc())
        order.append(column.value.desc() if down else column.value.asc())
    order.append(key.desc() if down else key.asc())
    return order


def beyond(column: Column | None, key: Expression, cursor: tuple[Any, UUID], down: bool, backwards: bool) -> Expression:
    """WHERE of the rows past a place, in the direction read."""
    value, row_id = cursor
    past_key = key < row_id if down else key > row_id
    if column is None:
        return past_key
    expression = column.value
    if value is None:
        return or_(expression.is_not(None), past_key) if backwards else and_(expression.is_(None), past_key)
    past = expression < value if down else expression > value
    same = and_(expression == value, past_key)
    if column.may_be_null() and not backwards:
        return or_(past, same, expression.is_(None))
    return or_(past, same)


def write(column: Column | None, row: RowMapping) -> str:
    """The place of a row, as text for an address."""
    value: Any = row[column.key] if column is not None else None
    kind = "t" if isinstance(value, datetime) else "d" if isinstance(value, date) else "j"
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)  # a sum of whole numbers
    packed = value.isoformat() if kind in "td" else value if isinstance(value, (int, str, bool, type(None))) else str(value)
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
