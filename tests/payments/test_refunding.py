"""Refunds: the mirror of the sale, never more than was paid, taken back until the money is spent; the access follows."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.errors import Invalid
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses.models import Course
from lms.courses.queries import lessons_of
from lms.enrollments import operations as enrollments
from lms.enrollments.queries import enrollment_of_order, is_enrolled, was_refunded
from lms.notifications.operations import tell
from lms.payments import operations, queries
from lms.payments.errors import AlreadyRefunded, BoughtAgain, MoneySpent
from lms.payments.models import Order
from lms.wallet import operations as wallet
from lms.wallet.queries import balance_of, book_faults, house_balance
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course
from tests.factories.people import root
from tests.factories.wallet import a_topped_up_student, euros


def bought(price: int = 30, held: int = 50) -> tuple[Any, Course, Order]:
    """A student with money, a course, and the order that opened it, one of two lessons done."""
    student, course = a_topped_up_student(euros(held)), a_course(lessons=2, published=True, price=euros(price))
    enrollment = enrollments.enroll_by_wallet(course, by=student)
    enrollments.mark_done(enrollment, lessons_of(course.id)[0], by=student)
    assert enrollment.order_id is not None
    return student, course, queries.get_order(enrollment.order_id)


def test_refund_order__gives_everything_back_and_closes_the_course(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student, course, order = bought()
        refund = operations.refund_order(order, euros(30), "Wrong course", by=root())
        assert (order.status, order.refunded_minor, refund.ends_access) == ("refunded", 3000, True)
        assert balance_of(student.user_id) == euros(50) and house_balance("revenue", "EUR") == euros(0)
    run_jobs()
    assert outbox_errors() == []
    with db.unit_of_work(CHANNEL):
        ended = enrollment_of_order(order.id)
        assert not is_enrolled(student.user_id, course.id) and "Wrong course" in ended.ended_reason and ended.progress == 50
        assert was_refunded(student.user_id, course.id) and book_faults() == []
        again = enrollments.enroll_by_wallet(course, by=student)
        assert again.id != ended.id and not was_refunded(student.user_id, course.id)


def test_refund_order__of_a_part_keeps_the_access_unless_asked(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student, course, order = bought()
        operations.refund_order(order, euros(10), "One lesson failed", by=root())
        assert (order.status, order.refundable) == ("paid", euros(20))
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert is_enrolled(student.user_id, course.id) and not was_refunded(student.user_id, course.id)
        operations.refund_order(order := queries.get_order(order.id), euros(5), "Goodwill", ends_access=True, by=root())
        assert was_refunded(student.user_id, course.id)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert not is_enrolled(student.user_id, course.id) and balance_of(student.user_id) == euros(35)
        order = queries.get_order(order.id)
        assert (order.status, order.refundable) == ("paid", euros(15)) and book_faults() == []


def test_refund_order__says_no_to_what_cannot_be(work: Session) -> None:
    _student, _course, order = bought()
    for amount, reason in ((euros(0), "x"), (euros(31), "x"), (euros(-1), "x"), (Money(100, "USD"), "x"), (euros(1), " ")):
        with pytest.raises(Invalid):
            operations.refund_order(order, amount, reason, by=root())
    known = uuid7()
    for _ in range(2):
        assert operations.refund_order(order, euros(30), "Wrong course", refund_id=known, by=root()).id == known
    with pytest.raises(AlreadyRefunded):
        operations.refund_order(order, euros(30), "Again", by=root())
    assert [refund.id for refund in queries.refunds_of(order.id)] == [known]
    free = operations.pay_from_wallet(_student.user_id, uuid7(), euros(0), by=_student)
    with pytest.raises(Invalid):
        operations.refund_order(free, euros(1), "x", by=root())


def test_undo_refund__returns_money_order_and_access_with_progress(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student, _course, order = bought()
        refund = operations.refund_order(order, euros(30), "Wrong course", by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL):
        operations.undo_refund(queries.get_refund(refund.id), by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL):
        order, enrollment = queries.get_order(order.id), enrollment_of_order(order.id)
        assert (order.status, order.refunded_minor, order.refunded_at, order.closed_at) == ("paid", 0, None, None)
        assert (enrollment.status, enrollment.progress, enrollment.refund_id) == ("active", 50, None)
        assert balance_of(student.user_id) == euros(20) and book_faults() == [] and outbox_errors() == []
        with pytest.raises(AlreadyRefunded):
            operations.undo_refund(queries.get_refund(refund.id), by=root())
        assert operations.refund_order(order, euros(30), "After all", by=root()).stands


def test_undo_refund__before_the_access_had_ended_leaves_it_open(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student, course, order = bought()
        refund = operations.refund_order(order, euros(30), "Wrong course", by=root())
        operations.undo_refund(refund, by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert is_enrolled(student.user_id, course.id) and enrollment_of_order(order.id).status == "active"


def test_undo_refund__does_not_open_what_was_ended_by_hand(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student, course, order = bought()
        enrollments.end_enrollment(enrollment_of_order(order.id), reason="Left", by=root())
        refund = operations.refund_order(queries.get_order(order.id), euros(30), "Wrong course", by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL):
        operations.undo_refund(queries.get_refund(refund.id), by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert not is_enrolled(student.user_id, course.id) and queries.get_order(order.id).closed_at is not None


def test_undo_refund__of_spent_money_and_of_a_course_bought_again_is_refused(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student, course, order = bought()
        refund = operations.refund_order(order, euros(30), "Wrong course", by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        spent = wallet.debit(student.user_id, euros(40), source="adjustment", reference_id=uuid7(), by=student)
        with pytest.raises(MoneySpent, match=r"holds €10.00"), session.begin_nested():
            operations.undo_refund(queries.get_refund(refund.id), by=root())
        assert spent and queries.get_refund(refund.id).stands
        wallet.credit(student.user_id, euros(90), source="voucher", reference_id=uuid7(), by=student)
        enrollments.enroll_by_wallet(course, by=student)
        with pytest.raises(BoughtAgain), session.begin_nested():
            operations.undo_refund(queries.get_refund(refund.id), by=root())
        assert balance_of(student.user_id) == euros(70)


def test_preview_refund__says_what_will_be(work: Session) -> None:
    _student, _course, order = bought()
    part, whole = (operations.preview_refund(order, amount, ends_access=False) for amount in (euros(10), euros(30)))
    assert (part.wallet_before, part.wallet_after, part.paid_after) == (euros(20), euros(30), euros(20))
    assert not part.ends_access and not part.is_whole and whole.ends_access and whole.is_whole


@pytest.mark.parametrize(
    "attack",
    ["UPDATE payments.refunds SET amount_minor = 1", "UPDATE payments.orders SET refunded_minor = 99999", "DELETE FROM payments.refunds"],
)
def test_refunds__are_guarded_by_the_database(work: Session, attack: str) -> None:
    _student, _course, order = bought()
    operations.refund_order(order, euros(10), "One lesson failed", by=root())
    with pytest.raises(DBAPIError, match=r"permission denied|ck_orders_refunded"), work.begin_nested():
        work.execute(text(attack))


def test_mails_about_the_course__stop_with_a_refund(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student, course, order = bought()
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        tell("lesson", [student.user_id], event_id=uuid7(), href="/", values={"course": "Algebra", "lesson": "Late"}, course_id=course.id)
        operations.refund_order(queries.get_order(order.id), euros(30), "Wrong course", by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        rows = session.execute(text("SELECT subject, state, error FROM core.mails WHERE to_address = :to"), {"to": student.email}).all()
    told = {row.subject: (row.state, row.error) for row in rows}
    assert next(said for subject, said in told.items() if "Late" in subject) == ("withheld", "Not sent: refunded.")
    assert next(said for subject, said in told.items() if "€30.00 for" in subject)[0] == "sent"


def test_refund_order__20_at_once_give_back_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(50))
        order = operations.pay_from_wallet(student.user_id, uuid7(), euros(30), by=student).id
        admin = root()

    def refund(number: int) -> str:
        try:
            with db.unit_of_work(CHANNEL):
                operations.refund_order(queries.get_order(order), euros(30 if number % 2 else 20), "x", by=admin)
            return "refunded"
        except (AlreadyRefunded, Invalid):
            return "late"

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(refund, range(20))).count("refunded") == 1
    with db.unit_of_work(CHANNEL):
        found = queries.refunds_of(order)
        assert balance_of(student.user_id) == euros(20) + found[0].amount and len(found) == 1 and book_faults() == []
