"""Charts are numbers before they are drawings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.web import charts

VALUES = st.lists(st.integers(0, 10**7), min_size=1, max_size=90)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_nice_ticks__cover_the_range_in_few_even_steps(low: float, span: float) -> None:
    ticks = charts.nice_ticks(low, low + span)
    assert ticks[0] <= low + 1e-6 and ticks[-1] >= low + span - 1e-6 * max(1, abs(low + span))
    assert 2 <= len(ticks) <= 7


def test_nice_ticks__are_round() -> None:
    assert charts.nice_ticks(0, 70) == [0, 20, 40, 60, 80]
    assert charts.nice_ticks(0, 0) == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (950, "950"), (1200, "1.2k"), (25_000, "25k"), (3_400_000, "3.4M"), (2e9, "2B"), (0.25, "0.25")]
)
def test_short__fits_an_axis(value: float, words: str) -> None:
    assert charts.short(value) == words


def test_plain__separates_thousands() -> None:
    assert (charts.plain(12486), charts.plain(71.4), charts.plain(2.0)) == ("12,486", "71.4", "2")


@given(VALUES)
def test_line_chart__keeps_every_point_inside(values: list[int]) -> None:
    made = charts.line_chart("Enrolments", [str(i) for i in range(len(values))], [("Enrolments", values)])
    for point in made.series[0].points:
        assert made.left - 0.1 <= point.x <= made.right + 0.1
        assert made.top - 0.1 <= point.y <= made.bottom + 0.1
    assert len(made.rows) == len(values) == len(made.slots)
    assert made.series[0].line.startswith("M") and made.series[0].area.endswith("Z")


@given(VALUES)
def test_bar_chart__stacks_to_the_sum(values: list[int]) -> None:
    made = charts.bar_chart("Income", [str(i) for i in range(len(values))], [("A", values), ("B", values)])
    for bar in made.bars:
        assert bar.height >= 0 and made.top - 0.2 <= bar.y <= made.bottom + 0.1
    first = [bar for bar in made.bars if bar.label.startswith("0, ")]
    if values[0]:
        assert first[0].y == pytest.approx(first[1].y + first[1].height, abs=0.2)


def test_bar_chart__stands_bars_side_by_side() -> None:
    made = charts.bar_chart("Income", ["Mon"], [("A", [4]), ("B", [8])], stacked=False)
    assert made.bars[0].x + made.bars[0].width == pytest.approx(made.bars[1].x, abs=0.2)
    assert made.bars[1].height == pytest.approx(made.bars[0].height * 2, abs=0.2)


def test_bar_chart__refuses_negative_values() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        charts.bar_chart("x", ["a"], [("A", [-1])])


def test_line_chart__draws_below_zero() -> None:
    made = charts.line_chart("Balance", ["a", "b"], [("Balance", [-50, 50])])
    assert made.y_ticks[0].text.startswith("-") and made.series[0].points[0].y > made.series[0].points[1].y


@pytest.mark.parametrize("draw", [charts.line_chart, charts.bar_chart])
def test_charts__draw_nothing_without_falling(draw: object) -> None:
    made = draw("Empty", [], [("None", [])])  # type: ignore[operator]
    assert made.rows == () and made.slots == () and made.x_ticks == ()


@pytest.mark.parametrize("draw", [charts.line_chart, charts.bar_chart])
def test_charts__refuse_unequal_lengths(draw: object) -> None:
    with pytest.raises(ValueError, match="2 values for 1 labels"):
        draw("x", ["a"], [("A", [1, 2])])  # type: ignore[operator]


def test_line_chart__says_itself_in_words() -> None:
    made = charts.line_chart("Enrolments", ["1 Nov", "2 Nov", "3 Nov"], [("Enrolments", [2, 9, 4])])
    assert made.summary == "Enrolments: 2 → 4, most 9 (2 Nov)"


def test_line_chart__thins_labels_that_would_touch() -> None:
    labels = [f"{day} November" for day in range(1, 91)]
    made = charts.line_chart("x", labels, [("A", list(range(90)))])
    assert made.x_ticks[0].text == "1 November" and 4 <= len(made.x_ticks) <= 10


@given(st.lists(st.integers(-100, 100), max_size=40))
def test_sparkline__stays_in_its_box(values: list[int]) -> None:
    made = charts.sparkline(values)
    ys = [float(pair.split()[1]) for pair in made.line.replace("M", "L").split("L") if pair]
    assert all(0 <= y <= made.height for y in ys)
