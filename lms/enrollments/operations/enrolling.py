"""Enrolling: by wallet, for free, by hand, by voucher; ending and restoring. One person is in one course once."""

from contextlib import nullcontext
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm.attributes import set_committed_value

from lms.channels.queries import actor_of_user, this_channel
from lms.content import operations as content
from lms.core import audit, db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.errors import Invalid, Refusal
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.rights import rights_changed
from lms.core.tenancy import current_channel
from lms.courses.models import Course
from lms.courses.queries import get_course
from lms.enrollments import queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody, NoBatch, PriceChanged
from lms.enrollments.events import EnrollmentEnded, EnrollmentMoved, UserEnrolled
from lms.enrollments.models import CourseBatch, Enrollment
from lms.enrollments.operations.seats import batch_price, claim_seat, dates_of
from lms.enrollments.operations.waiting import offer_places
from lms.payments import operations as payments
from lms.payments import queries as orders
from lms.vouchers import operations as vouchers

MAKE = db.answering(
    Enrollment,
    """
    INSERT INTO enrollments.enrollments
        (channel_id, id, user_id, course_id, source, note, status, enrolled_at, enrolled_by, batch_id, opens_at, until_on)
    VALUES (:channel_id, :id, :user_id, :course_id, :source, :note, 'active', :enrolled_at, :enrolled_by, :batch_id, :opens_at, :until_on)
    ON CONFLICT (channel_id, user_id, course_id) WHERE status <> 'ended' DO NOTHING RETURNING {columns}
    """,
)

PAYMENT = text(
    "UPDATE enrollments.enrollments SET source = :source, order_id = :order_id, redemption_id = :redemption_id"
    " WHERE channel_id = :channel_id AND id = :id"
)


def enroll_by_wallet(
    course: Course, *, by: Actor, agreed: Money | None = None, coupon_id: UUID | None = None, batch_id: UUID | None = None
) -> Enrollment:
    """Enrol the actor and take the price from their wallet, both or neither; enrolling twice pays once.

    `coupon_id` is the code of a coupon that is used with it, `batch_id` the run of the course they take a seat in. `agreed` is the
    price the person saw: raises PriceChanged when it is another now, vouchers' CodeRefused when the coupon does not hold any more,
    BatchIsFull or BatchTakesNobody when there is no seat, and wallet's NotEnough when the money is not there.
    """
    # A coupon that was used for an enrolment which is refused after all shows as unused at once, in the very same request.
    with db.session().begin_nested() if coupon_id is not None else nullcontext():
        return _enroll_by_wallet(course, by, agreed, coupon_id, batch_id)


def _enroll_by_wallet(course: Course, by: Actor, agreed: Money | None, coupon_id: UUID | None, batch_id: UUID | None) -> Enrollment:
    user_id = _person(by)
    batch = queries.get_batch(batch_id) if batch_id is not None else None
    price = batch_price(course, batch, now())
    enrollment, is_new = _open(user_id, course.id, source="wallet" if price.minor else "free", by=by, batch_id=batch_id, asks=True)
    if not is_new:
        return enrollment
    discount = vouchers.use_coupon(coupon_id, course.id, price, by=by) if coupon_id is not None else None
    left = discount.left if discount else price
    if agreed is not None and agreed != left:
        raise PriceChanged(_("The price changed while you were here. Look at it again before you enrol."), rule="price")
    if price.minor:
        order = payments.pay_from_wallet(user_id, course.id, left, title=course.title, discount=discount, by=by)
        source, redemption_id = "wallet" if left.minor else "free", discount.redemption_id if discount else None
        _note_payment(enrollment, source=source, order_id=order.id, redemption_id=redemption_id)
    _announce(enrollment, by=by)
    return enrollment


def _note_payment(enrollment: Enrollment, **values: str | UUID | None) -> None:
    """Write on a new enrolment how it was paid, in words put together once: they are most of what a purchase would do anew."""
    db.session().connection().execute(PAYMENT, {"channel_id": enrollment.channel_id, "id": enrollment.id, **values})
    for name, value in values.items():
        set_committed_value(enrollment, name, value)


def enroll_by_hand(user_id: UUID, course: Course, *, note: str, by: Actor, batch_id: UUID | None = None) -> Enrollment:
    """Enrol somebody without payment, with the reason for it; enrolling twice changes nothing. Raises BatchIsFull."""
    if not note.strip():
        raise Invalid(_("Say why, so that others understand it later."), fields={"note": _("Say why, so that others understand it later.")})
    enrollment, is_new = _open(user_id, course.id, source="manual", by=by, note=note.strip(), batch_id=batch_id)
    if is_new:
        _announce(enrollment, by=by)
    return enrollment


