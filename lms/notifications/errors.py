"""Refusals of notifications."""

from lms.core.errors import Conflict, NotFound


class NoNotice(NotFound):
    """The notice is not this person's, or not there any more."""


class NoBroadcast(NotFound):
    """The message is not this channel's, or not there any more."""


class NoBounce(NotFound):
    """The note about an address is not this channel's, or not there any more."""


class NoMessage(NotFound):
    """No mail is called so."""


class NotNow(Conflict):
    """The message is past the point where this can be done with it."""
