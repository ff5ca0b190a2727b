"""Places that a voucher gave and that were gone when its worker came: noted for a person to settle, one way of three."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.enrollments import queries
from lms.enrollments.models import CourseBatch, Enrollment, MissedPlace
from lms.enrollments.operations.enrolling import end_enrollment, move_enrollment
from lms.wallet import operations as wallet

DONE = {"batch": "moved", "without": "kept", "money": "paid"}


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of somebody who missed a place: `act` is batch (with which), without, or money (with how much)."""

    act: str
    batch_id: UUID | None = None
    amount: Money | None = None
    reason: str = ""


def note_missed_place(enrollment: Enrollment, batch: CourseBatch, *, by: Actor) -> None:
    """Put into the inbox that somebody's code gave a place which was gone; once for each enrolment."""
    values: dict[str, Any] = {"channel_id": current_channel(), "id": uuid7(), "enrollment_id": enrollment.id, "batch_id": batch.id}
    statement = insert(MissedPlace).values(**values, noted_at=now(), settled_as="").on_conflict_do_nothing()
    made_id = db.session().scalar(statement.returning(MissedPlace.id))
    if made_id is not None:
        audit.record("enrollments.miss_place", batch, by=by, name=batch.name, after={"user_id": enrollment.user_id})


def settle_missed_place(missed: MissedPlace, wish: Settlement, *, by: Actor) -> None:
    """Give another batch, give money back and end the access, or leave it without a batch. The same twice is once.

    Raises Conflict when it was settled another way, BatchIsFull and BatchTakesNobody for a batch without a place.
    """
    held = queries.lock_missed_place(missed.id)
    if held.settled_at is not None:
        if held.settled_as == DONE.get(wish.act):
            return
        raise Conflict(_("Somebody has settled this already. Reload the page to see how."), rule="settled")
    enrollment = queries.get_enrollment(held.enrollment_id)
    reason = wish.reason.strip()
    if wish.act == "batch":
        if wish.batch_id is None:
            raise Invalid(_("Choose the batch."), fields={"batch_id": _("Choose the batch.")})
        move_enrollment(enrollment, wish.batch_id, reason=reason, by=by)
    elif wish.act == "money":
        _give_money(held, enrollment, wish.amount, reason, by)
    held.settled_at, held.settled_by, held.settled_as = now(), by.user_id, DONE[wish.act]
    after = {"settled_as": held.settled_as, "user_id": enrollment.user_id, "reason": reason}
    batch = queries.get_batch(held.batch_id)
    audit.record("enrollments.settle_place", batch, by=by, name=batch.name, after=after)


def _give_money(held: MissedPlace, enrollment: Enrollment, amount: Money | None, reason: str, by: Actor) -> None:
    """Into the wallet by an adjustment, which has a limit and a second person of its own; the access ends."""
    faults = {}
    if amount is None or amount.minor <= 0:
        faults["amount"] = _("Say how much they get back.")
    if not reason:
        faults["reason"] = _("Say why; the person reads it.")
    if amount is None or faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    wallet.request_adjustment(enrollment.user_id, amount, reason, adjustment_id=held.id, by=by)
    end_enrollment(enrollment, reason=reason, by=by)
