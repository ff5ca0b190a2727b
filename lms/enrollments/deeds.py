"""What the audit log calls the acts on enrolments, and which of them one click takes back."""

from typing import Any

from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.enrollments import operations, policies, queries
from lms.enrollments.models import Enrollment, Link
from lms.enrollments.plans import STANDING
from lms.enrollments.reports.links import LINK_KINDS
from lms.enrollments.reports.lists import SOURCES
from lms.enrollments.reports.requests import REQUEST_STATES


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
            "enrollments.restore": Deed(_l("opened the enrolment again"), "rotate-ccw"),
            "enrollments.set_until": Deed(_l("changed the last day of the enrolment"), "calendar-clock"),
            "enrollments.undo": Deed(_l("put the enrolment back as it was"), "undo-2"),
            "enrollments.make_link": Deed(_l("made a way into courses"), "plus"),
            "enrollments.edit_link": Deed(_l("changed the way into courses"), "pencil"),
            "enrollments.revoke_link": Deed(_l("withdrew the way into courses"), "ban"),
            "enrollments.restore_link": Deed(_l("opened the way into courses again"), "rotate-ccw"),
            "enrollments.replace_link": Deed(_l("replaced the link or key"), "refresh-cw"),
            "enrollments.ask": Deed(_l("asked to be let in"), "hand"),
            "enrollments.withdraw_request": Deed(_l("took the request back"), "undo-2"),
            "enrollments.approve_request": Deed(_l("granted the request"), "circle-check"),
            "enrollments.refuse_request": Deed(_l("refused the request"), "ban"),
            "enrollments.reopen_request": Deed(_l("let the request wait again"), "undo-2"),
            "enrollments.expire_request": Deed(_l("closed a request that was too old"), "clock"),
            "enrollments.complete_lesson": Deed(_l("completed a lesson"), "circle-check"),
            "enrollments.complete_course": Deed(_l("completed the course"), "badge-check"),
        },
        {
            "enrollments": Thing(_l("Enrolment"), "/admin/enrollments/{id}"),
            "requests": Thing(_l("Request"), "/admin/enrollments/requests/{id}"),
            "links": Thing(_l("Link or key"), "/admin/enrollments/links/{id}"),
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
            "state": Label(_l("State"), values=dict(REQUEST_STATES)),
            "answer": Label(_l("Answer")),
            "answered_at": Label(_l("Answered"), "time"),
            "reason": Label(_l("Reason")),
            "is_by_rule": Label(_l("By the course’s rule"), "bool"),
            "label": Label(_l("Name")),
            "kind": Label(_l("Kind"), values=dict(LINK_KINDS)),
            "courses": Label(_l("Courses"), "course"),
            "is_free": Label(_l("Enters without paying"), "bool"),
            "tag": Label(_l("Tag")),
            "domains": Label(_l("Domains")),
            "starts_at": Label(_l("From"), "time"),
            "ends_at": Label(_l("Until"), "time"),
            "seats": Label(_l("Places")),
            "revoked_at": Label(_l("Withdrawn"), "time"),
        },
        {
            "enrollments.end": Revert(queries.get_enrollment, _may, _open_again),
            "enrollments.edit_link": Revert(queries.get_link, _may, operations.put_link),
            "enrollments.revoke_link": Revert(queries.get_link, _may, _let_in_again),
        },
    )
)
