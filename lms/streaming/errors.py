"""Refusals of live classes worth a name."""

from lms.core.errors import Conflict, Invalid


class IllegalMove(Conflict):
    """A session cannot go from the state it is in to the one asked for."""


class BadTimes(Invalid):
    """A session's times do not fit."""


class BadLink(Invalid):
    """The address of the outside room is none."""


class BadReport(Invalid):
    """A report of an outside room that cannot be understood."""


class NoSuchBatch(Invalid):
    """The batch a class is planned for is none of its course."""


class NotFetched(Conflict):
    """The recording of an outside room cannot be brought here, and trying again would not help."""
