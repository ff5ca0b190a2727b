"""Enrolments for tests, in English; each is made by the operations themselves."""

from lms.core.clock import now
from lms.core.decisions import Actor
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, queries
from lms.enrollments.models import Enrollment
from tests.factories.people import root


def an_enrollment(user: Actor, course: Course, *, progress: int = 0, note: str = "A guest of the house.") -> Enrollment:
    """The person in the course, enrolled by hand; as many lessons done as make at least `progress` per cent."""
    assert user.user_id is not None
    enrollment = operations.enroll_by_hand(user.user_id, course, note=note, by=root())
    lessons = courses.lessons_of(course.id)
    for count, lesson in enumerate(lessons):
        if count * 100 >= progress * len(lessons):
            break
        operations.mark_done(enrollment, lesson, by=user, at=now())
    return queries.get_enrollment(enrollment.id)
