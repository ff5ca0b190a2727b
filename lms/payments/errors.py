"""Refusals of payments."""

from lms.core.errors import Conflict


class PriceChanged(Conflict):
    """The price is another than the one the person agreed to; nothing was paid."""


class OrderOpen(Conflict):
    """Another order for the same course waits to be paid."""


class AlreadyRefunded(Conflict):
    """The order, or what was asked back of it, has been refunded already."""


class MoneySpent(Conflict):
    """A refund cannot be taken back: its money has left the wallet."""


class BoughtAgain(Conflict):
    """A refund cannot be taken back: the course was bought anew."""
