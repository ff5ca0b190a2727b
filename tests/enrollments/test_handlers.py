"""What enrollments does when facts happen."""

import pytest
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.ids import uuid7
from lms.courses import operations as course_operations
from lms.courses import queries as courses
from lms.enrollments import handlers, operations, queries
from lms.payments.events import OrderPaid
from lms.vouchers import operations as vouchers
from lms.vouchers.events import VoucherRedeemed
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, root, sam
from tests.factories.vouchers import a_batch


def test_enroll_the_buyer__does_nothing_twice(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        course, person = a_course(published=True), sam()
        enrollment = operations.enroll_by_wallet(course, by=person)
        fact = OrderPaid(order_id=uuid7(), user_id=person.user_id, course_id=course.id, amount_minor=0, currency="EUR")
        handlers.enroll_the_buyer(fact)
        handlers.enroll_the_buyer(fact)
        assert queries.active_enrollment(person.user_id, course.id) == enrollment


@pytest.mark.parametrize("change", ["one more", "one less"])
def test_count_the_new_lesson__and_count_without_the_lesson__move_the_figures(connection: object, change: str) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=2, published=True)
        enrollment = an_enrollment(sam(), course, progress=50)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        if change == "one more":
            a_lesson(courses.get_course(course.id), title="New")
        else:
            course_operations.delete_lesson(courses.lessons_of(course.id)[1], by=root())
    run_jobs()
    assert outbox_errors() == []
    with db.unit_of_work(CHANNEL):
        assert queries.get_enrollment(enrollment.id).progress == (33 if change == "one more" else 100)


def test_enroll_the_holder__opens_each_course_once(work: Session) -> None:
    student, one, two = a_student(), a_course("Algebra", published=True), a_course("Geometry", published=True)
    assert student.user_id is not None
    made = a_batch(1, kind="course", course_ids=[one.id, two.id])
    redemption = vouchers.redeem(made.codes[0], by=student)
    fact = VoucherRedeemed(
        batch_id=made.batch.id,
        code_id=redemption.code_id,
        user_id=student.user_id,
        kind="course",
        amount_minor=0,
        currency="EUR",
        redemption_id=redemption.id,
        course_ids=(one.id, two.id),
    )
    for _ in range(2):
        handlers.enroll_the_holder(fact)
    assert set(queries.enrolled_course_ids(student.user_id)) == {one.id, two.id}


def test_nothing_new_to_open__speaks_when_everything_is_open(work: Session) -> None:
    student, course = a_student(), a_course(published=True)
    assert student.user_id is not None
    assert handlers.nothing_new_to_open(student.user_id, [course.id], uuid7()) == ""
    operations.enroll_by_hand(student.user_id, course, note="A guest", by=root())
    assert "unused" in handlers.nothing_new_to_open(student.user_id, [course.id], uuid7())
    assert handlers.nothing_new_to_open(student.user_id, [course.id, a_course("Other").id], uuid7()) == ""
