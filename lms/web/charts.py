"""Charts are worked out here as plain numbers and drawn by `templates/ui/chart.html` as SVG: no script, no inline style.

Every function is pure: values in, a frozen dataclass of coordinates out. Drawings are left-to-right in every language, as time axes are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, TypeVar

from lms.core import i18n
from lms.core.i18n import gettext as _

Number = int | float
Words = Callable[[Number], str]
Drawn = TypeVar("Drawn")

LEFT, RIGHT, TOP, BOTTOM = 44.0, 10.0, 12.0, 28.0
LONGEST = 14  # letters of a label below the axis
KEPT = 256  # drawings of each kind remembered in a process


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it is in the drawing, and its words."""

    at: float
    text: str


@dataclass(frozen=True)
class Point:
    """One value of one series, in the drawing and in words."""

    x: float
    y: float
    label: str
    text: str


@dataclass(frozen=True)
class Series:
    """One line, area or set of bars: its name, colour number 1-5, path data and points."""

    name: str
    tone: int
    line: str
    area: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Bar:
    """One bar (or one part of a stacked bar) as a rectangle."""

    x: float
    y: float
    width: float
    height: float
    tone: int
    label: str
    text: str


@dataclass(frozen=True)
class Slot:
    """The strip of the drawing that belongs to one label: what the pointer hits, and what the hint says there."""

    x: float
    width: float
    middle: float
    tip_x: float
    tip_width: float
    label: str
    text: str


@dataclass(frozen=True, eq=False)
class Chart:
    """A whole drawing with its axes and the numbers behind it."""

    looks_alike: ClassVar[bool] = True  # each drawing is made once, and is only like itself
    kind: str
    title: str
    summary: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    slots: tuple[Slot, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Sparkline:
    """A line the size of a word: path data in a box of the given size."""

    looks_alike: ClassVar[bool] = True
    line: str
    area: str
    width: int
    height: int
    summary: str


def plain(value: Number) -> str:
    """A number with thousands separated, without needless decimals."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")


def short(value: Number) -> str:
    """A number short enough for an axis: 1,200 is 1.2k."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}".rstrip("0").rstrip(".") + letter
    return plain(value)


def _once(draw: Callable[..., Drawn]) -> Callable[..., Drawn]:
    """The drawing of the same values in the same language, worked out once."""
    kept: dict[Any, Drawn] = {}

    @wraps(draw)
    def ask(*given: Any, **named: Any) -> Drawn:
        key = (i18n.locale(), _still(given), tuple((name, _still(value)) for name, value in named.items()))
        found = kept.get(key)
        if found is None:
            if len(kept) >= KEPT:
                kept.clear()
            found = kept[key] = draw(*given, **named)
        return found

    return ask


def _still(value: Any) -> Any:
    """A value that stays as it is: sequences as tuples, all the way down."""
    return tuple(_still(part) for part in value) if isinstance(value, list | tuple) else value


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values that cover low..high in about `count` equal steps of 1, 2, 2.5 or 5 times a power of ten."""
    if high - low < 1e-9 * max(1.0, abs(low)):
        high = low + 1
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw - 1e-12)
    first, last = math.floor(low / step), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'M' if i == 0 else 'L'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))


def _area(points: Sequence[tuple[float, float]], floor: float) -> str:
    return f"{_path(points)}L{points[-1][0]:.1f} {floor:.1f}L{points[0][0]:.1f} {floor:.1f}Z" if points else ""


def _summary(labels: Sequence[str], series: Sequence[tuple[str, Sequence[Number]]], say: Words) -> str:
    """One sentence per series for people who do not see the drawing."""
    parts = []
    for name, values in series:
        if values:
            top = max(range(len(values)), key=lambda i: values[i])
            given = {"name": name, "first": say(values[0]), "last": say(values[-1]), "most": say(values[top]), "when": labels[top]}
            parts.append(_("%(name)s: %(first)s → %(last)s, most %(most)s (%(when)s)", **given))
    return "; ".join(parts)


def _x_ticks(labels: Sequence[str], centres: Sequence[float], room: float) -> tuple[Tick, ...]:
    """As many labels as fit without touching, always with the first."""
    if not labels:
        return ()
    said = [label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…" for label in labels]
    widest = max(len(label) for label in said) * 6.2 + 14
    every = max(1, math.ceil(widest * len(labels) / max(room, 1)))
    return tuple(Tick(round(centres[i], 1), said[i]) for i in range(0, len(labels), every))


def _slots(labels: Sequence[str], centres: Sequence[float], texts: Sequence[str], left: float, right: float) -> tuple[Slot, ...]:
    band = (right - left) / max(1, len(labels))
    slots = []
    for label, centre, text in zip(labels, centres, texts, strict=True):
        tip = max(len(label), len(text)) * 6.4 + 16
        start = min(max(centre - tip / 2, left), right - tip)
        x = max(left, centre - band / 2)
        slots.append(Slot(round(x, 1), round(band, 1), round(centre, 1), round(start, 1), round(tip, 1), label, text))
    return tuple(slots)


def _texts(series: Sequence[tuple[str, Sequence[Number]]], count: int, say: Words) -> list[str]:
    if len(series) == 1:
        return [say(series[0][1][i]) for i in range(count)]
    return [" · ".join(f"{name} {say(values[i])}" for name, values in series) for i in range(count)]


def _check(labels: Sequence[str], series: Sequence[tuple[str, Sequence[Number]]]) -> None:
    for name, values in series:
        if len(values) != len(labels):
            raise ValueError(f"{name}: {len(values)} values for {len(labels)} labels")


@dataclass(frozen=True)
class _Frame:
    """The drawing's box and scale: where the axes are and how values and labels map into it."""

    width: int
    height: int
    ticks: list[float]
    xs: list[float]
    left: float = LEFT

    @property
    def right(self) -> float:
        return self.width - RIGHT

    @property
    def bottom(self) -> float:
        return self.height - BOTTOM

    def y(self, value: Number) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - TOP)


