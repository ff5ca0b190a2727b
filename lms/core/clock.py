"""Time: UTC everywhere inside, the reader's zone at the edge."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_told: ContextVar[datetime | None] = ContextVar("told", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _told.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let what the block does happen at a moment of the past: for the demo, and for what is brought over from another platform."""
    if moment > datetime.now(UTC):
        raise ValueError("nothing happens in the future")
    token = _told.set(moment)
    try:
        yield
    finally:
        _told.reset(token)


def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name; UTC when the name is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_day(moment: datetime, zone_name: str) -> date:
    """The calendar day of a moment in a zone."""
    return moment.astimezone(zone(zone_name)).date()
