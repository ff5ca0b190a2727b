"""Refusals of community."""

from lms.core.errors import NotFound


class NoReview(NotFound):
    """There is no such review here."""


class NoCase(NotFound):
    """The case is not here."""
