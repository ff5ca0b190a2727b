"""Refusals of payments."""

from lms.core.errors import Conflict


class PriceChanged(Conflict):
    """The price is another than the one the person agreed to; nothing was paid."""


class OrderOpen(Conflict):
    """Another order for the same course waits to be paid."""
