"""Refusals of chat worth a name."""

from lms.core.errors import Forbidden, Invalid, TooMany


class CannotPost(Forbidden):
    """This person may not write in this room now."""


class NoText(Invalid):
    """The message is empty or too long."""


class TooFast(TooMany):
    """Slow mode, or more messages than one person may send."""
