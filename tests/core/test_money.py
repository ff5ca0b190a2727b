"""Amounts as people type them, in currencies of 0, 2 and 3 decimals; and shares that lose no unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.errors import Invalid
from lms.core.money import Money, digits, parse, split


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("12", "EUR", 1200),
        ("12,5", "EUR", 1250),
        ("1,250.50", "EUR", 125_050),
        ("1 250,50", "EUR", 125_050),
        ("1,250", "EUR", 125_000),
        ("1,250", "JPY", 1250),
        ("1250", "JPY", 1250),
        ("1.255", "KWD", 1255),
        ("1,255.500", "KWD", 1_255_500),
        ("1255", "KWD", 1_255_000),
        (".5", "KWD", 500),
    ],
)
def test_parse__reads_what_people_type(typed: str, currency: str, minor: int) -> None:
    assert parse(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("1.5", "JPY"),
        ("1.255", "EUR"),
        ("1.2555", "KWD"),
        ("1,255", "KWD"),
        ("-1", "EUR"),
        ("1e3", "EUR"),
        ("NaN", "EUR"),
        ("", "EUR"),
        ("9" * 20, "EUR"),
    ],
)
def test_parse__refuses_what_could_be_misread_or_does_not_fit(typed: str, currency: str) -> None:
    with pytest.raises(Invalid):
        parse(typed, currency)


@given(minor=st.integers(0, 10**12), currency=st.sampled_from(("EUR", "JPY", "KWD", "USD", "BHD", "KRW")))
def test_parse__reads_back_what_is_shown_in_a_field(minor: int, currency: str) -> None:
    shown = str(Money(minor, currency).decimal)
    assert parse(shown, currency).minor == minor
    assert len(shown.partition(".")[2]) == digits(currency)


@given(amount=st.integers(0, 10**12), shares=st.lists(st.integers(0, 1000), min_size=1, max_size=10).filter(sum))
def test_split__loses_no_unit(amount: int, shares: list[int]) -> None:
    parts = split(amount, shares)
    assert sum(parts) == amount and all(abs(part - amount * share / sum(shares)) <= 1 for part, share in zip(parts, shares, strict=True))
