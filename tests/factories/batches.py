"""Batches of courses for tests, in English; each is made by the operations themselves."""

from datetime import date
from typing import Any

from lms.core.decisions import Actor
from lms.courses.models import Course
from lms.enrollments import operations
from lms.enrollments.models import CourseBatch
from tests.factories.people import root


def a_batch(course: Course, name: str = "Spring 2027", *, by: Actor | None = None, **about: Any) -> CourseBatch:
    """A run of the course that takes people now, without a limit unless `seats` is given."""
    return operations.create_batch(course, operations.BatchSheet(name=name, **about), by=by or root())


def day(text: str) -> date:
    """A day as people write it."""
    return date.fromisoformat(text)
