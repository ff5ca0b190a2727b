"""Vouchers that give a place in a batch: which of them do, and what a used code opens."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete

from lms.core import audit, db
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.enrollments import queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody, NoBatch
from lms.enrollments.models import CourseBatch, Enrollment, VoucherPlace
from lms.enrollments.operations.enrolling import enroll_by_voucher
from lms.enrollments.operations.missing import note_missed_place
from lms.enrollments.operations.seats import today


def bind_vouchers(batch: CourseBatch, voucher_batch_ids: Sequence[UUID], *, by: Actor) -> bool:
    """Say which voucher batches of this course give a place in this batch; false when nothing changes.

    A voucher batch gives a place in one batch of a course: the last one it was bound to.
    """
    batch, wanted = queries.lock_batch(batch.id), set(voucher_batch_ids)
    if wanted - {one.id for one in queries.vouchers_for(batch)}:
        raise Invalid(_("Choose among the voucher batches that open this course."), fields={"voucher_batch_ids": _("Choose again.")})
    before = set(queries.voucher_batch_ids_of(batch.id))
    if before == wanted:
        return False
    elsewhere = VoucherPlace.voucher_batch_id.in_(wanted) & (VoucherPlace.course_id == batch.course_id)
    db.session().execute(delete(VoucherPlace).where((VoucherPlace.batch_id == batch.id) | elsewhere))
    db.session().add_all(VoucherPlace(id=uuid7(), voucher_batch_id=one, course_id=batch.course_id, batch_id=batch.id) for one in wanted)
    db.session().flush()
    was, becomes = ({"voucher_batch_ids": sorted(map(str, ids))} for ids in (before, wanted))
    audit.record("enrollments.bind_vouchers", batch, by=by, before=was, after=becomes)
    return True


def open_by_voucher(user_id: UUID, course_id: UUID, *, voucher_batch_id: UUID, redemption_id: UUID | None, by: Actor) -> Enrollment:
    """Open a course to whoever used a code, in the batch its vouchers give a place in; twice changes nothing.

    Whoever finds the batch full or over at the last moment is in the course without it, for the code was theirs and is used; that waits
    in the inbox for somebody who gives them another batch or their money back.
    """
    place = queries.voucher_place(voucher_batch_id, course_id)
    try:
        batch_id = place.id if place is not None else None
        return enroll_by_voucher(user_id, course_id, redemption_id=redemption_id, by=by, batch_id=batch_id)
    except (BatchIsFull, BatchTakesNobody, NoBatch):  # its last place went since the code was redeemed
        enrollment = enroll_by_voucher(user_id, course_id, redemption_id=redemption_id, by=by)
        if place is not None and enrollment.batch_id is None:
            note_missed_place(enrollment, place, by=by)
        return enrollment


def objection_of_batches(user_id: UUID, course_ids: Sequence[UUID], voucher_batch_id: UUID) -> str:
    """Why a code stays unused: the batch it gives a place in is full, cancelled or over; "" when it may be used."""
    for course_id in course_ids:
        batch = queries.voucher_place(voucher_batch_id, course_id)
        if batch is None or queries.is_enrolled(user_id, course_id):
            continue
        wait = queries.wait_of(batch.id, user_id)
        if batch.deleted_at is not None or batch.state_on(today()) in ("cancelled", "closed"):
            return _("%(name)s is over or does not take place. The code stays unused: ask the academy for another batch.", name=batch.name)
        if batch.is_full and (wait is None or wait.state != "offered"):
            return _("All places of %(name)s are taken. The code stays unused: try again when one is free.", name=batch.name)
    return ""
