"""Refusals of notifications."""

from lms.core.errors import NotFound


class NoNotice(NotFound):
    """The notice is not this person's, or not there any more."""
