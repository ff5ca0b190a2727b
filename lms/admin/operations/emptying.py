"""Emptying the recycle bin of what has lain there long enough."""

from lms.core import bin as recycle
from lms.core.clock import now
from lms.core.decisions import Actor


def purge_bin(*, by: Actor) -> int:
    """Delete for good what has lain in the bin for thirty days; how many things. What other records point at stays behind, emptied."""
    count = 0
    while rows := recycle.due(now()):
        for row in rows:
            recycle.purge(row, by=by)
        count += len(rows)
    return count
