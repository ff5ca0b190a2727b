"""Telling a whole course of new lessons, gathered to one mail, and of live classes that begin soon; telling its instructor who came."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.core import db
from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.courses import queries as courses
from lms.enrollments.queries import count_students
from lms.notifications import queries
from lms.notifications.models import Announcement
from lms.notifications.operations.occasions import COMING, session_payload
from lms.notifications.operations.telling import occasion, tell

QUIET = timedelta(hours=1)
SOON = timedelta(minutes=60)
NAMED = 10


def note_lesson(course_id: UUID, lesson_id: UUID) -> None:
    """Keep a published lesson for announcing; one that was announced before is not announced again."""
    row = {"id": uuid7(), "channel_id": current_channel(), "course_id": course_id, "lesson_id": lesson_id, "created_at": now()}
    db.session().execute(insert(Announcement).values(row).on_conflict_do_nothing())


def quiet_until(course_id: UUID) -> datetime | None:
    """Until when a course that was just announced waits, so that an evening's lessons are one mail; None when it may speak."""
    last = queries.last_announced(course_id)
    return last + QUIET if last is not None and last + QUIET > now() else None


def announce_lessons(course_id: UUID) -> dict[str, Any] | None:
    """What the students of a course are to hear of its new lessons (for `jobs.tell_course`); None when there is nothing.

    The lessons count as announced with this transaction. Those of a course not yet published are never announced.
    """
    waiting = queries.lock_unannounced(course_id)
    course = courses.get_course(course_id)
    lessons = queries.published_lessons([row.lesson_id for row in waiting])
    shown = {lesson.id for lesson in lessons}
    for row in waiting:
        if row.lesson_id in shown or not course.is_published:
            row.announced_at = now()
    db.session().flush()
    if not lessons or not course.is_published:
        return None
    payload: dict[str, Any] = {
        "event_id": occasion("lessons", *sorted(str(lesson.id) for lesson in lessons)),
        "course_id": course.id,
        "enrolled_before": max(lesson.published_at or now() for lesson in lessons),
    }
    if len(lessons) == 1:
        href = f"/enrollments/courses/{course.id}/lessons/{lessons[0].id}"
        return {**payload, "message": "lesson", "href": href, "values": {"course": course.title, "lesson": lessons[0].title}}
    titles = " · ".join(lesson.title for lesson in lessons[:NAMED]) + (" …" if len(lessons) > NAMED else "")
    values = {"course": course.title, "count": str(len(lessons)), "lessons": titles}
    return {**payload, "message": "lessons", "href": f"/courses/{course.slug}", "values": values}


def remind_of_sessions() -> Iterator[dict[str, Any]]:
    """Remind the hosts of classes that begin within the hour; yields, for each with students not yet reminded, the job's arguments."""
    for session in queries.sessions_beginning(now(), SOON):
        payload = session_payload(session, "session_soon")
        common = {key: payload[key] for key in ("href", "values", "stale_at")}
        tell("session_soon_host", [session.host_id], event_id=occasion("host", payload["event_id"]), **common)
        if queries.untold_students(session.course_id, payload["event_id"], limit=1, batch_id=session.batch_id):
            yield payload


def tell_of_students(course_id: UUID, until: datetime) -> None:
    """The instructor hears who enrolled in the two minutes before a moment, once."""
    course = courses.get_course(course_id)
    came = queries.newcomers(course.id, until - COMING, until, but=course.instructor_id, named=NAMED)
    if not came.count:
        return
    values = {"course": course.title, "count": str(count_students(course.id)), "new": str(came.count)}
    names, others = " · ".join(name or _("Somebody") for name in came.names), came.count - len(came.names)
    values["student" if came.count == 1 else "students"] = (
        _("%(names)s and %(others)s more", names=names, others=others) if others else names
    )
    message = "new_student" if came.count == 1 else "new_students"
    event_id = occasion("new_students", course.id, until.isoformat())
    tell(message, [course.instructor_id], event_id=event_id, href=f"/admin/courses/{course.id}", values=values)
