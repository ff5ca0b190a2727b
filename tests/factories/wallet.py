"""People with money."""

from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.wallet import operations
from tests.factories.people import a_student


def euros(amount: int) -> Money:
    """Whole euros."""
    return Money(amount * 100, "EUR")


def a_topped_up_student(amount: Money, name: str = "") -> Actor:
    """A new student whose wallet holds the amount."""
    student = a_student(name or f"Student {uuid7().hex[-8:]}")
    assert student.user_id is not None
    operations.credit(student.user_id, amount, source="voucher", reference_id=uuid7(), note="Opening", by=student)
    return student
