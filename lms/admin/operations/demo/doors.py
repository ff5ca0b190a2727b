"""How people come into the demo's courses other than by buying: a link, a key, and two who ask."""

from datetime import datetime, timedelta

from lms.admin.operations.demo.students import Student
from lms.core.decisions import Actor
from lms.courses import operations as courses
from lms.courses.models import Course
from lms.enrollments import operations as enrollments
from lms.enrollments.operations import Terms

ASKING = (
    "I work in the library of the partner school and would like to run a reading group with it.",
    "My sister learned it here last year. I have the time now, and I would like to follow.",
)


def open_doors(linked: Course, keyed: Course, end: datetime, *, by: Actor) -> None:
    """A link for a partner school, and a key for an evening in the library."""
    school = Terms(
        label="Partner school, spring",
        note="Handed to Mrs Okafor.",
        course_ids=[linked.id],
        seats=30,
        ends_at=end + timedelta(days=60),
        tag="Partner school",
    )
    enrollments.make_link(school, by=by)
    evening = Terms(label="Open evening in the library", course_ids=[keyed.id], seats=40, ends_at=end + timedelta(days=20))
    enrollments.make_link(evening, by=by, key="SPRING-27")


def take_on_request(course: Course, *, by: Actor) -> None:
    """From now on the course is for whoever asks and is let in."""
    courses.set_entry(course, courses.Entry(entry="request"), by=by)


def ask(course: Course, student: Student, number: int) -> None:
    """One student asks, and waits."""
    enrollments.ask_to_enroll(course, ASKING[number], by=student.actor)
