"""Refusals of reporting."""

from lms.core.errors import Conflict, NotFound


class NoReport(NotFound):
    """There is no list of that name."""


class NoView(NotFound):
    """The saved view, schedule or download is not there."""


class TooManyDownloads(Conflict):
    """Enough files are being made for this person."""


class CalledOff(Conflict):
    """Nobody waits for this file any more."""
