"""What enrollments does in the background."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel
from lms.enrollments import operations
from lms.enrollments.models import Enrollment


@job(queue="bulk", lease_seconds=300)
def recount_course(course_id: str) -> None:
    """Bring the figures of everybody in a course up to date."""
    operations.recompute_course(UUID(str(course_id)), by=the_platform(current_channel()))


@job(queue="bulk", lease_seconds=300, every=Every(at="02:40"))
def recount_all() -> None:
    """Once a night, compute every course's figures again (nothing changes where nothing was missed); thrown-away notes go too."""
    operations.forget_notes(now() - timedelta(days=30))
    for course_id in db.session().scalars(select(Enrollment.course_id).where(Enrollment.status == "active").distinct()).all():
        recount_course.put({"course_id": course_id}, key=f"recount:{course_id}")


@job(queue="default", every=Every(minutes=10))
def end_overdue() -> None:
    """End the enrolments whose last day is over."""
    operations.end_overdue(by=the_platform(current_channel()))


@job(queue="bulk", every=Every(at="03:50"))
def expire_requests() -> None:
    """Close the requests that became too old."""
    operations.expire_requests(by=the_platform(current_channel()))


@job(queue="default", every=Every(minutes=1))
def pass_on_offers() -> None:
    """Take back the places that nobody took in time, and offer what is free to those who wait."""
    operations.pass_on_offers(by=the_platform(current_channel()))
