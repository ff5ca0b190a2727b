"""Adjustments: small ones by one admin, large ones by two and never by the same, whatever happens at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.errors import Conflict, Forbidden, Invalid
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.wallet import operations, queries
from lms.wallet.errors import NotEnough
from tests.conftest import CHANNEL
from tests.factories.people import a_person, a_student, root, sam
from tests.factories.wallet import a_topped_up_student, euros


def ruth() -> object:
    return a_person("Ruth Second", "admin", "ruth@example.org")


def test_request_adjustment__below_the_limit_is_booked_at_once(work: Session) -> None:
    student, wanted = sam(), uuid7()
    for _ in range(2):
        made = operations.request_adjustment(student.user_id, euros(40), "Paid in cash", adjustment_id=wanted, by=root())
    assert (made.state, made.needs_second, made.id) == ("booked", False, wanted)
    assert queries.balance_of(student.user_id) == euros(40)
    assert queries.find_transaction("adjustment", made.id) is not None
    actions = work.execute(text("SELECT action FROM core.audit WHERE action LIKE 'wallet.%' ORDER BY id")).scalars().all()
    assert actions == ["wallet.request_adjustment", "wallet.adjustment"]
    assert queries.book_faults() == []


def test_request_adjustment__says_what_is_wrong_with_it(work: Session) -> None:
    student = a_topped_up_student(euros(5))
    for amount, reason in ((euros(0), "x"), (euros(1), "  "), (Money(5, "USD"), "x"), (euros(1), "x" * 501)):
        with pytest.raises(Invalid):
            operations.request_adjustment(student.user_id, amount, reason, by=root())
    with pytest.raises(NotEnough, match=r"holds €5.00, so €6.00 cannot be taken out"):
        operations.request_adjustment(student.user_id, euros(-6), "Typing error", by=root())
    assert operations.request_adjustment(student.user_id, euros(-5), "Typing error", by=root()).state == "booked"
    assert queries.balance_of(student.user_id) == euros(0)


def test_needs_second__above_the_limit_in_a_day_and_for_oneself(work: Session) -> None:
    student, admin = sam(), root()
    assert not operations.needs_second(student.user_id, euros(100), by=admin)
    assert operations.needs_second(student.user_id, euros(101), by=admin)
    assert operations.needs_second(admin.user_id, euros(1), by=admin)
    operations.request_adjustment(student.user_id, euros(60), "One", by=admin)
    assert operations.needs_second(a_student().user_id, euros(41), by=admin)
    assert not operations.needs_second(student.user_id, euros(41), by=ruth())


def test_set_adjustment_limit__moves_the_line_and_stands_in_the_audit(work: Session) -> None:
    student, admin = sam(), root()
    assert operations.set_adjustment_limit(Money(0, "EUR"), by=admin)
    assert operations.needs_second(student.user_id, euros(1), by=admin)
    assert operations.set_adjustment_limit(None, by=admin) and not operations.set_adjustment_limit(None, by=admin)
    assert not operations.needs_second(student.user_id, euros(10**6), by=admin)
    assert work.execute(text("SELECT count(*) FROM core.audit WHERE action = 'channels.edit'")).scalar_one() == 2


def test_approve_adjustment__takes_another_person(work: Session) -> None:
    student, admin = sam(), root()
    waiting = operations.request_adjustment(student.user_id, euros(500), "Prize", by=admin)
    assert waiting.is_waiting and queries.balance_of(student.user_id) == euros(0)
    with pytest.raises(Forbidden):
        operations.approve_adjustment(waiting, by=admin)
    with pytest.raises(Forbidden):
        operations.approve_adjustment(waiting, by=student)
    operations.approve_adjustment(waiting, word="Seen the list", by=ruth())
    assert (waiting.state, waiting.word) == ("booked", "Seen the list") and queries.balance_of(student.user_id) == euros(500)
    with pytest.raises(Conflict):
        operations.approve_adjustment(waiting, by=ruth())
    assert queries.book_faults() == []
    assert "wallet.approve_adjustment" in work.execute(text("SELECT action FROM core.audit")).scalars().all()


def test_approve_adjustment__of_more_than_there_is_goes_on_waiting(work: Session) -> None:
    student = a_topped_up_student(euros(500))
    waiting = operations.request_adjustment(student.user_id, euros(-400), "Typing error", by=root())
    operations.debit(student.user_id, euros(200), source="order", reference_id=uuid7(), by=student)
    with pytest.raises(NotEnough), work.begin_nested():
        operations.approve_adjustment(waiting, by=ruth())
    work.refresh(waiting)
    assert waiting.is_waiting and queries.balance_of(student.user_id) == euros(300)


def test_refuse_adjustment__wants_a_word_and_moves_nothing(work: Session) -> None:
    waiting = operations.request_adjustment(sam().user_id, euros(500), "Prize", by=root())
    with pytest.raises(Invalid):
        operations.refuse_adjustment(waiting, word=" ", by=ruth())
    operations.refuse_adjustment(waiting, word="Not on the list", by=ruth())
    assert waiting.state == "refused" and queries.balance_of(sam().user_id) == euros(0)
    with pytest.raises(Conflict):
        operations.approve_adjustment(waiting, by=ruth())


def test_withdraw_adjustment__is_for_who_asked(work: Session) -> None:
    waiting = operations.request_adjustment(sam().user_id, euros(500), "Prize", by=root())
    with pytest.raises(Forbidden):
        operations.withdraw_adjustment(waiting, by=ruth())
    operations.withdraw_adjustment(waiting, by=root())
    assert waiting.state == "withdrawn"


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE wallet.adjustments SET state = 'booked', decided_by = requested_by, decided_at = now()",
        "UPDATE wallet.adjustments SET state = 'booked', decided_by = NULL, decided_at = now()",
        "UPDATE wallet.adjustments SET amount_minor = 1",
        "UPDATE wallet.adjustments SET requested_by = NULL",
        "UPDATE wallet.adjustments SET needs_second = false",
        "DELETE FROM wallet.adjustments",
    ],
)
def test_adjustments__are_guarded_by_the_database(work: Session, attack: str) -> None:
    operations.request_adjustment(sam().user_id, euros(500), "Prize", by=root())
    with pytest.raises(DBAPIError, match=r"permission denied|ck_adjustments_second"), work.begin_nested():
        work.execute(text(attack))


def test_adjustments__at_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        student, admin, second = sam(), root(), ruth()
        waiting = operations.request_adjustment(student.user_id, euros(500), "Prize", by=admin).id

    def small(_number: int) -> str:
        with db.unit_of_work(CHANNEL):
            return operations.request_adjustment(student.user_id, euros(30), "Cash", by=admin).state

    def approve(_number: int) -> str:
        try:
            with db.unit_of_work(CHANNEL):
                operations.approve_adjustment(queries.get_adjustment(waiting), by=second)
            return "booked"
        except Conflict:
            return "late"

    with ThreadPoolExecutor(10) as pool:
        states, outcomes = list(pool.map(small, range(10))), list(pool.map(approve, range(10)))
    assert sorted(states) == ["booked"] * 3 + ["waiting"] * 7 and sorted(outcomes) == ["booked"] + ["late"] * 9
    with db.unit_of_work(CHANNEL):
        assert queries.balance_of(student.user_id) == euros(590) and queries.book_faults() == []
