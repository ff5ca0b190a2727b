"""JSON from strangers: what could be read two ways is refused."""

import time
from contextlib import suppress

import pytest

from lms.core import json_text


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"nul", b"[1,]", b"{'a':1}", b'{"a":1}x', b"\xff\xfe", b"\xef\xbb\xbf{}",
        b'{"a":1,"a":2}', b'{"x":{"a":1,"a":1}}', b"NaN", b"[Infinity]", b"-Infinity", b"1e400", b"-1e400",
        b"9" * 5000, b"1" * 41, b"0." + b"1" * 5000, b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 51 + b"1" + b"}" * 51,
        b'"\\ud800"', b'{"\\udfff":1}', b'"a\\u0000b"', b'{"a\\u0000":1}', b'"\x00"', b'"\x1f"',
    ],
)  # fmt: skip
def test_read__refuses_what_is_no_clear_json(raw: bytes) -> None:
    with pytest.raises(json_text.Unreadable):
        json_text.read(raw)


def test_read__takes_what_is() -> None:
    deep = b"[" * 50 + b"]" * 50
    for raw, value in (
        (b'{"a": [1, -2.5, true, null, "\\u00e9\\ud83d\\ude00"]}', {"a": [1, -2.5, True, None, "é😀"]}),
        (b'"[[[[{{{{"', "[[[[{{{{"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\"[\\""', '"["'),
        (deep, json_text.read(deep)),
    ):
        assert json_text.read(raw) == value


def test_read__of_a_million_names_or_a_megabyte_of_brackets_is_quick() -> None:
    many = b"{" + b",".join(b'"n%d":1' % number for number in range(100_000)) + b"}"
    began = time.perf_counter()
    for raw in (many, b"[" * 1_000_000, b'"' + b"\\" * 1_000_000, b'"' * 1_000_000, b"[" + b"[]," * 300_000 + b"[]]"):
        with suppress(json_text.Unreadable):
            json_text.read(raw)
    assert time.perf_counter() - began < 30
