"""A job that goes on keeps its row: while it runs in a process of its own, a thread beside it renews the lease.

So a lease may be short, and what a killed process held is taken up again within a minute, however long its job would have been.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

LONGEST = 60  # seconds any job's row may be held without a word
_beside: list[bool] = []
log = structlog.get_logger(__name__)


def renew_beside_jobs() -> None:
    """From now on, jobs of this process are renewed by a thread beside them: it runs one at a time, on connections of its own."""
    _beside[:] = [True]


@contextmanager
def kept(renew: Callable[[], None], *, every: float) -> Iterator[None]:
    """While the block runs, `renew` is called every so many seconds in a thread, where this process wishes it."""
    if not _beside:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_renew, args=(renew, every, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _renew(renew: Callable[[], None], every: float, over: threading.Event) -> None:
    while not over.wait(every):
        try:
            renew()
        except SQLAlchemyError as error:
            log.warning("lease_not_renewed", error=type(error).__name__)
