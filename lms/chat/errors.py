"""Refusals of chat worth a name."""

from lms.core.errors import Forbidden, Invalid, TooMany


class CannotPost(Forbidden):
    """This person may not write in this room now, or not this."""


class NoText(Invalid):
    """The message is empty or too long."""


class NoWord(Invalid):
    """What was typed is no word to keep out."""


class TooFast(TooMany):
    """Slow mode, or more messages than one person may send."""
