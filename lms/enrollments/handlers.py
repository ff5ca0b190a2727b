"""What enrollments does when facts happen."""

from lms.core.decisions import the_platform
from lms.core.events import on
from lms.core.tenancy import current_channel
from lms.courses.events import LessonEdited, LessonPublished
from lms.enrollments import jobs, operations, queries
from lms.enrollments.events import EnrollmentEnded
from lms.payments.events import OrderPaid


@on(OrderPaid, queue="money")
def enroll_the_buyer(fact: OrderPaid) -> None:
    """A paid order opens its course; the wallet's purchase has done so already."""
    operations.enroll_the_buyer(fact.user_id, fact.course_id, fact.order_id, by=the_platform(current_channel()))


@on(LessonPublished)
def count_the_new_lesson(fact: LessonPublished) -> None:
    """One more lesson changes everybody's figure."""
    jobs.recount_course.put({"course_id": fact.course_id}, key=f"recount:{fact.course_id}")


@on(LessonEdited)
def count_without_the_lesson(fact: LessonEdited) -> None:
    """A lesson taken away, or brought back, changes everybody's figure."""
    jobs.recount_course.put({"course_id": fact.course_id}, key=f"recount:{fact.course_id}")


@on(EnrollmentEnded)
def shut_the_media(fact: EnrollmentEnded) -> None:
    """A page opened in the very moment of the ending may hold a grant yet; shut it too."""
    operations.shut_media(queries.get_enrollment(fact.enrollment_id))
