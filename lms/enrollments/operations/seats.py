"""Seats of a batch: who may have one, what it costs, and the days that come with it. The database counts them."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from lms.channels.queries import this_channel
from lms.core import db
from lms.core.clock import local_day, now, zone
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.courses.models import Course
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody, NoBatch
from lms.enrollments.models import CourseBatch, Wait


def today() -> date:
    """The calendar day of this channel's zone."""
    return local_day(now(), zone_name())


def zone_name() -> str:
    """The zone of this channel; asked once in a unit of work."""
    kept = db.session().info
    if "enrollments.zone" not in kept:
        kept["enrollments.zone"] = this_channel().zone
    return str(kept["enrollments.zone"])


def claim_seat(batch: CourseBatch, course_id: UUID, user_id: UUID, *, asks: bool) -> None:
    """See that the person may have a seat of the locked batch, and hand over the one that was held for them.

    `asks`: by their own act, so the days of enrolment and the turn of those who wait hold. The enrolment itself takes the seat.
    """
    day = today()
    if batch.course_id != course_id or batch.deleted_at is not None:
        raise NoBatch(_("There is no such batch in this course."))
    if batch.state_on(day) in ("cancelled", "closed") or (asks and not batch.takes_on(day)):
        raise BatchTakesNobody(_("%(name)s does not take anybody now. Choose another batch.", name=batch.name), rule="batch")
    wait = _standing(batch.id, user_id)
    if wait is not None and ((wait.state == "offered" and not _is_late(wait)) or not asks):
        wait.state, wait.ended_at = "taken", now()
        db.session().flush()
        db.session().refresh(batch)
    elif asks and wait is None and batch.seats is not None and _somebody_waits(batch.id):
        raise BatchIsFull(_("All places of %(name)s are taken or promised. Join its waitlist.", name=batch.name), rule="seats")
    elif wait is not None and asks and wait.state == "offered":
        raise BatchIsFull(
            _("The place in %(name)s was held for you until its hour passed, and goes to the next one.", name=batch.name), rule="late"
        )
    elif wait is not None and asks:
        raise BatchIsFull(_("It is not your turn for %(name)s yet. You are told as soon as it is.", name=batch.name), rule="seats")
    if batch.is_full:
        raise BatchIsFull(_("All %(seats)s places of %(name)s are taken.", seats=batch.seats, name=batch.name), rule="seats")


def dates_of(batch: CourseBatch | None) -> dict[str, Any]:
    """What an enrolment has of its batch: which, when its lessons open, and the last day."""
    if batch is None:
        return {"batch_id": None, "opens_at": None, "until_on": None}
    return {"batch_id": batch.id, "opens_at": opening_of(batch), "until_on": batch.ends_on}


def opening_of(batch: CourseBatch) -> datetime | None:
    """The first moment of the batch's first day in the channel's zone; None when its lessons open at once."""
    if batch.starts_on is None:
        return None
    return datetime.combine(batch.starts_on, time.min, zone(zone_name())).astimezone(UTC)


def batch_price(course: Course, batch: CourseBatch | None, at: datetime) -> Money:
    """What a place costs: the batch's own price, else the course's with its sale."""
    if batch is None or batch.price_minor is None:
        return course.price_at(at)
    return Money(batch.price_minor, course.currency)


def _standing(batch_id: UUID, user_id: UUID) -> Wait | None:
    wanted = select(Wait).where(Wait.batch_id == batch_id, Wait.user_id == user_id, Wait.state.in_(("waiting", "offered")))
    return db.session().scalars(wanted.with_for_update()).one_or_none()


def _is_late(wait: Wait) -> bool:
    return wait.offered_until is not None and wait.offered_until <= now()


def _somebody_waits(batch_id: UUID) -> bool:
    return bool(db.session().scalar(select(exists().where(Wait.batch_id == batch_id, Wait.state == "waiting"))))
