"""Batches of a course: made, changed, cancelled, into the bin and back; what that means for those who are in them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

from lms.core import audit, bin, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.courses.models import Course
from lms.courses.queries import instructors
from lms.enrollments import queries
from lms.enrollments.events import BatchCancelled, BatchChanged
from lms.enrollments.models import BatchInstructor, CourseBatch, Enrollment, Wait
from lms.enrollments.operations.seats import opening_of, today
from lms.enrollments.operations.waiting import end_waits, offer_places

BIN = "course_batch"


@dataclass(frozen=True, slots=True)
class BatchSheet:
    """What a batch is: days are of the channel's zone, `seats` and `price_minor` None for no limit and the course's own price."""

    name: str
    about: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    enrol_from: date | None = None
    enrol_until: date | None = None
    seats: int | None = None
    price_minor: int | None = None
    instructor_ids: tuple[UUID, ...] = ()

    def columns(self) -> dict[str, Any]:
        """What stands in the batch's own row."""
        made = asdict(self) | {"name": self.name.strip(), "about": self.about.strip()}
        del made["instructor_ids"]
        return made


def create_batch(course: Course, sheet: BatchSheet, *, by: Actor, batch_id: UUID | None = None) -> CourseBatch:
    """Make a run of a course; the same `batch_id` again makes nothing.

    Raises Invalid beside the fields that are wrong, a name that is taken among them.
    """
    queries.lock_names(course.id)
    made = queries.find_batch(batch_id)
    if made is not None and made.course_id == course.id:
        return made
    _look(course.id, sheet, None)
    batch = CourseBatch(id=batch_id or uuid7(), course_id=course.id, **sheet.columns())
    db.session().add(batch)
    db.session().flush()
    _choose_instructors(batch, sheet.instructor_ids)
    audit.record("enrollments.create_batch", batch, by=by, after={"course_id": course.id, **_said(sheet.columns())})
    return batch


def shifted(batch: CourseBatch, starts_on: date, *, name: str, instructor_ids: Sequence[UUID] = ()) -> BatchSheet:
    """The sheet of a batch like this one that begins on another day, its other days moved by as many."""
    by = starts_on - (batch.starts_on or starts_on)

    def move(day: date | None) -> date | None:
        return day + by if day is not None else None

    return BatchSheet(
        name=name,
        about=batch.about,
        starts_on=starts_on,
        ends_on=move(batch.ends_on),
        enrol_from=move(batch.enrol_from),
        enrol_until=move(batch.enrol_until),
        seats=batch.seats,
        price_minor=batch.price_minor,
        instructor_ids=tuple(instructor_ids),
    )


def edit_batch(batch: CourseBatch, sheet: BatchSheet, *, version: int, by: Actor) -> bool:
    """Change a batch, and with its days those of the people in it; freed seats are offered at once. False when nothing changed.

    Whoever has a last day of their own keeps it. Raises Conflict when somebody changed the batch since `version`.
    """
    queries.lock_names(batch.course_id)
    batch = queries.lock_batch(batch.id)
    if batch.version != version:
        raise Conflict(_("Somebody changed this batch while you did. Look at it again, then save."), rule="version")
    _look(batch.course_id, sheet, batch)
    old_end, days = batch.ends_on, (batch.starts_on, batch.ends_on)
    changed = audit.update(batch, "enrollments.edit_batch", by=by, **sheet.columns())
    changed = _choose_instructors(batch, sheet.instructor_ids, by=by) or changed
    if not changed:
        return False
    batch.version += 1
    db.session().flush()
    if (batch.starts_on, batch.ends_on) != days:
        _move_days(batch, old_end)
        emit(BatchChanged(by=by.user_id, batch_id=batch.id, course_id=batch.course_id, name=batch.name, starts_on=batch.starts_on))
    offer_places(batch.id, by=by)
    return True


def cancel_batch(batch: CourseBatch, *, reason: str, by: Actor) -> None:
    """Take nobody any more and end the waiting; those who are in it keep the course until they are moved or refunded. Twice is once."""
    batch = queries.lock_batch(batch.id)
    if not reason.strip():
        raise Invalid(_("Say why; the people in it read it."), fields={"reason": _("Say why; the people in it read it.")})
    if batch.cancelled_at is not None:
        return
    audit.update(batch, "enrollments.cancel_batch", by=by, cancelled_at=now(), cancelled_reason=reason.strip())
    end_waits(batch.id, reason=_("The batch was cancelled."), by=by)
    emit(BatchCancelled(by=by.user_id, batch_id=batch.id, course_id=batch.course_id, name=batch.name, reason=reason.strip()))


def reopen_batch(batch: CourseBatch, *, by: Actor) -> None:
    """Let a cancelled batch take place after all; twice changes nothing."""
    batch = queries.lock_batch(batch.id)
    audit.update(batch, "enrollments.reopen_batch", by=by, cancelled_at=None, cancelled_reason="")


