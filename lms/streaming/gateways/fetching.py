"""A film that lies elsewhere, brought here through the one client: piece by piece, going on where the line broke."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lms.core import outbound
from lms.core.i18n import gettext as _
from lms.core.outbound import Answer, CallFailed
from lms.streaming.errors import NotFetched

MOST_BYTES = 20 << 30
SECONDS = 6 * 3600.0
PATIENCE = 30.0
TRIES = 4
PAUSE = 2.0
TOLD_EVERY = 2.0
SPARE_BYTES = 1 << 30  # of this machine's disk, beside the film and its copy in the store
Tell = Callable[[int, int | None], None]


class Fetched(NamedTuple):
    """What was brought: its bytes, and what the other side calls it."""

    size: int
    content_type: str


def fetch_film(url: str, target: Path, tell: Tell, *, seconds: float = SECONDS) -> Fetched:
    """Bring what lies at an address into a file. `tell` hears (bytes here, bytes in all) every other second, and may raise to stop.

    A line that breaks is taken up where it broke when the other side can do that, from the beginning otherwise. Raises NotFetched when
    trying again would not help, AddressRefused, and CallFailed when it might.
    """
    until, validator = time.monotonic() + seconds, ""
    for turn in range(1, TRIES + 1):
        held = target.stat().st_size if target.exists() and validator else 0
        headers = {"Range": f"bytes={held}-", "If-Range": validator} if held else {}
        left, validator = max(until - time.monotonic(), 1.0), ""
        try:
            with outbound.stream(url, headers=headers, seconds=left, patience=PATIENCE, most=MOST_BYTES) as answer:
                _check(answer, held)
                validator = _validator(answer)
                size = _take(answer, target, held if answer.status == 206 else 0, tell)
                return Fetched(size, answer.headers.get("content-type", "").partition(";")[0].strip().lower())
        except CallFailed as error:
            if turn == TRIES or error.rule == "too_large" or time.monotonic() > until:
                raise
            time.sleep(PAUSE)
    raise AssertionError("the last try returns or raises")


def _check(answer: Answer, held: int) -> None:
    if answer.status in (301, 302, 303, 307, 308):
        raise NotFetched(_("The address leads on to another one, and that is not followed. Report the address of the file itself."))
    if answer.status in (401, 403, 404, 410):
        raise NotFetched(_("The file is not there, or not for us (answer %(status)s).", status=answer.status))
    if answer.status != 200 and not (answer.status == 206 and held and _starts_at(answer) == held):
        raise CallFailed(_("The other side answered %(status)s instead of sending the file.", status=answer.status), rule="outbound")
    if answer.headers.get("content-type", "").startswith(("text/", "application/json")):
        raise NotFetched(_("There is a page at this address and not a film. Report the address of the file itself."))


def _take(answer: Answer, target: Path, begin: int, tell: Tell) -> int:
    """Write what comes behind the first `begin` bytes of a file; how long the file is then."""
    size, told = begin, time.monotonic()
    total = begin + answer.length if answer.length is not None else None
    if total is not None and total > MOST_BYTES:
        raise NotFetched(_("The file is larger than %(most)s GB. Save it smaller, then upload that.", most=MOST_BYTES >> 30))
    if total is not None and shutil.disk_usage(target.parent).free < 2 * (total - begin) + SPARE_BYTES:
        raise NotFetched(_("There is no room for it on the disk of this platform. Tell who runs it."))
    tell(size, total)
    with target.open("r+b" if begin else "wb") as file:
        file.seek(begin)
        file.truncate()
        for piece in answer.pieces():
            size += file.write(piece)
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                tell(size, total)
    if size == 0:
        raise NotFetched(_("The file at this address is empty."))
    return size


def _validator(answer: Answer) -> str:
    """What says that the file is still the same: a strong mark, else when it was changed; "" where it cannot be taken up again."""
    if answer.headers.get("accept-ranges", "") == "none":
        return ""
    mark = answer.headers.get("etag", "")
    return mark if mark and not mark.startswith("W/") else answer.headers.get("last-modified", "")


def _starts_at(answer: Answer) -> int:
    found = re.match(r"bytes (\d{1,15})-", answer.headers.get("content-range", ""))
    return int(found[1]) if found else -1