def enroll_freely(user_id: UUID, course_id: UUID, *, source: str, note: str, by: Actor, batch_id: UUID | None = None) -> Enrollment:
    """Enrol somebody who has been let in without paying, by a `link` or a `request`; twice changes nothing. Raises BatchIsFull."""
    enrollment, is_new = _open(user_id, course_id, source=source, by=by, note=note, batch_id=batch_id, asks=True)
    if is_new:
        _announce(enrollment, by=by)
    return enrollment


def enroll_by_voucher(
    user_id: UUID, course_id: UUID, *, redemption_id: UUID | None = None, by: Actor, batch_id: UUID | None = None
) -> Enrollment:
    """Enrol somebody whose voucher opens the course; enrolling twice changes nothing. Raises BatchIsFull."""
    enrollment, is_new = _open(user_id, course_id, source="voucher", by=by, batch_id=batch_id)
    if is_new:
        enrollment.redemption_id = redemption_id
        _announce(enrollment, by=by)
    return enrollment


def buy_the_gift(user_id: UUID, course_id: UUID) -> Enrollment | None:
    """Buy a course with the money somebody was given for it; None, and the money stays, when it costs more now or is not on sale."""
    course = get_course(course_id)
    if course.status != "published":
        return None
    try:
        with db.session().begin_nested():
            return enroll_by_wallet(course, by=actor_of_user(user_id))
    except Refusal:
        return None


def enroll_the_buyer(user_id: UUID, course_id: UUID, order_id: UUID, *, by: Actor) -> Enrollment | None:
    """Enrol somebody whose order is paid; nothing when the purchase enrolled them already.

    Heard late, the order may be refunded or at rest by now: then it opens nothing any more.
    """
    order = orders.live_order(user_id, course_id)
    if order is None or order.id != order_id or order.status != "paid":
        return queries.active_enrollment(user_id, course_id)
    enrollment, is_new = _open(user_id, course_id, source="wallet", by=by)
    if is_new:
        enrollment.order_id = order_id
        _announce(enrollment, by=by)
    return enrollment


def end_enrollment(enrollment: Enrollment, *, reason: str, by: Actor, is_own: bool = False) -> None:
    """Close the course to this person at once: pages, media and sockets; its seat is free again. Ending twice changes nothing.

    `is_own`: they left by themselves, and may come back by themselves for a while.
    """
    if enrollment.batch_id is not None:
        queries.lock_batch(enrollment.batch_id)  # batches are locked before enrolments, everywhere
    locked = queries.lock_enrollment(enrollment.id)
    if not locked.is_open:
        return
    moment = now()
    ended = {"status": "ended", "ended_at": moment, "ended_reason": reason.strip()}
    audit.update(locked, "enrollments.leave" if is_own else "enrollments.end", by=by, **ended)
    locked.left_at = moment if is_own else None
    if locked.order_id is not None:
        payments.close_order(orders.get_order(locked.order_id), by=by)
    shut_media(locked)
    emit(
        EnrollmentEnded(
            by=by.user_id,
            enrollment_id=locked.id,
            user_id=locked.user_id,
            course_id=locked.course_id,
            reason=reason.strip(),
            batch_id=locked.batch_id,
        )
    )
    rights_changed(locked.user_id)


def end_overdue(*, by: Actor) -> int:
    """End the enrolments whose last day is over; how many."""
    today = now().astimezone(zone(this_channel().zone)).date()
    over = select(Enrollment).where(Enrollment.until_on < today, Enrollment.status != "ended").order_by(Enrollment.until_on).limit(500)
    found = db.session().scalars(over).all()
    for enrollment in found:
        end_enrollment(enrollment, reason=_("Its last day is over."), by=by)
    return len(found)


def restore_enrollment(enrollment: Enrollment, *, by: Actor, anyway: bool = False) -> Enrollment:
    """Open an ended enrolment again with all its progress; nothing when the person is enrolled anyway.

    Raises BatchIsFull or BatchTakesNobody when its seat is gone; `anyway` lets them in without a seat then, on the same days.
    """
    batch = queries.lock_batch(enrollment.batch_id) if enrollment.batch_id is not None else None
    locked = queries.lock_enrollment(enrollment.id)
    other = queries.active_enrollment(locked.user_id, locked.course_id)
    if other is not None:
        return other
    status = "completed" if locked.completed_at else "active"
    until = locked.until_on if locked.until_on and locked.until_on >= now().astimezone(zone(this_channel().zone)).date() else None
    batch_id = _seat_again(batch, locked, anyway) if batch is not None else None
    back = {"status": status, "ended_at": None, "ended_reason": "", "until_on": until, "batch_id": batch_id}
    audit.update(locked, "enrollments.restore", by=by, **back)
    locked.left_at = None
    rights_changed(locked.user_id)
    _announce(locked, by=by, audited=True)
    return locked


