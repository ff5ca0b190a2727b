"""Background work of notifications: telling whole courses in chunks, reminders every minute, tidying at night."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lms.core.clock import now
from lms.core.jobs import Every, job, report_progress, step
from lms.notifications import operations, queries

LATECOMERS = timedelta(seconds=30)  # an enrolment counts from its beginning; its transaction may take a while to be seen


@job(queue="bulk", in_steps=True, lease_seconds=120, tries=8)
def tell_course(
    message: str,
    event_id: UUID | str,
    course_id: UUID | str,
    href: str,
    values: dict[str, Any],
    stale_at: datetime | str | None = None,
    enrolled_before: datetime | str | None = None,
    batch_id: UUID | str | None = None,
) -> None:
    """Tell everybody who learns a course or is in one batch of it, some hundred in each transaction; who was told is never told again."""
    event, course, stale, since = UUID(str(event_id)), UUID(str(course_id)), _moment(stale_at), _moment(enrolled_before)
    batch = UUID(str(batch_id)) if batch_id else None
    with step():
        left = queries.count_untold(course, event, enrolled_before=since, batch_id=batch)
    told = 0
    while True:
        with step():
            user_ids = queries.untold_students(course, event, limit=operations.CHUNK, enrolled_before=since, batch_id=batch)
            if not user_ids:
                return
            operations.tell(message, user_ids, event_id=event, href=href, values=values, course_id=course, stale_at=stale)
        told += len(user_ids)
        report_progress(told / max(left, told))


def _moment(value: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


@job(queue="bulk")
def announce_lessons(course_id: UUID | str) -> None:
    """Announce the new lessons of a course to everybody who learns it, at most once an hour."""
    quiet_until = operations.quiet_until(UUID(str(course_id)))
    if quiet_until is not None:
        announce_lessons.put({"course_id": course_id}, run_at=quiet_until, key=f"announce:{course_id}@{quiet_until.isoformat()}")
        return
    payload = operations.announce_lessons(UUID(str(course_id)))
    if payload is not None:
        tell_course.put(payload, key=f"tell:{payload['event_id']}")


@job(queue="default")
def tell_of_students(course_id: UUID | str, until: datetime | str) -> None:
    """Tell an instructor who enrolled in the minutes before a moment."""
    operations.tell_of_students(UUID(str(course_id)), _moment(until) or now())


@job(queue="default", every=Every(minutes=1))
def remind_of_sessions() -> None:
    """Remind everybody of live classes that begin within the hour, once each; late-comers too."""
    for payload in operations.remind_of_sessions():
        tell_course.put(payload, key=f"tell:{payload['event_id']}", queue="mail")


@job(queue="bulk", in_steps=True, lease_seconds=60, tries=8)
def send_broadcast(broadcast_id: UUID | str) -> None:
    """Put those meant on the list, wait for the time, then tell some hundred at a time, each in a transaction with the note of it.

    A worker that dies takes nothing with it but its last batch, which was not told either; the next one goes on there.
    """
    wanted, more = UUID(str(broadcast_id)), True
    while more:
        with step():
            more = operations.collect_some(wanted)
    with step():
        if not operations.begin_sending(wanted):
            found = queries.get_broadcast(wanted)
            if found.state == "scheduled" and found.send_at is not None:
                send_broadcast.put({"broadcast_id": wanted}, run_at=found.send_at, key=f"broadcast:{wanted}@{found.send_at.isoformat()}")
            return
    while True:
        with step():
            share = operations.send_some(wanted)
        if share is None:
            return
        report_progress(share)


@job(queue="bulk", every=Every(minutes=10), in_steps=True, lease_seconds=120)
def send_digests() -> None:
    """Send the digests whose hour has come, some hundred people at a time, each in a transaction of its own."""
    while True:
        with step():
            user_ids = queries.due_people(now(), limit=operations.CHUNK)
            if not user_ids:
                return
            operations.send_digests(user_ids)


@job(queue="bulk", every=Every(at="03:40"))
def forget_old_notices() -> None:
    """Take away news nobody needs any more."""
    operations.forget_old()
