"""A student leaves a course by themselves, and comes back to where they were while it is not long ago."""

from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.enrollments.models import Enrollment
from lms.enrollments.operations.enrolling import end_enrollment, restore_enrollment


def leave_course(enrollment: Enrollment, *, by: Actor) -> None:
    """End one's own enrolment: the place goes to the next who waits, no money moves, what was done is kept. Leaving twice is once."""
    end_enrollment(enrollment, reason=_("You left it."), by=by, is_own=True)


def come_back(enrollment: Enrollment, *, by: Actor) -> Enrollment:
    """Open again what one left oneself, as it was and without paying; twice changes nothing.

    Raises BatchIsFull or BatchTakesNobody when the place in the batch is gone by now.
    """
    return restore_enrollment(enrollment, by=by)
