"""Facts turned into words: who is told what, read anew from the tables, since a fact may be heard long after it happened."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from babel.dates import format_date

from lms.channels import queries as channels
from lms.content import queries as content
from lms.core.clock import zone
from lms.core.i18n import gettext as _
from lms.core.i18n import in_locale
from lms.courses import queries as courses
from lms.enrollments import queries as enrollments
from lms.notifications import queries
from lms.notifications.operations.telling import occasion, tell
from lms.payments import queries as payments
from lms.streaming import queries as streaming
from lms.streaming.models import Session
from lms.vouchers import queries as vouchers
from lms.wallet import queries as wallet

COMING = timedelta(minutes=2)  # those who come within it are one notice: a bulk act is not twenty thousand


def tell_of_enrolment(enrollment_id: UUID) -> datetime | None:
    """The student hears that the course is open; until when those count who came with them, of whom the instructor hears together.

    None when they have left already.
    """
    enrollment = enrollments.get_enrollment(enrollment_id)
    if not enrollment.is_open:
        return None
    if enrollment.source != "request":  # they hear of the answer to their request
        course = courses.get_course(enrollment.course_id)
        said = {"course": course.title, "receipt": _receipt(enrollment.order_id, enrollment.user_id)}
        event_id = occasion("enrolled", enrollment.id)
        tell("enrolled", [enrollment.user_id], event_id=event_id, href=f"/courses/{course.slug}", values=said, course_id=course.id)
    length = COMING.total_seconds()
    return datetime.fromtimestamp((enrollment.enrolled_at.timestamp() // length + 1) * length, UTC)


def _receipt(order_id: UUID | None, user_id: UUID) -> str:
    """What was paid and the number of it, as a sentence that goes on; "" where nothing was paid."""
    order, reader = payments.get_order(order_id) if order_id else None, queries.find_reader(user_id)
    if order is None or reader is None or not order.amount_minor:
        return ""
    with in_locale(reader.locale):
        words = _("You paid %(amount)s; the receipt is %(number)s.", amount=order.amount.format(reader.locale), number=order.number)
    return f" {words}"


def tell_of_request(request_id: UUID) -> None:
    """The instructor and the admins hear that somebody asks to be let in; nothing once it was answered."""
    request = enrollments.get_request(request_id)
    if request.state != "waiting":
        return
    course, student = courses.get_course(request.course_id), channels.find_member(request.user_id)
    values = {"course": course.title, "student": student.name if student else _("Somebody"), "why": request.reason}
    told = list(dict.fromkeys([course.instructor_id, *queries.admin_ids()]))
    tell("request", told, event_id=occasion("request", request.id), href=f"/admin/enrollments/requests/{request.id}", values=values)


def tell_of_request_answer(request_id: UUID, state: str) -> None:
    """Who asked hears the answer; nothing when it was taken back meanwhile."""
    request = enrollments.get_request(request_id)
    if request.state != state:
        return
    course = courses.get_course(request.course_id)
    href = f"/courses/{course.slug}" if state == "approved" else f"/enrollments/courses/{course.id}/request"
    if state == "approved" and not request.used_at and enrollments.runs_in_batches(course.id):
        href = f"/enrollments/courses/{course.id}/batches"
    event_id = occasion("request", state, request.id, request.answered_at)
    tell(f"request_{state}", [request.user_id], event_id=event_id, href=href, values={"course": course.title, "why": request.answer})


def tell_of_hire(hire_id: UUID) -> None:
    """Whoever made the link hears that somebody took its role; nothing when it was taken back meanwhile."""
    hire, link = enrollments.get_hire(hire_id)
    if not hire.stands or link.made_by is None:
        return
    person = channels.find_member(hire.user_id)
    values = {"person": person.name if person else _("Somebody"), "email": person.email if person else "", "label": link.label}
    event_id = occasion("hired", hire.id, hire.taken_at)
    tell("hired", [link.made_by], event_id=event_id, href=f"/admin/enrollments/links/{link.id}", values=values)


def tell_of_lost_work(hire_id: UUID) -> None:
    """The person hears that the role is taken back; nothing when they took it anew meanwhile."""
    hire, link = enrollments.get_hire(hire_id)
    if not hire.stands:
        event_id = occasion("hire_withdrawn", hire.id, hire.withdrawn_at)
        tell("hire_withdrawn", [hire.user_id], event_id=event_id, href="/enrollments/", values={"label": link.label})


def tell_of_refund(refund_id: UUID, *, undone: bool) -> None:
    """The person hears that money came back, or left again; nothing when it is not so any more."""
    refund = payments.get_refund(refund_id)
    if refund.stands == undone:
        return
    reader = queries.find_reader(refund.user_id)
    order = payments.get_order(refund.order_id)
    amount = refund.amount.format(reader.locale if reader else "en")
    message = "refund_undone" if undone else "refunded"
    values = {"course": order.title or _("your course"), "amount": amount, "why": refund.reason, "number": refund.number}
    tell(message, [refund.user_id], event_id=occasion(message, refund.id), href="/wallet/", values=values)


def tell_of_ending_money(user_id: UUID, until: datetime, days: int, currency: str) -> None:
    """The person hears how much ends on that day; nothing when it is spent, or lasts longer by now."""
    reader = queries.find_reader(user_id)
    left = next((dated for dated in wallet.dated_of(user_id, currency) if dated.until == until), None)
    if reader is None or left is None:
        return
    values = {
        "amount": left.amount.format(reader.locale),
        "day": format_date(left.last.astimezone(zone(reader.zone)), locale=reader.locale),
    }
    event_id = occasion("money_ending", user_id, until, str(days))
    tell("money_ending", [user_id], event_id=event_id, href="/courses/", values=values, stale_at=until)


def tell_of_batch(batch_id: UUID, maker_id: UUID | None) -> None:
    """Admins hear of every batch of codes, whoever made it: it is money."""
    batch = vouchers.get_batch(batch_id)
    maker = channels.find_member(maker_id) if maker_id else None
    values = {
        "batch": batch.label,
        "count": f"{batch.code_count:,}",
        "worth": batch.worth.format(channels.this_channel().locale),
        "who": maker.name if maker else _("the platform"),
    }
    tell("batch", queries.admin_ids(), event_id=occasion("batch", batch.id), href=f"/admin/vouchers/batches/{batch.id}", values=values)


def tell_of_approval(course_id: UUID) -> None:
    """Admins hear that a course waits for them, once for each time it is submitted."""
    course = courses.get_course(course_id)
    if course.status != "submitted":
        return
    told = [admin_id for admin_id in queries.admin_ids() if admin_id != course.instructor_id]
    event_id = occasion("approval", course.id, course.submitted_at)
    values = {"course": course.title, "instructor": course.instructor.name}
    tell("approval", told, event_id=event_id, href=f"/admin/courses/{course.id}", values=values)


def tell_of_answer(course_id: UUID, by: UUID | None, *, reason: str | None = None) -> None:
    """The instructor hears that a course was published, or came back with a reason; not what they did themselves."""
    course = courses.get_course(course_id)
    if by == course.instructor_id:
        return
    if reason is None:
        event_id = occasion("published", course.id, course.published_at)
        tell("course_published", [course.instructor_id], event_id=event_id, href=f"/courses/{course.slug}", values={"course": course.title})
        return
    values = {"course": course.title, "why": reason}
    event_id = occasion("sent_back", course.id, course.submitted_at, reason)
    tell("course_sent_back", [course.instructor_id], event_id=event_id, href=f"/admin/courses/{course.id}", values=values)


def tell_of_failed_file(asset_id: UUID, reason: str) -> None:
    """The owner hears that a file could not be used, and why; a retry that fails the same way is not told again."""
    asset = content.assets_by_id([asset_id]).get(asset_id)
    if asset is None or asset.state != "failed":
        return
    event_id = occasion("file_failed", asset.id, reason)
    tell("file_failed", [asset.owner_id], event_id=event_id, href="/admin/content/assets", values={"file": asset.filename, "why": reason})


def tell_of_missing_recording(session_id: UUID, reason: str) -> None:
    """The host hears that a class has no recording, and why; the same reason is not told again."""
    session = streaming.get_session(session_id)
    event_id, href = occasion("recording_missing", session.id, reason), f"/admin/streaming/sessions/{session.id}"
    tell("recording_missing", [session.host_id], event_id=event_id, href=href, values={"session": session.title, "why": reason})


def tell_of_report(message: str, user_id: UUID, subject_id: UUID, href: str, values: Mapping[str, Any], *details: str) -> None:
    """Somebody hears of a file they asked for, or of a schedule of theirs."""
    tell(message, [user_id], event_id=occasion(message, subject_id, *details), href=href, values=values)


def tell_of_session(session_id: UUID, message: str) -> Mapping[str, Any] | None:
    """What the students of a session's course are to hear (for `jobs.tell_course`); None when it is not so any more."""
    session = streaming.get_session(session_id)
    wanted = session.state == "cancelled" if message == "session_cancelled" else session.state in ("scheduled", "open")
    return session_payload(session, message) if wanted else None


def session_payload(session: Session, message: str) -> dict[str, Any]:
    """The job's arguments that tell a course of one of its sessions; a new time makes a new occasion."""
    course = courses.get_course(session.course_id)
    return {
        "message": message,
        "event_id": occasion(message, session.id, session.starts_at.isoformat()),
        "course_id": session.course_id,
        "batch_id": session.batch_id,
        "href": f"/streaming/sessions/{session.id}",
        "values": {
            "session": session.title,
            "course": course.title,
            "starts_at": session.starts_at.isoformat(),
            "why": session.cancel_reason,
        },
        "stale_at": session.starts_at,
    }
