"""What the audit log calls the acts on enrolments, and which of them one click takes back."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.channels.plans.crowd import ROLES
from lms.core import bin, db
from lms.core.bin import Kind
from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, names_come_from, register
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import BinRow
from lms.courses.queries import get_course
from lms.enrollments import operations, policies, queries
from lms.enrollments.models import CourseBatch, Enrollment, Link
from lms.enrollments.plans import STANDING
from lms.enrollments.reports.batches import WAITING
from lms.enrollments.reports.links import LINK_KINDS
from lms.enrollments.reports.lists import SOURCES
from lms.enrollments.reports.requests import REQUEST_STATES

OF_BATCHES = {
    "enrollments.create_batch": Deed(_l("made the batch"), "plus"),
    "enrollments.edit_batch": Deed(_l("changed the batch"), "pencil"),
    "enrollments.set_instructors": Deed(_l("changed who teaches the batch"), "user-cog"),
    "enrollments.miss_place": Deed(_l("used a code whose place was gone in"), "ticket"),
    "enrollments.settle_place": Deed(_l("settled a missed place in"), "circle-check"),
    "enrollments.bind_vouchers": Deed(_l("changed which vouchers give a place in"), "ticket"),
    "enrollments.cancel_batch": Deed(_l("cancelled the batch"), "ban"),
    "enrollments.reopen_batch": Deed(_l("let the batch take place after all"), "rotate-ccw"),
    "enrollments.delete_batch": Deed(_l("deleted the batch"), "trash-2"),
    "enrollments.restore_batch": Deed(_l("restored the batch"), "undo-2"),
    "enrollments.join_waitlist": Deed(_l("joined the waitlist of"), "plus"),
    "enrollments.leave_waitlist": Deed(_l("left the waitlist of"), "circle-x"),
    "enrollments.remove_wait": Deed(_l("took off the waitlist of"), "user-minus"),
    "enrollments.move_wait": Deed(_l("moved on the waitlist of"), "move"),
    "enrollments.offer_place": Deed(_l("offered a place in"), "clock"),
    "enrollments.lapse_offer": Deed(_l("let an offered place pass on in"), "clock"),
}
FIELDS_OF_BATCHES = {
    "batch_id": Label(_l("Batch"), "batch"),
    "opens_at": Label(_l("Lessons open"), "time"),
    "name": Label(_l("Name")),
    "about": Label(_l("About it")),
    "starts_on": Label(_l("First day")),
    "ends_on": Label(_l("Last day of access")),
    "enrol_from": Label(_l("Enrolment from")),
    "enrol_until": Label(_l("Enrolment until")),
    "seats": Label(_l("Places")),
    "price_minor": Label(_l("Price"), "money"),
    "cancelled_at": Label(_l("Cancelled"), "time"),
    "cancelled_reason": Label(_l("Reason")),
    "deleted_at": Label(_l("Deleted"), "time"),
    "instructor_ids": Label(_l("Instructors"), "person"),
    "state": Label(_l("On the list"), values={**dict(REQUEST_STATES), **dict(WAITING)}),
    "place": Label(_l("Place on the list")),
    "offered_until": Label(_l("Held until"), "time"),
    "reason": Label(_l("Reason")),
    "settled_as": Label(_l("Settled by"), values={"moved": _l("Another batch"), "kept": _l("No batch"), "paid": _l("Money back")}),
}


def _may_run(by: Actor, batch: CourseBatch) -> Decision:
    return policies.can_run(by, get_course(batch.course_id))


def _bring_back(batch: CourseBatch, _values: dict[str, Any], by: Actor) -> None:
    operations.restore_batch(batch, by=by)


def _take_place(batch: CourseBatch, _values: dict[str, Any], by: Actor) -> None:
    operations.reopen_batch(batch, by=by)


def _may(by: Actor, _target: Enrollment | Link) -> Decision:
    return policies.can_manage(by)


def _let_in_again(link: Link, _values: dict[str, Any], by: Actor) -> None:
    operations.restore_link(link, by=by)


def _open_again(enrollment: Enrollment, _values: dict[str, Any], by: Actor) -> None:
    operations.restore_enrollment(enrollment, by=by)


register(
    Deeds(
        "enrollments",
        _l("Enrolments"),
        {
            "enrollments.enroll": Deed(_l("enrolled"), "user-check"),
            "enrollments.unenroll": Deed(_l("took the enrolment out again"), "user-minus"),
            "enrollments.end": Deed(_l("ended the enrolment"), "ban"),
            "enrollments.leave": Deed(_l("left the course"), "log-out"),
            "enrollments.restore": Deed(_l("opened the enrolment again"), "rotate-ccw"),
            "enrollments.set_until": Deed(_l("changed the last day of the enrolment"), "calendar-clock"),
            "enrollments.move": Deed(_l("moved to another batch"), "move"),
            "enrollments.undo": Deed(_l("put the enrolment back as it was"), "undo-2"),
            "enrollments.make_link": Deed(_l("made a way into courses"), "plus"),
            "enrollments.edit_link": Deed(_l("changed the way into courses"), "pencil"),
            "enrollments.revoke_link": Deed(_l("withdrew the way into courses"), "ban"),
            "enrollments.restore_link": Deed(_l("opened the way into courses again"), "rotate-ccw"),
            "enrollments.replace_link": Deed(_l("replaced the link or key"), "refresh-cw"),
            "enrollments.take_work": Deed(_l("took work here by the link"), "user-cog"),
            "enrollments.confirm_hire": Deed(_l("signed in as staff do, and so works here"), "shield-check"),
            "enrollments.withdraw_hire": Deed(_l("took an unconfirmed role back with the link"), "user-minus"),
            "enrollments.ask": Deed(_l("asked to be let in"), "hand"),
            "enrollments.withdraw_request": Deed(_l("took the request back"), "undo-2"),
            "enrollments.approve_request": Deed(_l("granted the request"), "circle-check"),
            "enrollments.refuse_request": Deed(_l("refused the request"), "ban"),
            "enrollments.reopen_request": Deed(_l("let the request wait again"), "undo-2"),
            "enrollments.expire_request": Deed(_l("closed a request that was too old"), "clock"),
            "enrollments.complete_lesson": Deed(_l("completed a lesson"), "circle-check"),
            "enrollments.complete_course": Deed(_l("completed the course"), "badge-check"),
            **OF_BATCHES,
        },
        {
            "enrollments": Thing(_l("Enrolment"), "/admin/enrollments/{id}"),
            "course_batches": Thing(_l("Batch"), "/admin/enrollments/batches/{id}"),
            "requests": Thing(_l("Request"), "/admin/enrollments/requests/{id}"),
            "links": Thing(_l("Link or key"), "/admin/enrollments/links/{id}"),
            "waits": Thing(_l("Waitlist"), "/admin/enrollments/waits/{id}"),
        },
        {
            "status": Label(_l("Status"), values=STANDING),
            "ended_at": Label(_l("Ended"), "time"),
            "until_on": Label(_l("Open until")),
            "ended_reason": Label(_l("Reason")),
            "source": Label(_l("How"), values=dict(SOURCES)),
            "note": Label(_l("Reason")),
            "user_id": Label(_l("Person"), "person"),
            "course_id": Label(_l("Course"), "course"),
            "lesson_id": Label(_l("Lesson"), "lesson"),
            "answer": Label(_l("Answer")),
            "answered_at": Label(_l("Answered"), "time"),
            "is_by_rule": Label(_l("By the course’s rule"), "bool"),
            "label": Label(_l("Name")),
            "kind": Label(_l("Kind"), values=dict(LINK_KINDS)),
            "role": Label(_l("Gives the role"), values=ROLES),
            "courses": Label(_l("Courses"), "course"),
            "is_free": Label(_l("Enters without paying"), "bool"),
            "tag": Label(_l("Tag")),
            "domains": Label(_l("Domains")),
            "starts_at": Label(_l("From"), "time"),
            "ends_at": Label(_l("Until"), "time"),
            "seats": Label(_l("Places")),
            "revoked_at": Label(_l("Withdrawn"), "time"),
            **FIELDS_OF_BATCHES,
        },
        {
            "enrollments.end": Revert(queries.get_enrollment, _may, _open_again),
            "enrollments.edit_link": Revert(queries.get_link, _may, operations.put_link),
            "enrollments.revoke_link": Revert(queries.get_link, _may, _let_in_again),
            "enrollments.delete_batch": Revert(queries.get_batch, _may_run, _bring_back),
            "enrollments.cancel_batch": Revert(queries.get_batch, _may_run, _take_place),
        },
    )
)


def _names_of_batches(ids: Sequence[UUID]) -> Mapping[UUID, str]:
    found = db.session().execute(select(CourseBatch.id, CourseBatch.name).where(CourseBatch.id.in_(ids)))
    return {row[0]: row[1] for row in found}


def _restore_batch(row: BinRow, by: Actor) -> None:
    operations.restore_batch(queries.get_batch(row.target_id), by=by)


def _purge_batch(row: BinRow, by: Actor) -> None:
    operations.purge_batch(row.target_id)


names_come_from("batch", _names_of_batches)
bin.register(Kind("course_batch", _l("Batch"), "calendar-clock", "enrollments.course_batches", _restore_batch, _purge_batch))
