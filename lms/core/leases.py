"""A job that goes on keeps its row: while it runs in a process of its own, a thread beside it renews the lease.

So a lease may be short, and what a killed process held is taken up again within a minute, however long its job would have been.
A job that lets no other thread of its process run (a regular expression without end) renews nothing: its process ends with its lease,
before the next worker is caught by the same row.
"""

import faulthandler
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
    threads = [threading.Thread(target=call, args=(*more, every, over), daemon=True) for call, *more in ((_renew, renew), (_watch,))]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        threads[1].join()
        faulthandler.cancel_dump_traceback_later()


def _renew(renew: Callable[[], None], every: float, over: threading.Event) -> None:
    while not over.wait(every):
        try:
            renew()
        except SQLAlchemyError as error:
            log.warning("lease_not_renewed", error=type(error).__name__)


def _watch(every: float, over: threading.Event) -> None:
    """Say again and again that threads take their turns; a timer outside Python ends the process when nobody said so for a lease."""
    while not over.is_set():
        faulthandler.dump_traceback_later(every * 3, exit=True, file=2)
        over.wait(every)
