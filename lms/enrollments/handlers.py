"""What enrollments does when facts happen."""

from collections.abc import Sequence
from uuid import UUID

from lms.core.decisions import the_platform
from lms.core.events import on
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel
from lms.courses.events import LessonEdited, LessonPublished
from lms.enrollments import jobs, operations, queries
from lms.enrollments.events import EnrollmentEnded, UserEnrolled
from lms.payments.events import OrderPaid, OrderRefunded, RefundUndone
from lms.vouchers.events import VoucherRedeemed
from lms.vouchers.operations import objects_to_opening


@on(OrderPaid, queue="money")
def enroll_the_buyer(fact: OrderPaid) -> None:
    """A paid order opens its course; the wallet's purchase has done so already."""
    operations.enroll_the_buyer(fact.user_id, fact.course_id, fact.order_id, by=the_platform(current_channel()))


@on(OrderRefunded, queue="money")
def end_the_access(fact: OrderRefunded) -> None:
    """What was refunded in full is closed."""
    operations.follow_refund(fact.refund_id, by=the_platform(current_channel()))


@on(RefundUndone, queue="money")
def return_the_access(fact: RefundUndone) -> None:
    """A refund taken back opens again what it closed."""
    operations.follow_refund(fact.refund_id, by=the_platform(current_channel()))


@on(VoucherRedeemed, queue="codes")
def enroll_the_holder(fact: VoucherRedeemed) -> None:
    """A code that opens courses opens them to whoever redeemed it; the money of a gift buys the course it was given for."""
    for course_id in fact.course_ids:
        if fact.kind == "value":
            operations.buy_the_gift(fact.user_id, course_id)
            continue
        by = the_platform(current_channel())
        operations.open_by_voucher(fact.user_id, course_id, voucher_batch_id=fact.batch_id, redemption_id=fact.redemption_id, by=by)


@objects_to_opening
def nothing_new_to_open(user_id: UUID, course_ids: Sequence[UUID], batch_id: UUID) -> str:
    """Keep a code from being used up by somebody who has all it opens, or while its batch of the course has no place."""
    if course_ids and set(course_ids) <= set(queries.enrolled_course_ids(user_id)):
        return _("You are in every course this code opens. It stays unused: keep it, or give it to somebody else.")
    return operations.objection_of_batches(user_id, course_ids, batch_id)


@on(LessonPublished)
def count_the_new_lesson(fact: LessonPublished) -> None:
    """One more lesson changes everybody's figure."""
    jobs.recount_course.put({"course_id": fact.course_id}, key=f"recount:{fact.course_id}")


@on(LessonEdited)
def count_without_the_lesson(fact: LessonEdited) -> None:
    """A lesson taken away, or brought back, changes everybody's figure."""
    jobs.recount_course.put({"course_id": fact.course_id}, key=f"recount:{fact.course_id}")


@on(EnrollmentEnded)
def shut_the_media(fact: EnrollmentEnded) -> None:
    """A page opened in the very moment of the ending may hold a grant yet; shut it too."""
    operations.shut_media(queries.get_enrollment(fact.enrollment_id))


@on(UserEnrolled)
def settle_the_request(fact: UserEnrolled) -> None:
    """Whoever is in, however they came, waits for no answer any more."""
    operations.settle_requests(fact.user_id, fact.course_id, by=fact.by)


@on(EnrollmentEnded)
def offer_the_place(fact: EnrollmentEnded) -> None:
    """A seat that somebody left is held for the next on the waitlist."""
    batch_id = fact.batch_id or queries.get_enrollment(fact.enrollment_id).batch_id
    if batch_id is not None:
        operations.offer_places(batch_id, by=the_platform(current_channel()))
