"""Batches changed afterwards, unused codes replaced, and the equation that holds whatever happens in whatever order."""

import contextlib
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Conflict, Invalid, Refusal
from lms.enrollments import operations as enrollments
from lms.enrollments import queries as learning
from lms.vouchers import operations, queries
from lms.vouchers.errors import CodeRefused
from lms.vouchers.operations import Issued
from lms.wallet.queries import balance_of, ledger_faults
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import a_student, root, sam
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros


def _edit(made: Issued, *, revive: bool = False, **changes: Any) -> operations.Receipt:
    batch = queries.get_batch(made.batch.id)
    return operations.edit_batch(batch, replace(operations.terms_of(batch), **changes), version=batch.version, revive=revive, by=root())


def test_edit_batch__changes_unused_codes_only_and_leaves_a_receipt(work: Session) -> None:
    made, student = a_batch(4, value=10), sam()
    operations.redeem(made.codes[0], by=student)
    operations.void_codes(made.batch, [queries.find_code_id(made.batch.id, 2)], reason="Lost", by=root())
    receipt = _edit(made, value_minor=2500, label="Autumn", domains=("example.org",))
    assert (receipt.is_changed, receipt.codes) == (True, 2)
    values = work.execute(text("SELECT value_minor FROM vouchers.codes ORDER BY number")).scalars().all()
    assert values == [1000, 1000, 2500, 2500]
    assert operations.redeem(made.codes[2], by=student).amount == euros(25)
    row = queries.changes_of(made.batch.id)[0]
    assert row.before == {"label": "Spring", "value_minor": 1000, "domains": []} and (row.after or {})["codes"] == 2
    assert not _edit(made).is_changed and len(queries.changes_of(made.batch.id)) == 2
    assert queries.reconcile(queries.get_batch(made.batch.id)).faults == ()


def test_edit_batch__keeps_the_rules_and_the_version(work: Session) -> None:
    made = a_batch(2)
    with pytest.raises(Conflict):
        operations.edit_batch(made.batch, operations.terms_of(made.batch), version=7, by=root())
    for field, value in (("label", " "), ("value_minor", 0), ("expires_at", now() - timedelta(days=1)), ("domains", ("x",))):
        with pytest.raises(Invalid) as refusal:
            _edit(made, **{field: value})
        assert set(refusal.value.fields) == {"value" if field == "value_minor" else field}


def test_edit_batch__extending_never_revives_void_codes_and_expired_ones_only_when_asked(work: Session) -> None:
    made = a_batch(4, expires_at=now() + timedelta(days=1))
    operations.mark_handed_out(made.batch, "printed", by=root())
    operations.void_codes(made.batch, [queries.find_code_id(made.batch.id, 1)], reason="Lost", by=root())
    work.execute(text("UPDATE vouchers.codes SET expires_at = now() - interval '1 second'"))
    assert operations.expire_codes(by=the_platform(CHANNEL)) == 3
    _edit(made, expires_at=now() + timedelta(days=5))
    work.expire_all()
    assert [queries.get_code(queries.find_code_id(made.batch.id, number)).state for number in (1, 2)] == ["void", "expired"]
    assert _edit(made, revive=True).revived == 3
    assert [queries.get_code(queries.find_code_id(made.batch.id, number)).state for number in (1, 2)] == ["void", "printed"]
    with pytest.raises(CodeRefused):
        operations.redeem(made.codes[0], by=sam())
    assert operations.redeem(made.codes[1], by=sam()).amount == euros(10)


def test_undo_edit__puts_the_newest_change_back_and_refuses_an_older_one(work: Session) -> None:
    course, other = a_course(published=True), a_course("Other", published=True)
    made = a_batch(2, kind="percent", percent=10, course_ids=[course.id], expires_at=now() + timedelta(days=9))
    _edit(made, percent=20, course_ids=(other.id,), expires_at=None, owner_id=sam().user_id)
    _edit(made, percent=30)
    newest, oldest = queries.changes_of(made.batch.id)
    with pytest.raises(Conflict):
        operations.undo_edit(made.batch, oldest, by=root())
    assert operations.undo_edit(made.batch, newest, by=root()).is_changed
    terms = operations.terms_of(made.batch)
    assert (terms.percent, terms.course_ids, terms.expires_at) == (20, (other.id,), None)
    operations.undo_edit(made.batch, oldest, by=root())
    assert operations.terms_of(made.batch).course_ids == (course.id,) and operations.terms_of(made.batch).expires_at is not None