def move_enrollment(enrollment: Enrollment, batch_id: UUID | None, *, reason: str, by: Actor) -> bool:
    """Put somebody into another batch of their course, or out of any; the seat they leave is offered on. False when nothing changes.

    The days become those of the batch. One that ended takes its seat when it is restored. Raises BatchIsFull or BatchTakesNobody.
    """
    batches = {one: queries.lock_batch(one) for one in sorted({enrollment.batch_id, batch_id} - {None}, key=str) if one is not None}
    locked = queries.lock_enrollment(enrollment.id)
    if locked.batch_id == batch_id:
        return False
    left = locked.batch_id if locked.is_open else None
    if batch_id is not None and locked.is_open:
        claim_seat(batches[batch_id], locked.course_id, locked.user_id, asks=False)
    dates = dates_of(batches[batch_id] if batch_id is not None else None)
    before, after = audit.changes(locked, dates)
    for key, value in after.items():
        setattr(locked, key, value)
    audit.record("enrollments.move", locked, by=by, before=before, after=after | {"note": reason.strip()})
    db.session().flush()
    rights_changed(locked.user_id)
    emit(EnrollmentMoved(by=by.user_id, enrollment_id=locked.id, user_id=locked.user_id, course_id=locked.course_id, batch_id=batch_id))
    if left is not None:
        offer_places(left, by=by)
    return True


def shut_media(enrollment: Enrollment) -> int:
    """Stop every player of this person in the course, in every browser; nothing while another enrolment is open. The number stopped."""
    if queries.is_enrolled(enrollment.user_id, enrollment.course_id):
        return 0
    return content.revoke_grants(enrollment.user_id, queries.asset_ids_of(enrollment.course_id))


def _seat_again(batch: CourseBatch, enrollment: Enrollment, anyway: bool) -> UUID | None:
    """The seat of an enrolment that opens again; None when it is gone and the person is let in anyway."""
    try:
        claim_seat(batch, enrollment.course_id, enrollment.user_id, asks=False)
    except (BatchIsFull, BatchTakesNobody, NoBatch):
        if anyway:
            return None
        raise
    return batch.id


def _person(by: Actor) -> UUID:
    if by.user_id is None:
        raise Invalid(_("Somebody has to be enrolled; sign in first."))
    return by.user_id


def _open(
    user_id: UUID, course_id: UUID, *, source: str, by: Actor, note: str = "", batch_id: UUID | None = None, asks: bool = False
) -> tuple[Enrollment, bool]:
    """The person's open enrolment, and whether this made it; the index decides, so a race has one winner and the rest wait for it.

    With a batch, its seat is taken in the same statement; `asks` says that the person enrols by their own act, in their turn.
    """
    batch = None
    if batch_id is not None:
        batch = queries.lock_batch(batch_id)
        found = queries.active_enrollment(user_id, course_id)
        if found is not None:
            return found, False
        claim_seat(batch, course_id, user_id, asks=asks)
    values = {
        "channel_id": current_channel(),
        "id": uuid7(),
        "user_id": user_id,
        "course_id": course_id,
        "source": source,
        "note": note,
        "enrolled_at": now(),
        "enrolled_by": by.user_id,
        **dates_of(batch),
    }
    made: Enrollment | None = db.session().scalars(MAKE, values).one_or_none()
    if made is not None:
        return made, True
    found = queries.active_enrollment(user_id, course_id)
    if found is None:
        return _open(user_id, course_id, source=source, by=by, note=note, batch_id=batch_id, asks=asks)
    return found, False


def _announce(enrollment: Enrollment, *, by: Actor, audited: bool = False) -> None:
    if not audited:
        after = {
            key: getattr(enrollment, key) for key in ("user_id", "course_id", "source", "order_id", "redemption_id", "note", "batch_id")
        }
        audit.record("enrollments.enroll", enrollment, by=by, after=after)
    emit(
        UserEnrolled(
            by=by.user_id,
            enrollment_id=enrollment.id,
            user_id=enrollment.user_id,
            course_id=enrollment.course_id,
            source=enrollment.source,
            batch_id=enrollment.batch_id,
        )
    )
