"""A channel's colours: read, measured, refused with a sentence, and written as a stylesheet."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.web import theme
from lms.web.theme import BadColor, Theme

COLORS = st.tuples(*[st.integers(0, 255)] * 3).map(lambda rgb: "#" + "".join(f"{value:02x}" for value in rgb))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#4f39f6", "#4f39f6"),
        ("4F39F6", "#4f39f6"),
        ("#fff", "#ffffff"),
        (" #ABC ", "#aabbcc"),
        ("oklch(0.511 0.262 276.966)", "#4f39f6"),
        ("oklch(51.1% 0.262 277deg)", "#4f39f6"),
    ],
)
def test_parse_color__reads_hex_and_oklch(text: str, expected: str) -> None:
    seen, wanted = theme.parse_color(theme.to_hex(theme.parse_color(text))), theme.parse_color(expected)
    assert max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) <= 2 / 255


@pytest.mark.parametrize(
    "text", ["", "red", "#12", "#12345", "oklch(2 0.1 30)", "oklch(0.5)", "url(x)", "#fff;}body{display:none", "#ffffff/*"]
)
def test_parse_color__refuses_what_is_no_colour_with_a_sentence(text: str) -> None:
    with pytest.raises(BadColor, match="is not a colour"):
        theme.parse_color(text)


def test_contrast__matches_the_published_values() -> None:
    assert theme.contrast(theme.parse_color("#000"), theme.parse_color("#fff")) == pytest.approx(21)
    assert theme.contrast(theme.parse_color("#777"), theme.parse_color("#fff")) == pytest.approx(4.48, abs=0.01)
    assert theme.contrast(theme.parse_color("#767676"), theme.parse_color("#fff")) >= 4.5


@given(COLORS)
def test_foreground__always_reads(color: str) -> None:
    rgb = theme.parse_color(color)
    assert theme.contrast(rgb, theme.parse_color(theme.foreground(rgb))) >= 4.5


@given(COLORS, st.sampled_from([theme.LIGHT_CARD, theme.DARK_CARD]))
def test_toward__reaches_the_wanted_contrast(color: str, ground: str) -> None:
    card = theme.parse_color(ground)
    assert theme.contrast(theme.parse_color(theme.to_hex(theme.toward(theme.parse_color(color), card, 4.6))), card) >= 4.5


@given(COLORS)
def test_oklch__goes_there_and_back(color: str) -> None:
    rgb = theme.parse_color(color)
    assert theme.to_hex(theme.oklch_to_rgb(*theme.rgb_to_oklch(rgb))) == color


def test_check__refuses_a_colour_lost_on_the_page_and_offers_another() -> None:
    with pytest.raises(BadColor, match=r"too close to the page: 1\.\d:1.*Try #[0-9a-f]{6}\.") as refusal:
        theme.check("#ffee88")
    offered = re.findall(r"#[0-9a-f]{6}", str(refusal.value))[-1]
    theme.check(offered)


def test_check_pair__refuses_below_four_and_a_half() -> None:
    assert theme.check_pair("#333333", "#ffffff") > 12
    with pytest.raises(BadColor, match=r"hard to read: 2\.\d:1, and 4\.5:1 is needed"):
        theme.check_pair("#aaaaaa", "#ffffff")


@given(COLORS)
def test_stylesheet__is_readable_or_refused(color: str) -> None:
    try:
        text = theme.stylesheet(Theme(color=color))
    except BadColor:
        return
    for block, card in zip(re.findall(r"\{([^{}]+)\}", text), (theme.LIGHT_CARD, theme.DARK_CARD, theme.DARK_CARD), strict=True):
        values = dict(pair.split(":", 1) for pair in block.split(";"))
        primary, words, link = (theme.parse_color(values[name]) for name in ("--primary", "--primary-foreground", "--link"))
        assert theme.contrast(primary, words) >= 4.5
        assert theme.contrast(link, theme.parse_color(card)) >= 4.5
        assert theme.contrast(primary, theme.parse_color(card)) >= 2.9


def test_stylesheet__sets_the_eight_variables_once_for_light_and_twice_for_dark() -> None:
    text = theme.stylesheet(Theme(color="#0f766e", radius="sharp", face="serif"))
    assert text.count("--primary:") == 3 and text.count("--radius:0.125rem") == 1 and "Charter" in text
    assert "@media (prefers-color-scheme:dark){html:not(.light){" in text and "html.dark{" in text


def test_stylesheet__takes_a_second_colour_for_the_dark() -> None:
    assert "html.dark{--primary:#5eead4" in theme.stylesheet(Theme(color="#0f766e", dark_color="#5eead4"))
    with pytest.raises(BadColor, match="dark page"):
        theme.stylesheet(Theme(color="#0f766e", dark_color="#101010"))


@pytest.mark.parametrize("wrong", [Theme(radius="0;}"), Theme(face="Comic Sans")])
def test_stylesheet__refuses_what_is_not_offered(wrong: Theme) -> None:
    with pytest.raises(ValueError, match="not offered"):
        theme.stylesheet(wrong)
