"""Batches of a course: their seats, which the database counts, their days, and the one who gets the last place."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from lms.channels.queries import actor_of_user
from lms.core import bin, db
from lms.core.clock import now
from lms.core.errors import Conflict, Invalid
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import queries as courses
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody, NoBatch
from lms.enrollments.models import CourseBatch
from lms.wallet import operations as wallet
from lms.wallet.queries import balance_of
from tests.conftest import CHANNEL
from tests.factories.batches import a_batch
from tests.factories.courses import a_course
from tests.factories.people import a_student, root, sam

PRICE = Money(2500, "EUR")


def fresh(batch: CourseBatch) -> CourseBatch:
    db.session().flush()
    db.session().refresh(batch)
    return batch


def in_days(count: int) -> object:
    return operations.today() + timedelta(days=count)


def test_create_batch__names_what_is_wrong_beside_its_field(work: Session) -> None:
    course = a_course(published=True)
    a_batch(course, "Spring")
    sheet = operations.BatchSheet(
        name="sPRING",
        starts_on=in_days(9),
        ends_on=in_days(2),
        enrol_from=in_days(3),
        enrol_until=in_days(1),
        seats=0,
        instructor_ids=(uuid7(),),
    )  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refusal:
        operations.create_batch(course, sheet, by=root())
    assert set(refusal.value.fields) == {"name", "ends_on", "enrol_until", "seats", "instructor_ids"}


def test_enroll_by_wallet__takes_a_seat_with_the_batchs_price_and_days(work: Session) -> None:
    course, person = a_course(published=True, price=PRICE), sam()
    assert person.user_id is not None
    wallet.credit(person.user_id, Money(9000, "EUR"), source="adjustment", reference_id=uuid7(), note="For the test", by=root())
    batch = a_batch(course, seats=1, price_minor=1000, starts_on=in_days(3), ends_on=in_days(30))
    enrollment = operations.enroll_by_wallet(course, by=person, agreed=Money(1000, "EUR"), batch_id=batch.id)
    assert (enrollment.batch_id, enrollment.until_on, balance_of(person.user_id).minor) == (batch.id, batch.ends_on, 8000)
    assert (fresh(batch).taken, batch.is_full) == (1, True)
    lesson = courses.lessons_of(course.id)[0]
    early = policies.can_open(person, lesson, enrollment, at=now(), course=course)
    assert (early.rule, bool(policies.can_open(person, lesson, enrollment, at=now() + timedelta(days=4), course=course))) == (
        "starts",
        True,
    )
    assert operations.enroll_by_wallet(course, by=person, batch_id=batch.id).id == enrollment.id
    with pytest.raises(BatchIsFull):
        operations.enroll_by_hand(a_student().user_id, course, note="x", by=root(), batch_id=batch.id)  # type: ignore[arg-type]
    operations.end_enrollment(enrollment, reason="Left", by=root())
    assert fresh(batch).taken == 0 and not queries.batch_faults()


def test_enroll__refuses_what_does_not_take_anybody(work: Session) -> None:
    course, other, person = a_course(published=True), a_course("Other", published=True), sam()
    later = a_batch(course, "Later", enrol_from=in_days(3))
    with pytest.raises(BatchTakesNobody):
        operations.enroll_by_wallet(course, by=person, batch_id=later.id)
    with pytest.raises(NoBatch):
        operations.enroll_by_wallet(other, by=person, batch_id=a_batch(course, "Now").id)
    operations.cancel_batch(later, reason="Too few", by=root())
    operations.cancel_batch(later, reason="Too few", by=root())
    with pytest.raises(BatchTakesNobody):
        operations.enroll_by_hand(person.user_id, course, note="x", by=root(), batch_id=later.id)  # type: ignore[arg-type]
    operations.reopen_batch(later, by=root())
    assert operations.enroll_by_hand(person.user_id, course, note="x", by=root(), batch_id=later.id).batch_id == later.id  # type: ignore[arg-type]


def test_edit_batch__moves_the_days_of_its_people_and_never_below_those_in_it(work: Session) -> None:
    course, by = a_course(published=True), root()
    batch = a_batch(course, seats=2, ends_on=in_days(9))
    mine, own = (operations.enroll_by_hand(one.user_id, course, note="x", by=by, batch_id=batch.id) for one in (sam(), a_student()))  # type: ignore[arg-type]
    own.until_on = in_days(50)  # type: ignore[assignment]
    with pytest.raises(Invalid):
        operations.edit_batch(batch, operations.BatchSheet(name="Spring", seats=1), version=1, by=by)
    sheet = operations.BatchSheet(name="Spring", seats=2, starts_on=in_days(1), ends_on=in_days(20))  # type: ignore[arg-type]
    assert operations.edit_batch(batch, sheet, version=1, by=by) and not operations.edit_batch(batch, sheet, version=2, by=by)
    for one in (mine, own):
        work.refresh(one)
    assert (mine.until_on, own.until_on) == (in_days(20), in_days(50)) and mine.opens_at == own.opens_at is not None
    with pytest.raises(Conflict):
        operations.edit_batch(batch, sheet, version=1, by=by)


def test_move_enrollment__gives_the_seat_back_and_takes_the_other_ones_days(work: Session) -> None:
    course, by = a_course(published=True), root()
    one, two = a_batch(course, "One", seats=1, ends_on=in_days(5)), a_batch(course, "Two", seats=1, ends_on=in_days(9))
    enrollment = operations.enroll_by_hand(sam().user_id, course, note="x", by=by, batch_id=one.id)  # type: ignore[arg-type]
    assert operations.move_enrollment(enrollment, two.id, reason="Asked", by=by)
    assert not operations.move_enrollment(enrollment, two.id, reason="Asked", by=by)
    assert (fresh(one).taken, fresh(two).taken, enrollment.until_on) == (0, 1, in_days(9))
    other = operations.enroll_by_hand(a_student().user_id, course, note="x", by=by, batch_id=one.id)  # type: ignore[arg-type]
    with pytest.raises(BatchIsFull):
        operations.move_enrollment(other, two.id, reason="Asked", by=by)
    assert operations.move_enrollment(enrollment, None, reason="At her own pace", by=by) and enrollment.until_on is None


def test_delete_batch__only_without_people_and_comes_back(work: Session) -> None:
    course, by = a_course(published=True), root()
    batch = a_batch(course)
    enrollment = operations.enroll_by_hand(sam().user_id, course, note="x", by=by, batch_id=batch.id)  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        operations.delete_batch(batch, by=by)
    operations.end_enrollment(enrollment, reason="Left", by=by)
    operations.delete_batch(batch, by=by)
    operations.delete_batch(batch, by=by)
    with pytest.raises(NoBatch):
        operations.enroll_by_hand(sam().user_id, course, note="x", by=by, batch_id=batch.id)  # type: ignore[arg-type]
    same = a_batch(course)
    with pytest.raises(Conflict):
        bin.restore(bin.lying("course_batch", batch.id), by=by)
    operations.delete_batch(same, by=by)
    bin.restore(bin.lying("course_batch", batch.id), by=by)
    operations.restore_batch(batch, by=by)
    assert fresh(batch).deleted_at is None
    operations.restore_enrollment(enrollment, by=by)
    assert fresh(batch).taken == 1


def test_enroll_by_wallet__of_two_people_one_gets_the_last_seat(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True, price=PRICE)
        batch_id, course_id, people = a_batch(course, seats=1).id, course.id, [a_student(f"Sam {number}").user_id for number in range(4)]
        for user_id in people:
            assert user_id is not None
            wallet.credit(user_id, Money(9000, "EUR"), source="adjustment", reference_id=uuid7(), note="For the test", by=root())
    outcome = _at_once(lambda user_id: _buy(user_id, course_id, batch_id), people)  # type: ignore[arg-type]
    with db.unit_of_work(CHANNEL, read_only=True):
        left = sorted(balance_of(user_id).minor for user_id in people if user_id)
        assert (sorted(outcome), queries.get_batch(batch_id).taken, left) == (["full"] * 3 + ["in"], 1, [6500, 9000, 9000, 9000])
        assert not queries.batch_faults()


def _buy(user_id: UUID, course_id: UUID, batch_id: UUID) -> str:
    try:
        with db.unit_of_work(CHANNEL):
            operations.enroll_by_wallet(courses.get_course(course_id), by=actor_of_user(user_id), agreed=PRICE, batch_id=batch_id)
    except BatchIsFull:
        return "full"
    return "in"


def _at_once(act: Callable[[UUID], str], people: list[UUID]) -> list[str]:
    gate = Barrier(len(people))

    def go(user_id: UUID) -> str:
        gate.wait()
        return act(user_id)

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(go, people))
