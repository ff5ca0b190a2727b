"""A course of the demo that runs in batches: one that is full, with people who wait for it, and one to come."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select

from lms.admin.operations.demo.people import STUDENTS
from lms.channels.models import Member
from lms.channels.queries import actor_of_user
from lms.core import db
from lms.core.decisions import Actor
from lms.courses.models import Course
from lms.enrollments import operations as enrollments
from lms.enrollments.models import Enrollment
from lms.enrollments.operations import BatchSheet

SEATS, WAITING, COMING = 8, 3, 4


def run_in_batches(course: Course, *, by: Actor) -> None:
    """Make two batches of the course and put people into them, those who came last first; three stand on the waitlist."""
    day = enrollments.today()
    evenings = BatchSheet(
        name="Evening group",
        about="Tuesdays and Thursdays at 19:00",
        starts_on=day - timedelta(days=1),
        ends_on=day + timedelta(days=75),
        enrol_until=day + timedelta(days=20),
        seats=SEATS,
    )
    weekends = BatchSheet(
        name="Weekend group",
        about="Saturdays at 10:00",
        starts_on=day + timedelta(days=25),
        ends_on=day + timedelta(days=110),
        seats=20,
        price_minor=course.price_minor + 1000,
    )
    running, coming = (enrollments.create_batch(course, sheet, by=by) for sheet in (evenings, weekends))
    people = list(db.session().scalars(_newcomers(course).limit(SEATS + WAITING + COMING)))
    for place, user_id in enumerate(people[:-WAITING]):
        batch = running if place < SEATS else coming
        enrollments.enroll_by_hand(user_id, course, note="Staff training of the library", by=by, batch_id=batch.id)
    for user_id in people[-WAITING:]:
        enrollments.join_waitlist(running, user_id, by=actor_of_user(user_id))


def _newcomers(course: Course) -> Select[UUID]:
    """The students who are not in the course, those who came last first."""
    taken = select(Enrollment.user_id).where(Enrollment.course_id == course.id)
    students = select(Member.id).where(Member.role == "student", Member.name.in_(STUDENTS), Member.id.not_in(taken))
    return students.order_by(Member.joined_at.desc(), Member.id)