def delete_batch(batch: CourseBatch, *, by: Actor) -> None:
    """Put a batch that nobody is in into the bin; deleting twice changes nothing."""
    batch = queries.lock_batch(batch.id)
    if batch.deleted_at is not None:
        return
    if batch.taken:
        raise Conflict(
            _("%(count)s people are in this batch. Move them to another one first, or cancel the batch.", count=batch.taken), rule="people"
        )
    end_waits(batch.id, reason=_("The batch was deleted."), by=by)
    audit.update(batch, "enrollments.delete_batch", by=by, deleted_at=now())
    bin.put(BIN, batch.id, batch.name, by=by)


def restore_batch(batch: CourseBatch, *, by: Actor) -> None:
    """Bring a batch back from the bin; twice changes nothing. Raises Conflict when its name is taken by now."""
    bin.expect_kept(BIN, batch.id)
    queries.lock_names(batch.course_id)
    batch = queries.lock_batch(batch.id)
    if batch.deleted_at is None:
        return
    if _name_is_taken(batch.course_id, batch.name, batch.id):
        raise Conflict(_("Another batch is called %(name)s by now. Rename that one first.", name=batch.name), rule="name_taken")
    audit.update(batch, "enrollments.restore_batch", by=by, deleted_at=None)
    bin.take_out(BIN, [batch.id], by=by)


def purge_batch(batch_id: UUID) -> None:
    """Delete a batch that lies in the bin for good, with its list of those who waited; the database refuses while people hang on it."""
    db.session().execute(delete(Wait).where(Wait.batch_id == batch_id))
    db.session().execute(delete(CourseBatch).where(CourseBatch.id == batch_id, CourseBatch.deleted_at.is_not(None)))


def _look(course_id: UUID, sheet: BatchSheet, batch: CourseBatch | None) -> None:
    """Raise Invalid beside every field of a sheet that is wrong."""
    faults = {}
    if not sheet.name.strip():
        faults["name"] = _("Give the batch a name, such as Spring 2027.")
    elif _name_is_taken(course_id, sheet.name, batch.id if batch else None):
        faults["name"] = _("Another batch of this course has this name.")
    if sheet.starts_on and sheet.ends_on and sheet.ends_on < sheet.starts_on:
        faults["ends_on"] = _("The last day comes after the first one.")
    elif sheet.ends_on and sheet.ends_on < today() and (batch is None or batch.ends_on != sheet.ends_on):
        faults["ends_on"] = _("This day is over. Choose one to come.")
    if sheet.enrol_from and sheet.enrol_until and sheet.enrol_until < sheet.enrol_from:
        faults["enrol_until"] = _("Enrolment ends after it begins.")
    used = batch.taken + batch.held if batch else 0
    if sheet.seats is not None and sheet.seats < max(used, 1):
        faults["seats"] = (
            _("%(count)s places are taken or promised already. Move people first, or allow as many.", count=used)
            if used
            else _("At least one place, or leave it empty for no limit.")
        )
    if set(sheet.instructor_ids) - {one.id for one in instructors()}:
        faults["instructor_ids"] = _("Choose people who teach here.")
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)


def _name_is_taken(course_id: UUID, name: str, but: UUID | None) -> bool:
    found = queries.batch_by_name(course_id, name)
    return found is not None and found.id != but


def add_instructor(batch: CourseBatch, user_id: UUID, *, by: Actor) -> bool:
    """Let one more person teach the batch; false when they do already."""
    return _choose_instructors(batch, [*queries.instructor_ids_of(batch.id), user_id], by=by)


def _choose_instructors(batch: CourseBatch, user_ids: Sequence[UUID], *, by: Actor | None = None) -> bool:
    """Whether those who teach the batch are others now."""
    before, after = set(queries.instructor_ids_of(batch.id)), set(user_ids)
    if before == after:
        return False
    gone = delete(BatchInstructor).where(BatchInstructor.batch_id == batch.id, BatchInstructor.user_id.in_(before - after))
    db.session().execute(gone)
    db.session().add_all(BatchInstructor(id=uuid7(), batch_id=batch.id, user_id=user_id) for user_id in after - before)
    db.session().flush()
    if by is not None:
        was, is_now = ({"instructor_ids": sorted(map(str, ids))} for ids in (before, after))
        audit.record("enrollments.set_instructors", batch, by=by, before=was, after=is_now)
    return True


def _move_days(batch: CourseBatch, old_end: date | None) -> None:
    """The days of everybody in the batch: when the lessons open, and the last day of those who have no other."""
    open_ones = update(Enrollment).where(Enrollment.batch_id == batch.id, Enrollment.status != "ended")
    db.session().execute(open_ones.values(opens_at=opening_of(batch)))
    db.session().execute(open_ones.where(Enrollment.until_on.is_not_distinct_from(old_end)).values(until_on=batch.ends_on))


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "")}
