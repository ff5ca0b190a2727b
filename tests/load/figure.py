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


Bench = Callable[[Stage, bool], list[Figure]]
