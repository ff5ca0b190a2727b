"""A channel in which something of everything happened, so that every list has rows."""

from datetime import timedelta

from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.money import Money
from lms.enrollments import operations as enrollments
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, ada, root, sam
from tests.factories.streaming import a_session
from tests.factories.vouchers import a_batch
from tests.factories.wallet import a_topped_up_student


def busy() -> Actor:
    """Two courses, one of them sold, students, vouchers, a live class; gives the admin."""
    admin = root()
    ada()
    free, paid = a_course(published=True), a_course('=Geometry, "the" art', published=True, price=Money(1250, "EUR"))
    for number in range(8):
        an_enrollment(a_student(f"Student {number}"), free, progress=50 * (number % 3))
    an_enrollment(sam(), free, progress=100)
    for number in range(3):
        buyer = a_topped_up_student(Money(5000, "EUR"), f"Buyer {number}")
        enrollments.enroll_by_wallet(paid, by=buyer)
    a_batch(4, by=admin)
    a_session(free, starts_at=now() + timedelta(days=2))
    return admin