Lines = Sequence[tuple[str, Sequence[Number]]]


def _chart(kind: str, title: str, head: str, labels: Sequence[str], series: Lines, say: Words, frame: _Frame,
           drawn: Sequence[Series], bars: Sequence[Bar]) -> Chart:  # fmt: skip
    """The parts every kind of drawing shares: axes, hints, words and the numbers."""
    return Chart(
        kind=kind,
        title=title,
        summary=_summary(labels, series, say),
        width=frame.width,
        height=frame.height,
        left=frame.left,
        right=frame.right,
        top=TOP,
        bottom=frame.bottom,
        y_ticks=tuple(Tick(round(frame.y(tick), 1), short(tick)) for tick in frame.ticks),
        x_ticks=_x_ticks(labels, frame.xs, frame.right - frame.left),
        series=tuple(drawn),
        bars=tuple(bars),
        slots=_slots(labels, frame.xs, _texts(series, len(labels), say), frame.left, frame.right),
        heads=(head, *(name for name, _ in series)),
        rows=tuple((label, *(say(values[i]) for _, values in series)) for i, label in enumerate(labels)),
    )


@_once
def line_chart(
    title: str, labels: Sequence[str], series: Lines, *, area: bool = True, width: int = 720, height: int = 240, say: Words = plain,
    head: str = "",
) -> Chart:  # fmt: skip
    """Lines over evenly spaced labels, filled below when `area` and there is one; the axis starts at zero unless values are negative."""
    _check(labels, series)
    every = [value for _name, values in series for value in values] or [0]
    count, right = len(labels), width - RIGHT
    step = (right - LEFT) / max(1, count - 1)
    xs = [LEFT + step * i if count > 1 else (LEFT + right) / 2 for i in range(count)]
    frame = _Frame(width, height, nice_ticks(min(0, *every, 0), max(every)), xs)
    drawn = []
    for number, (name, values) in enumerate(series):
        points = [(x, frame.y(value)) for x, value in zip(xs, values, strict=True)]
        marks = tuple(Point(round(x, 1), round(y, 1), labels[i], say(values[i])) for i, (x, y) in enumerate(points))
        below = _area(points, frame.y(0)) if area and len(series) == 1 else ""
        drawn.append(Series(name, number % 5 + 1, _path(points), below, marks))
    return _chart("line", title, head, labels, series, say, frame, drawn, ())


@_once
def bar_chart(
    title: str, labels: Sequence[str], series: Lines, *, stacked: bool = True, width: int = 720, height: int = 240, say: Words = plain,
    head: str = "",
) -> Chart:  # fmt: skip
    """Upright bars per label, several series stacked or side by side; values below zero are refused."""
    _check(labels, series)
    if any(value < 0 for _name, values in series for value in values):
        raise ValueError("bars need values of zero or more")
    count = len(labels)
    columns = [[values[i] for _, values in series] for i in range(count)]
    high = max((sum(column) if stacked else max(column) for column in columns), default=0)
    band = (width - RIGHT - LEFT) / max(1, count)
    frame = _Frame(width, height, nice_ticks(0, high), [LEFT + band * (i + 0.5) for i in range(count)])
    names = [name for name, _ in series]
    bars = [bar for i in range(count) for bar in _bars(frame, labels[i], names, columns[i], frame.xs[i], min(band * 0.7, 44), stacked, say)]
    drawn = [Series(name, number % 5 + 1, "", "", ()) for number, name in enumerate(names)]
    return _chart("bar", title, head, labels, series, say, frame, drawn, bars)


def _bars(frame: _Frame, label: str, names: Sequence[str], values: Sequence[Number], centre: float, full: float, stacked: bool,
          say: Words) -> list[Bar]:  # fmt: skip
    """The bars of one label, from the axis up or side by side; zeros draw nothing."""
    bars = []
    each = full if stacked else full / max(1, len(values))
    floor = frame.bottom
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        tall = frame.bottom - frame.y(value)
        x = centre - full / 2 + (0 if stacked else each * number)
        y = (floor if stacked else frame.bottom) - tall
        if value:
            bars.append(Bar(round(x, 1), round(y, 1), round(each, 1), round(tall, 1), number % 5 + 1, f"{label}, {name}", say(value)))
        floor = y
    return bars


@_once
def sparkline(values: Sequence[Number], *, width: int = 88, height: int = 36) -> Sparkline:
    """A small line for a tile; one value or none draws a flat line."""
    shown = list(values) if len(values) > 1 else [*(values or [0]), *(values or [0])]
    low, high = min(shown), max(shown)
    span = (high - low) or 1
    step = width / (len(shown) - 1)
    inner = height - 4
    points = [(i * step, 2 + inner - ((value - low) / span * inner if high > low else inner / 2)) for i, value in enumerate(shown)]
    return Sparkline(_path(points), _area(points, height), width, height, f"{plain(shown[0])} → {plain(shown[-1])}")
