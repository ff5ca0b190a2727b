"""Enrolling, ending, restoring, and progress that can be computed again."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from lms.channels.queries import actor_of_user
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.ids import uuid7
from lms.core.models import AuditRow, EventRow
from lms.core.money import Money
from lms.courses import operations as course_operations
from lms.courses import queries as courses
from lms.enrollments import operations, queries
from lms.enrollments.errors import EnrollmentIsOver, NoEnrollment, PriceChanged
from lms.enrollments.models import Enrollment
from lms.payments.models import Order
from lms.wallet import operations as wallet
from lms.wallet.errors import NotEnough
from lms.wallet.queries import balance_of
from tests.conftest import CHANNEL
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, root, sam

PRICE = Money(2500, "EUR")


def with_money(person: Actor, minor: int) -> Actor:
    """The person with that much in the wallet."""
    assert person.user_id is not None
    wallet.credit(person.user_id, Money(minor, "EUR"), source="adjustment", reference_id=uuid7(), note="For the test", by=root())
    return person


def names_of_events() -> list[str]:
    return [row.name for row in db.session().scalars(select(EventRow).order_by(EventRow.id))]


def test_enroll_by_wallet__takes_the_price_and_opens_the_course(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), with_money(sam(), 3000)
    enrollment = operations.enroll_by_wallet(course, by=person, agreed=PRICE)
    assert (enrollment.source, enrollment.status, enrollment.progress) == ("wallet", "active", 0)
    assert work.get(Order, enrollment.order_id) is not None
    assert balance_of(person.user_id) == Money(500, "EUR")
    assert names_of_events().count("UserEnrolled") == 1
    audited = work.scalars(select(AuditRow).where(AuditRow.action == "enrollments.enroll")).one()
    assert audited.actor_id == person.user_id and audited.after["source"] == "wallet"


def test_enroll_by_wallet__pays_once_however_often_it_is_asked(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), with_money(sam(), 9000)
    first = operations.enroll_by_wallet(course, by=person)
    assert operations.enroll_by_wallet(course, by=person).id == first.id
    assert balance_of(person.user_id) == Money(6500, "EUR")
    assert names_of_events().count("UserEnrolled") == 1


def test_enroll_by_wallet__leaves_nothing_behind_when_the_wallet_is_short(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), with_money(sam(), 2499)
    with pytest.raises(NotEnough), work.begin_nested():
        operations.enroll_by_wallet(course, by=person)
    assert queries.active_enrollment(person.user_id, course.id) is None
    assert balance_of(person.user_id) == Money(2499, "EUR")


def test_enroll_by_wallet__takes_no_other_price_than_the_one_agreed_to(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), with_money(sam(), 9000)
    with pytest.raises(PriceChanged), work.begin_nested():
        operations.enroll_by_wallet(course, by=person, agreed=Money(1900, "EUR"))
    assert balance_of(person.user_id) == Money(9000, "EUR")


def test_enroll_by_wallet__of_a_free_course_moves_no_money(work: Session) -> None:
    course, person = a_course(published=True), sam()
    enrollment = operations.enroll_by_wallet(course, by=person)
    assert (enrollment.source, enrollment.order_id) == ("free", None)
    assert work.scalar(select(func.count()).select_from(Order)) == 0


def test_enroll_by_wallet__in_two_tabs_twenty_times_over_debits_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        course, person = a_course(published=True, price=PRICE), with_money(sam(), 9000)
        course_id, user_id = course.id, person.user_id
    tabs = 20
    barrier = Barrier(tabs)

    def click(_number: int) -> None:
        with db.unit_of_work(CHANNEL):
            found, by = courses.get_course(course_id), actor_of_user(user_id)
            barrier.wait(20)
            operations.enroll_by_wallet(found, by=by, agreed=PRICE)

    with ThreadPoolExecutor(tabs) as pool:
        list(pool.map(click, range(tabs)))
    with db.unit_of_work(CHANNEL) as session:
        assert session.scalar(select(func.count()).select_from(Enrollment)) == 1
        assert session.scalar(select(func.count()).select_from(Order)) == 1
        assert balance_of(user_id) == Money(6500, "EUR")
        assert names_of_events().count("UserEnrolled") == 1


def test_enroll_by_hand__asks_for_a_reason_and_is_once_only(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), sam()
    with pytest.raises(Invalid):
        operations.enroll_by_hand(person.user_id, course, note="  ", by=root())
    first = operations.enroll_by_hand(person.user_id, course, note="Won the raffle.", by=root())
    assert operations.enroll_by_hand(person.user_id, course, note="Again.", by=root()).id == first.id
    assert (first.source, first.note, first.enrolled_by) == ("manual", "Won the raffle.", root().user_id)


def test_enroll_by_voucher__opens_the_course_once(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), sam()
    first = operations.enroll_by_voucher(person.user_id, course.id, by=person)
    assert operations.enroll_by_voucher(person.user_id, course.id, by=person).id == first.id
    assert first.source == "voucher"


def test_enroll_the_buyer__does_nothing_for_whom_the_purchase_enrolled(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), with_money(sam(), 9000)
    bought = operations.enroll_by_wallet(course, by=person)
    assert operations.enroll_the_buyer(person.user_id, course.id, bought.order_id, by=root()).id == bought.id
    assert names_of_events().count("UserEnrolled") == 1


def test_enroll_by_hand__works_as_often_as_a_busy_day_wants(work: Session) -> None:
    course = a_course(published=True)
    for number in range(12):
        an_enrollment(a_student(f"Student {number}"), course)
    assert queries.count_students(course.id) == 12


def test_end_enrollment__closes_the_course_and_keeps_the_progress(work: Session) -> None:
    course, person = a_course(published=True), sam()
    enrollment = an_enrollment(person, course, progress=50)
    operations.end_enrollment(enrollment, reason="Refunded.", by=root())
    operations.end_enrollment(enrollment, reason="Twice.", by=root())
    assert queries.active_enrollment(person.user_id, course.id) is None
    ended = queries.latest_enrollment(person.user_id, course.id)
    assert ended is not None and (ended.status, ended.ended_reason, ended.progress) == ("ended", "Refunded.", 50)
    assert names_of_events().count("EnrollmentEnded") == 1


def test_restore_enrollment__opens_it_again_with_everything_done(work: Session) -> None:
    course, person = a_course(published=True), sam()
    enrollment = an_enrollment(person, course, progress=100)
    operations.end_enrollment(enrollment, reason="A mistake.", by=root())
    restored = operations.restore_enrollment(enrollment, by=root())
    assert (restored.id, restored.status, restored.progress) == (enrollment.id, "completed", 100)
    assert operations.restore_enrollment(enrollment, by=root()).id == enrollment.id


def test_restore_enrollment__gives_the_newer_one_when_there_is_one(work: Session) -> None:
    course, person = a_course(published=True), sam()
    old = an_enrollment(person, course)
    operations.end_enrollment(old, reason="A mistake.", by=root())
    new = operations.enroll_by_wallet(course, by=person)
    assert operations.restore_enrollment(old, by=root()).id == new.id


def test_mark_done__counts_once_and_completes_the_course_once(work: Session) -> None:
    course, person = a_course(lessons=2, published=True), sam()
    enrollment = an_enrollment(person, course)
    one, two = courses.lessons_of(course.id)
    assert operations.mark_done(enrollment, one, by=person)
    assert not operations.mark_done(enrollment, one, by=person)
    assert queries.get_enrollment(enrollment.id).progress == 50
    assert operations.mark_done(enrollment, two, by=person)
    done = queries.get_enrollment(enrollment.id)
    assert (done.progress, done.status) == (100, "completed")
    assert (names_of_events().count("LessonCompleted"), names_of_events().count("CourseCompleted")) == (2, 1)


def test_mark_done__is_refused_once_the_enrolment_ended(work: Session) -> None:
    course, person = a_course(published=True), sam()
    enrollment = an_enrollment(person, course)
    operations.end_enrollment(enrollment, reason="Over.", by=root())
    with pytest.raises(EnrollmentIsOver):
        operations.mark_done(enrollment, courses.lessons_of(course.id)[0], by=person)


def test_complete_lesson__of_nobody_is_refused(work: Session) -> None:
    with pytest.raises(NoEnrollment):
        operations.complete_lesson(uuid7(), uuid7(), by=root(), at=now())


def test_recompute_progress__gives_the_same_figure(work: Session) -> None:
    course, person = a_course(lessons=3, published=True), sam()
    enrollment = an_enrollment(person, course, progress=50)
    kept = enrollment.progress
    work.execute(text("UPDATE enrollments.enrollments SET progress = 7"))
    assert operations.recompute_progress(enrollment.id, by=root()) == kept == 66
    assert operations.recompute_progress(enrollment.id, by=root()) == kept


def test_recompute_course__counts_a_lesson_that_came_or_went(work: Session) -> None:
    course = a_course(lessons=2, published=True)
    slow, fast = (an_enrollment(sam(), course, progress=50), an_enrollment(a_student(), course, progress=100))
    extra = a_lesson(course, title="One more")
    operations.recompute_course(course.id, by=root())
    assert [figures(one) for one in (slow, fast)] == [("active", 33), ("completed", 100)]
    course_operations.delete_lesson(extra, by=root())
    course_operations.delete_lesson(courses.lessons_of(course.id)[1], by=root())
    operations.recompute_course(course.id, by=root())
    assert [figures(one) for one in (slow, fast)] == [("completed", 100), ("completed", 100)]
    assert names_of_events().count("CourseCompleted") == 2
    assert operations.recompute_course(course.id, by=root()) == 0


def test_recompute_course__agrees_with_recompute_progress(work: Session) -> None:
    course = a_course(lessons=7, published=True)
    enrollments = [an_enrollment(a_student(f"Student {number}"), course, progress=number * 13) for number in range(7)]
    kept = [figures(one) for one in enrollments]
    work.execute(text("UPDATE enrollments.enrollments SET progress = 1 WHERE status = 'active'"))
    operations.recompute_course(course.id, by=root())
    assert [figures(one) for one in enrollments] == kept
    assert [operations.recompute_progress(one.id, by=root()) for one in enrollments] == [progress for _status, progress in kept]


def figures(enrollment: Enrollment) -> tuple[str, int]:
    db.session().expire_all()
    found = queries.get_enrollment(enrollment.id)
    return found.status, found.progress


class Fault(Exception):
    """The process dies here."""


def test_enroll_by_wallet__is_whole_or_nothing_wherever_it_dies(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        course, person = a_course(published=True, price=PRICE), with_money(sam(), 9000)
        course_id, user_id = course.id, person.user_id
    assert user_id is not None
    for point in range(1, 100):
        count = 0

        def die(*_args: object, point: int = point) -> None:
            nonlocal count
            count += 1
            if count == point:
                raise Fault

        try:
            with db.unit_of_work(CHANNEL) as session:
                found, by = courses.get_course(course_id), actor_of_user(user_id)
                event.listen(session.connection(), "before_cursor_execute", die)
                operations.enroll_by_wallet(found, by=by, agreed=PRICE)
                session.flush()
                event.remove(session.connection(), "before_cursor_execute", die)
        except Fault:
            assert standing(user_id, course_id) == (0, 0, Money(9000, "EUR"), 0), point
        else:
            break
    assert point > 8
    assert standing(user_id, course_id) == (1, 1, Money(6500, "EUR"), 1)


def standing(user_id: UUID, course_id: UUID) -> tuple[int, int, Money, int]:
    """Enrolments, orders, balance and announcements."""
    with db.unit_of_work(CHANNEL, read_only=True) as session:
        enrolled = session.scalar(select(func.count()).select_from(Enrollment).where(Enrollment.course_id == course_id)) or 0
        orders = session.scalar(select(func.count()).select_from(Order)) or 0
        return enrolled, orders, balance_of(user_id), names_of_events().count("UserEnrolled")
