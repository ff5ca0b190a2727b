"""A diary of deeds, each at its moment: they are done in order of time, with the clock at that moment, and may write further deeds."""

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from lms.core import clock, db

Deed = Callable[[], object]


class Diary:
    """What happens from `start` to `end`; `dice` decides what is left open, the same way on each install."""

    def __init__(self, end: datetime, days: int, dice: random.Random) -> None:
        self.end = end
        self.start = end - timedelta(days=days)
        self.dice = dice
        self._turn = count()
        self._waiting: list[tuple[datetime, int, Deed]] = []

    def at(self, moment: datetime, deed: Deed) -> None:
        """Have the deed done at a moment; what would lie after the end does not happen."""
        if moment < self.end:
            heapq.heappush(self._waiting, (moment, next(self._turn), deed))

    def days_ago(self, days: float, deed: Deed) -> None:
        """Have the deed done so many days before the end."""
        self.at(max(self.start, self.end - timedelta(days=days)), deed)

    def later(self, hours: float, deed: Deed) -> None:
        """Have the deed done some hours after the present one, in the waking hours."""
        moment = clock.now() + timedelta(hours=hours)
        if moment.hour < 5:
            moment += timedelta(hours=6)
        self.at(moment, deed)

    def play(self) -> int:
        """Do every deed in order of time, each with the clock at its moment; the number of deeds."""
        done = 0
        while self._waiting:
            moment, _, deed = heapq.heappop(self._waiting)
            with clock.at(moment):
                deed()
                db.session().flush()
            done += 1
        return done