def test_replace_unused__voids_and_makes_as_many_once(work: Session) -> None:
    made, student, admin = a_batch(5, prefix="SPR", per_person=3), sam(), root()
    operations.redeem(made.codes[0], by=student)
    new = operations.replace_unused(made.batch, reason="The file was lost", seal="again", by=admin)
    again = operations.replace_unused(made.batch, reason="The file was lost", seal="again", by=admin)
    assert new.batch.id == again.batch.id and new.codes == again.codes and len(new.codes) == 4
    assert (new.batch.replaces_id, new.batch.per_person, new.batch.prefix) == (made.batch.id, 3, "SPR")
    with pytest.raises(CodeRefused) as refusal:
        operations.redeem(made.codes[1], by=student)
    assert refusal.value.rule == "void"
    assert operations.redeem(new.codes[0], by=student).amount == euros(10)
    with pytest.raises(Invalid):
        operations.replace_unused(made.batch, reason="Once more", by=admin)
    with pytest.raises(Invalid):
        operations.replace_unused(a_batch(1, kind="percent", percent=5, word="AUTUMN").batch, reason="Lost", by=admin)


def test_void_unused__leaves_codes_in_use(work: Session) -> None:
    made = a_batch(2, uses_per_code=3)
    operations.redeem(made.codes[0], by=sam())
    assert operations.void_unused(made.batch, reason="Over", by=root()) == 1
    assert operations.redeem(made.codes[0], by=a_student("Second")).amount == euros(10)


def test_terms_of__says_what_can_be_changed(work: Session) -> None:
    assert operations.terms_of(a_batch(1, value=7, per_person=2).batch).value_minor == 700


# --- the equation (E2, I6): whatever happens, in whatever order ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", [3, 11])
def test_reconcile__holds_after_any_sequence(work: Session, seed: int) -> None:
    dice, admin = random.Random(seed), root()
    people = [a_student(f"S{number}") for number in range(4)]
    courses = [a_course(f"Course {number}", lessons=1, published=True, price=euros(5)) for number in range(3)]
    made = [
        a_batch(5, value=6, per_person=4),
        a_batch(2, value=3, uses_per_code=3, expires_at=now() + timedelta(days=3)),
        a_batch(2, kind="percent", percent=50, uses_per_code=2),
        a_batch(3, kind="amount", value=2),
        a_batch(3, kind="course", course_ids=[courses[0].id]),
    ]

    def redeem() -> None:
        operations.redeem(dice.choice(dice.choice(made).codes), by=dice.choice(people))

    def enrol() -> None:
        course, person, batch = dice.choice(courses), dice.choice(people), made[dice.choice((2, 3))]
        seen = operations.try_coupon(dice.choice(batch.codes), course.id, course.price, by=person)
        enrollments.enroll_by_wallet(course, by=person, agreed=seen.left, coupon_id=seen.code_id)

    def leave() -> None:
        person = dice.choice(people)
        assert person.user_id is not None
        for enrollment, _course in learning.enrollments_of(person.user_id)[:1]:
            enrollments.end_enrollment(enrollment, reason="Enough", by=admin)

    def void() -> None:
        batch = dice.choice(made).batch
        operations.void_codes(batch, [queries.find_code_id(batch.id, dice.randint(1, batch.code_count))], reason="Lost", by=admin)

    def expire() -> None:
        which = {"id": dice.choice(made).batch.id, "number": dice.randint(1, 3)}
        work.execute(text("UPDATE vouchers.codes SET expires_at = now() - interval '1 s' WHERE batch_id = :id AND number = :number"), which)
        if dice.random() < 0.5:
            operations.expire_codes(by=the_platform(CHANNEL))

    def edit() -> None:
        batch = dice.choice(made)
        worth = dice.choice((300, 900)) if batch.batch.value_minor else 0
        _edit(batch, value_minor=worth, expires_at=dice.choice((None, now() + timedelta(days=4))), revive=dice.random() < 0.5)

    def swap() -> None:
        made.append(operations.replace_unused(dice.choice(made).batch, reason="Lost", by=admin))

    acts = [redeem, redeem, redeem, redeem, enrol, enrol, leave, void, expire, edit, swap]
    for _step in range(45):
        with contextlib.suppress(Refusal), work.begin_nested():
            dice.choice(acts)()
        work.expire_all()
        for issued in made:
            found = queries.reconcile(queries.get_batch(issued.batch.id))
            totals = found.totals
            assert found.faults == ()
            assert totals.issued == totals.redeemed + totals.outstanding + totals.void + totals.expired
    assert queries.voucher_faults() == [] and ledger_faults() == []
    assert all(balance_of(person.user_id).minor >= 0 for person in people if person.user_id)
