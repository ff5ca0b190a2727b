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


class NoLink(NotFound):
    """There is no such link or key, or it was replaced."""


class LinkRefused(Conflict):
    """A link or key does not let this person in now; the sentence says by which rule."""


class NoRequest(NotFound):
    """There is no such request, or it is not this person's to see."""


class RequestIsOver(Conflict):
    """A request was answered, withdrawn or too old meanwhile."""


class NoBatch(NotFound):
    """There is no such batch, or not of this course."""


class BatchIsFull(Conflict):
    """No seat of the batch is left for this person."""


class BatchTakesNobody(Conflict):
    """The batch is cancelled, over, or not open for enrolment now."""


class NotOnTheList(NotFound):
    """The person does not stand on this waitlist."""
