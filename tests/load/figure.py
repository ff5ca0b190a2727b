"""What a benchmark gives."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.load.stage import Stage


@dataclass(slots=True)
class Figure:
    """One measured figure, its floor or bound, and whether it reaches it."""

    bench: str
    what: str
    value: str
    floor: str
    reaches: str
    is_reached: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """How a storm is to blow: small, only so many minutes, with other dice than the last."""

    quick: bool = False
    minutes: float = 600
    turn: int = 0


Storm = Callable[[Wish], list[Figure]]
Bench = Callable[[Stage, bool], list[Figure]]
