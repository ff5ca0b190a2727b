"""Refusals of community."""

from lms.core.errors import NotFound


class NoReview(NotFound):
    """There is no such review here."""
