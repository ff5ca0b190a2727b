"""Refusals of enrollments."""

from lms.core.errors import Conflict, Invalid, NotFound


class NoEnrollment(NotFound):
    """There is no such enrolment, or it is not this person's to see."""


class PriceChanged(Conflict):
    """The price is no longer the one the person agreed to."""


class EnrollmentIsOver(Conflict):
    """The enrolment ended; nothing more is kept for it."""


class BadBeat(Invalid):
    """A player's report that cannot be true."""


class NoBatch(NotFound):
    """There is no such batch, or not of this course."""


class BatchIsFull(Conflict):
    """No seat of the batch is left for this person."""


class BatchTakesNobody(Conflict):
    """The batch is cancelled, over, or not open for enrolment now."""


class NotOnTheList(NotFound):
    """The person does not stand on this waitlist."""
