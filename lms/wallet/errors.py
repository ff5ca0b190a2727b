"""Refusals of the wallet."""

from lms.core.errors import Conflict


class NotEnough(Conflict):
    """The wallet holds less than the act costs; nothing moved."""


class OtherMove(Conflict):
    """The same reference has already moved another amount or another wallet."""
