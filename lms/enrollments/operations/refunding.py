"""What a refund means for the access it had paid for: read anew from the refund, whatever order the facts come in."""

from uuid import UUID

from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.enrollments import queries
from lms.enrollments.operations.enrolling import end_enrollment, restore_enrollment
from lms.payments import queries as payments


def follow_refund(refund_id: UUID, *, by: Actor) -> None:
    """End the access that was refunded, or give it back with all its progress when the refund was taken back; twice changes nothing.

    Only what this refund ended is restored: what somebody ended by hand stays ended.
    """
    refund = payments.lock_refund(refund_id)
    enrollment = queries.enrollment_of_order(refund.order_id)
    if enrollment is None:
        return
    if refund.stands and refund.ends_access and enrollment.is_open:
        end_enrollment(enrollment, reason=_("Refunded: %(reason)s", reason=refund.reason), by=by)
        enrollment.refund_id = refund.id
    elif not refund.stands and enrollment.refund_id == refund.id:
        enrollment.refund_id = None
        restore_enrollment(enrollment, by=by, anyway=True)
