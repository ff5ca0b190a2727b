"""The written code: random, free of look-alikes, forgiving to read, strict about mistakes."""

import random

from hypothesis import given
from hypothesis import strategies as st

from lms.vouchers.operations.codes import ALPHABET, LENGTH, check_symbol, make_codes, read, write

WORDS = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1)


def test_make_codes__are_all_different_and_use_every_symbol_alike() -> None:
    codes = make_codes(10_000)
    assert len(set(codes)) == 10_000 and all(len(code) == LENGTH for code in codes)
    counts = [sum(code[:-1].count(symbol) for code in codes) for symbol in ALPHABET]
    expected = 10_000 * (LENGTH - 1) / len(ALPHABET)
    assert all(abs(count - expected) < expected * 0.06 for count in counts)
    assert len(ALPHABET) ** (LENGTH - 1) > 2**128


def test_alphabet__holds_one_of_each_group_of_look_alikes() -> None:
    assert not set(ALPHABET) & set("OILSU")


@given(WORDS)
def test_read__forgives_how_people_type(body: str) -> None:
    code = body + check_symbol(body)
    written = write(code, "SPRING")
    assert written.startswith("SPRING-") and written.count("-") == 7
    for typed in (
        written,
        written.lower(),
        written.replace("-", " "),
        f"  {code} ",
        code.replace("0", "o").replace("1", "l").replace("5", "S").replace("V", "u"),
    ):
        assert read(typed) == code


@given(WORDS, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_read__finds_every_wrong_symbol(body: str, place: int, symbol: str) -> None:
    code = body + check_symbol(body)
    wrong = code[:place] + symbol + code[place + 1 :]
    assert (read(wrong) is None) == (wrong != code)


@given(WORDS, st.integers(0, LENGTH - 2))
def test_read__finds_every_swap_of_neighbours(body: str, place: int) -> None:
    code = body + check_symbol(body)
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (read(wrong) is None) == (wrong != code)


@given(st.text(max_size=400))
def test_read__answers_something_to_anything(typed: str) -> None:
    found = read(typed)
    assert found is None or len(found) == LENGTH


def test_read__says_none_to_what_is_too_short() -> None:
    assert read("") is None and read("SPRING-7K2M") is None
    assert sum(read("".join(random.choices(ALPHABET, k=LENGTH))) is not None for _ in range(300)) < 40
