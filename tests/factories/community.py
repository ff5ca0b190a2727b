"""Reviews for tests, in English."""

from lms.community import operations
from lms.community.models import Review
from lms.core.decisions import Actor
from lms.courses.models import Course
from tests.factories.enrollments import an_enrollment


def a_review(user: Actor, course: Course, *, rating: int = 5, body: str = "Clear and short.") -> Review:
    """What a student of the course says about it; enrols them half-way through it."""
    an_enrollment(user, course, progress=50)
    return operations.post_review(course, rating=rating, body=body, by=user)
