"""The waitlist of a batch: a place that is free is held for the next one for a day, then it passes on."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.events import emit, emit_many
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.enrollments import queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody
from lms.enrollments.events import PlaceLapsed, PlaceOffered, WaitEnded
from lms.enrollments.models import CourseBatch, Wait
from lms.enrollments.operations.seats import today

HOLD = timedelta(hours=24)
MOVES = ("first", "up", "down", "last")


def join_waitlist(batch: CourseBatch, user_id: UUID, *, by: Actor) -> Wait:
    """Put somebody at the end of the list of a full batch; joining twice changes nothing."""
    batch = queries.lock_batch(batch.id)
    standing = queries.wait_of(batch.id, user_id)
    if standing is not None:
        return standing
    if not batch.takes_on(today()):
        raise BatchTakesNobody(_("%(name)s does not take anybody now. Choose another batch.", name=batch.name), rule="batch")
    if queries.is_enrolled(user_id, batch.course_id):
        raise Conflict(_("You are enrolled in this course already."), rule="enrolled_already")
    waiting = queries.waiting_in(batch.id)
    if not batch.is_full and not waiting:
        raise Conflict(_("There is a place in %(name)s. Enrol right away.", name=batch.name), rule="place_free")
    wait = Wait(id=uuid7(), batch_id=batch.id, user_id=user_id, place=1 + (waiting[-1].place if waiting else 0))
    db.session().add(wait)
    db.session().flush()
    audit.record("enrollments.join_waitlist", wait, by=by, name=batch.name, after={"batch_id": batch.id, "user_id": user_id})
    return wait


def leave_waitlist(wait: Wait, *, by: Actor) -> None:
    """Take one's own name off the list; a place that was held goes to the next one. Leaving twice changes nothing."""
    if _end(wait, "left", "", by=by, action="enrollments.leave_waitlist"):
        offer_places(wait.batch_id, by=by)


def remove_wait(wait: Wait, *, reason: str, by: Actor) -> None:
    """Take somebody off the list, with the reason they read; a place that was held goes to the next one. Twice changes nothing."""
    reason = _reason(reason)
    batch = queries.get_batch(wait.batch_id)
    if _end(wait, "removed", reason, by=by, action="enrollments.remove_wait"):
        emit(_ended(wait, batch, reason, by))
        offer_places(wait.batch_id, by=by)


def move_wait(wait: Wait, to: str, *, reason: str, by: Actor) -> None:
    """Put somebody elsewhere on the list: `to` is first, up, down or last; the reason stays in the history."""
    reason = _reason(reason)
    batch = queries.lock_batch(wait.batch_id)
    standing = [one for one in queries.waiting_in(batch.id) if one.state == "waiting"]
    at = next((index for index, one in enumerate(standing) if one.id == wait.id), None)
    if at is None:
        raise Conflict(_("This person does not wait any more."), rule="waiting")
    goal = {"first": 0, "up": max(at - 1, 0), "down": min(at + 1, len(standing) - 1), "last": len(standing) - 1}[to]
    if goal == at:
        return
    places = [one.place for one in standing]
    standing.insert(goal, standing.pop(at))
    for one, place in zip(standing, places, strict=True):
        one.place = place
    before, after = {"place": at + 1}, {"place": goal + 1, "reason": reason}
    audit.record("enrollments.move_wait", wait, by=by, name=batch.name, before=before, after=after)


def offer_by_hand(wait: Wait, *, reason: str, by: Actor) -> None:
    """Hold a free place for this person now, out of turn; raises BatchIsFull when there is none. Offering twice changes nothing."""
    reason = _reason(reason)
    batch = queries.lock_batch(wait.batch_id)
    db.session().refresh(wait)
    if wait.state == "offered":
        return
    if wait.state != "waiting":
        raise Conflict(_("This person does not wait any more."), rule="waiting")
    if not batch.takes_on(today()):
        raise BatchTakesNobody(_("%(name)s does not take anybody now.", name=batch.name), rule="batch")
    if batch.is_full:
        raise BatchIsFull(_("No place is free. Raise the number of places first, or wait until somebody leaves."), rule="seats")
    _offer(batch, [wait], by=by, reason=reason)


def offer_places(batch_id: UUID, *, by: Actor) -> int:
    """Hold every free place for the next of those who wait, for a day each; the number offered."""
    batch = queries.lock_batch(batch_id)
    if not batch.takes_on(today()):
        return 0
    waiting = [one for one in queries.waiting_in(batch.id) if one.state == "waiting"]
    next_ones = waiting if batch.left is None else waiting[: batch.left]
    _offer(batch, next_ones, by=by)
    return len(next_ones)


def pass_on_offers(*, by: Actor) -> int:
    """Take back the places nobody took in time and offer what is free to the next; how many ran out.

    Who is in the course by now waits for no other batch of it.
    """
    for wait in queries.waits_of_enrolled():
        _end(wait, "left", "", by=by, action="enrollments.leave_waitlist")
    late = select(Wait).where(Wait.state == "offered", Wait.offered_until <= now()).order_by(Wait.batch_id, Wait.place).limit(500)
    found = db.session().scalars(late).all()
    for wait in found:
        batch = queries.lock_batch(wait.batch_id)
        if _end(wait, "passed", "", by=by, action="enrollments.lapse_offer"):
            emit(PlaceLapsed(wait_id=wait.id, batch_id=batch.id, course_id=batch.course_id, user_id=wait.user_id, by=by.user_id))
    for batch_id in queries.batches_with_free_places():
        offer_places(batch_id, by=by)
    return len(found)


def end_waits(batch_id: UUID, *, reason: str, by: Actor) -> None:
    """Clear the list of a locked batch; everybody on it hears why."""
    batch = queries.get_batch(batch_id)
    ended = [wait for wait in queries.waiting_in(batch_id) if _end(wait, "removed", reason, by=by, action="enrollments.remove_wait")]
    emit_many([_ended(wait, batch, reason, by) for wait in ended])


def _offer(batch: CourseBatch, waits: Sequence[Wait], *, by: Actor, reason: str = "") -> None:
    until = now() + HOLD
    for wait in waits:
        wait.state, wait.offered_at, wait.offered_until = "offered", now(), until
        after = {"offered_until": until} | ({"reason": reason} if reason else {})
        audit.record("enrollments.offer_place", wait, by=by, name=batch.name, after=after)
    db.session().flush()
    for wait in waits:
        emit(PlaceOffered(wait_id=wait.id, batch_id=batch.id, course_id=batch.course_id, user_id=wait.user_id, until=until, by=by.user_id))
    db.session().refresh(batch)


def _end(wait: Wait, state: str, reason: str, *, by: Actor, action: str) -> bool:
    """Whether this took the person off the list: false for one who does not stand there any more."""
    batch = queries.lock_batch(wait.batch_id)
    db.session().refresh(wait)
    if not wait.stands:
        return False
    before = {"state": wait.state}
    wait.state, wait.reason, wait.ended_at = state, reason, now()
    after = {"state": state} | ({"reason": reason} if reason else {})
    audit.record(action, wait, by=by, name=batch.name, before=before, after=after)
    db.session().flush()
    db.session().refresh(batch)
    return True


def _ended(wait: Wait, batch: CourseBatch, reason: str, by: Actor) -> WaitEnded:
    return WaitEnded(wait_id=wait.id, batch_id=batch.id, course_id=batch.course_id, user_id=wait.user_id, reason=reason, by=by.user_id)


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid(
            _("Say why, so that others understand it later."), fields={"reason": _("Say why, so that others understand it later.")}
        )
    return text.strip()
