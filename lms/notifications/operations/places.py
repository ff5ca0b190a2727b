"""What people hear of batches: a place held for them, one that passed on, a waitlist that ended, new days, a batch called off."""

from uuid import UUID

from lms.courses import queries as courses
from lms.enrollments import queries as enrollments
from lms.notifications.operations.telling import CHUNK, occasion, tell


def tell_of_offer(wait_id: UUID) -> None:
    """The person hears that a place is held for them, and until when; nothing once it is taken or passed on."""
    wait = enrollments.get_wait(wait_id)
    if wait.state != "offered" or wait.offered_until is None:
        return
    batch = enrollments.get_batch(wait.batch_id)
    course = courses.get_course(batch.course_id)
    values = {"batch": batch.name, "course": course.title, "until_at": wait.offered_until.isoformat()}
    event_id = occasion("place_offered", wait.id, wait.offered_until)
    href = f"/enrollments/batches/{batch.id}/enroll"
    tell("place_offered", [wait.user_id], event_id=event_id, href=href, values=values, stale_at=wait.offered_until)


def tell_of_lost_place(wait_id: UUID, message: str) -> None:
    """The person hears that a held place passed on (`place_passed`), or why they are off the list (`wait_ended`)."""
    wait = enrollments.get_wait(wait_id)
    batch = enrollments.get_batch(wait.batch_id)
    course = courses.get_course(batch.course_id)
    values = {"batch": batch.name, "course": course.title, "why": wait.reason}
    tell(message, [wait.user_id], event_id=occasion(message, wait.id), href=f"/courses/{course.slug}", values=values)


def tell_batch(batch_id: UUID, message: str) -> None:
    """Everybody in a batch hears that it has other days (`batch_moved`) or does not take place (`batch_cancelled`)."""
    batch = enrollments.get_batch(batch_id)
    if (batch.cancelled_at is not None) != (message == "batch_cancelled"):
        return
    course = courses.get_course(batch.course_id)
    values = {"batch": batch.name, "course": course.title, "why": batch.cancelled_reason}
    event_id = occasion(message, batch.id, batch.cancelled_at, batch.starts_on, batch.ends_on)
    people = enrollments.user_ids_in_batch(batch.id)
    for first in range(0, len(people), CHUNK):
        user_ids = people[first : first + CHUNK]
        tell(message, user_ids, event_id=event_id, href=f"/courses/{course.slug}", values=values, course_id=course.id)
