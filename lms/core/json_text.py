"""JSON from strangers, read strictly: what two readers could understand differently is refused (RFC 8259, RFC 7493)."""

import json
import re
from math import isfinite
from typing import Any, NoReturn

from lms.core.errors import Refusal

MOST_DEPTH = 50
MOST_NAMES = 1_000
MOST_DIGITS = 40
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class Unreadable(Refusal):
    """The text is no JSON, or JSON two readers could understand differently."""

    code = "unreadable"


def read(raw: bytes) -> Any:
    """The value of a JSON text; refuses malformed text, names given twice, NaN and infinities, numbers of more than 40 digits,
    nesting past 50 levels, objects of more than 1,000 names, NUL and lone surrogates in strings. Raises Unreadable."""
    _check_depth(raw)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant, parse_float=_float, parse_int=_int)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise Unreadable("The text is not valid UTF-8, or holds half a character.") from error
    except ValueError as error:
        raise Unreadable("This is not valid JSON.") from error
    if b"u0000" in raw and _holds_nul(value):
        raise Unreadable("Text may not hold NUL characters.")
    return value


def _holds_nul(value: Any) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and "\x00" in item:
            return True
    return False


def _check_depth(raw: bytes) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", raw)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MOST_DEPTH:
            raise Unreadable(f"The JSON is nested deeper than {MOST_DEPTH} levels.")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise Unreadable(f"An object has more than {MOST_NAMES} names.")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("An object gives a name twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is no JSON number.")


def _float(text: str) -> float:
    value = float(text)
    if not isfinite(value) or len(text) > MOST_DIGITS:
        raise Unreadable("A number is too large or too long.")
    return value


def _int(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise Unreadable("A number is too large or too long.")
    return int(text)
