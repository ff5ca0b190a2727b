"""Asking to be enrolled, and the answer: by a rule at once, by a person, or by nobody in time."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.rights import rights_changed
from lms.core.tenancy import current_channel
from lms.courses.models import Course
from lms.courses.queries import get_course
from lms.enrollments import queries
from lms.enrollments.errors import RequestIsOver
from lms.enrollments.events import RequestAnswered, RequestMade
from lms.enrollments.models import Enrollment, Request
from lms.enrollments.operations.enrolling import enroll_freely

LONGEST = 1000
WAITING = text("state = 'waiting'")  # the words of the index itself


def ask_to_enroll(course: Course, reason: str, *, by: Actor) -> Request:
    """Ask to be let into a course; while one waits, asking again gives that one. Whom the course's rule fits is let in at once."""
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST:
        sentence = _("Say in a few words why, with up to %(most)s letters.", most=LONGEST)
        raise Invalid(sentence, fields={"reason": sentence})
    assert by.user_id is not None
    values = {"user_id": by.user_id, "course_id": course.id, "reason": reason, "asked_at": now()}
    statement = insert(Request).values(id=uuid7(), channel_id=current_channel(), **values)
    statement = statement.on_conflict_do_nothing(index_elements=["channel_id", "user_id", "course_id"], index_where=WAITING)
    made_id = db.session().execute(statement.returning(Request.id)).scalar_one_or_none()
    if made_id is None:
        standing = queries.last_request(by.user_id, course.id)
        assert standing is not None
        return standing
    made = queries.get_request(made_id)
    audit.record("enrollments.ask", made, by=by, after={"course_id": course.id, "reason": reason}, name=course.title)
    rule = queries.fits_rule(by.user_id, by.email, course)
    if rule:
        approve_request(made, answer="", by=the_platform(current_channel()), is_by_rule=True)
    else:
        emit(RequestMade(request_id=made.id, user_id=by.user_id, course_id=course.id, by=by.user_id))
    return made


def withdraw_request(request: Request, *, by: Actor) -> None:
    """Take one's own request back while nobody has answered it; twice changes nothing."""
    locked = queries.get_request(request.id, lock=True)
    if locked.state == "waiting":
        audit.update(locked, "enrollments.withdraw_request", by=by, state="withdrawn", answered_at=now(), answered_by=by.user_id)


def approve_request(request: Request, *, answer: str, by: Actor, is_by_rule: bool = False) -> bool:
    """Let the person in: a course that costs nothing and has no batches enrols them at once, another opens. False when it was so already.

    Raises RequestIsOver for one that was withdrawn, refused, or is too old.
    """
    locked = queries.get_request(request.id, lock=True)
    if locked.state == "approved":
        return False
    _expect_waiting(locked)
    _answer(locked, "approved", answer, by, is_by_rule=is_by_rule)
    course = get_course(locked.course_id)
    if not course.price_now.minor and not queries.runs_in_batches(course.id):
        enroll_freely(locked.user_id, course.id, source="request", note=locked.reason, by=by)
        locked.used_at = now()
    return True


def refuse_request(request: Request, *, answer: str, by: Actor) -> bool:
    """Say no, in words the person reads. False when it was so already; raises RequestIsOver as above."""
    locked = queries.get_request(request.id, lock=True)
    if locked.state == "refused":
        return False
    _expect_waiting(locked)
    if not answer.strip():
        sentence = _("Say why not; the person reads it.")
        raise Invalid(sentence, fields={"answer": sentence})
    _answer(locked, "refused", answer, by)
    return True


def reopen_request(request: Request, *, by: Actor) -> str:
    """Let an answered request wait again, and take out whom it enrolled; "" when done, else why it stays as it is."""
    locked = queries.get_request(request.id, lock=True)
    if locked.state not in ("approved", "refused"):
        return _("This request does not stand as it was answered any more.")
    newer = queries.last_request(locked.user_id, locked.course_id)
    if newer is not None and newer.id != locked.id:
        return _("The person has asked again since.")
    if locked.used_at is not None:
        enrollment = queries.active_enrollment(locked.user_id, locked.course_id)
        if enrollment is not None and (enrollment.source != "request" or enrollment.last_seen_at is not None or enrollment.progress):
            return _("The person has begun the course by now. End the enrolment on its own page.")
        if enrollment is not None:
            _take_out(enrollment, by)
    values: dict[str, Any] = {"state": "waiting", "answer": "", "answered_at": None, "answered_by": None, "used_at": None}
    audit.update(locked, "enrollments.reopen_request", by=by, **values)
    return ""


def settle_requests(user_id: UUID, course_id: UUID, *, by: UUID | None) -> None:
    """Somebody is enrolled: what they asked for is granted, whoever enrolled them, and used."""
    for one in queries.open_requests(user_id, course_id):
        if one.state == "waiting":
            one.state, one.answered_at, one.answered_by = "approved", now(), by
        one.used_at = now()


def expire_requests(*, by: Actor) -> int:
    """Close requests nobody answered for 30 days, and granted ones not used for 14; how many."""
    found = queries.stale_requests()
    for one in found:
        if one.state == "waiting":
            emit(RequestAnswered(request_id=one.id, user_id=one.user_id, course_id=one.course_id, state="expired", by=by.user_id))
        audit.update(one, "enrollments.expire_request", by=by, state="expired", answered_at=one.answered_at or now())
    return len(found)


def _expect_waiting(request: Request) -> None:
    if request.state != "waiting":
        raise RequestIsOver(_("This request does not wait any more. Look at it again."), rule="state")


def _answer(request: Request, state: str, answer: str, by: Actor, *, is_by_rule: bool = False) -> None:
    action = "enrollments.approve_request" if state == "approved" else "enrollments.refuse_request"
    values: dict[str, Any] = {"state": state, "answer": answer.strip()[:LONGEST], "answered_at": now(), "answered_by": by.user_id}
    audit.update(request, action, by=by, is_by_rule=is_by_rule, **values)
    emit(RequestAnswered(request_id=request.id, user_id=request.user_id, course_id=request.course_id, state=state, by=by.user_id))


def _take_out(enrollment: Enrollment, by: Actor) -> None:
    """Take out an enrolment that was not begun, as if it had never been; the audit log remembers it."""
    audit.record("enrollments.unenroll", enrollment, by=by)
    gone = delete(Enrollment).where(Enrollment.id == enrollment.id)
    db.session().execute(gone.execution_options(synchronize_session=False))
    rights_changed(enrollment.user_id)
