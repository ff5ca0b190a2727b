"""Refusals of channels."""

from lms.core.errors import Conflict


class LastOwner(Conflict):
    """The channel would be left without anybody who runs it."""


class Taken(Conflict):
    """The name or host is in use."""
