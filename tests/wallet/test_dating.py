"""Money with a date: spent in the order it expires, booked away once, given back where it came from; the sums hold at every step."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.core import db, deeds
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.ids import uuid7
from lms.core.models import AuditRow
from lms.core.money import Money
from lms.wallet import operations, queries
from lms.wallet.errors import NotEnough
from lms.wallet.models import Lot, account_id_of
from lms.wallet.operations import Dating
from tests.conftest import CHANNEL
from tests.factories.people import a_student, root
from tests.factories.wallet import a_topped_up_student, euros


def give(student: Actor, amount: Money, days: float | None, source: str = "adjustment") -> UUID:
    """Put money with a date into a wallet; a date in the past is one that was ahead when the money came."""
    until = now() + timedelta(days=days) if days is not None else None
    assert student.user_id is not None
    return operations.credit(student.user_id, amount, source=source, reference_id=uuid7(), by=student, dating=Dating(until=until))


def spend(student: Actor, amount: Money) -> UUID:
    """Buy something; the transaction's id."""
    assert student.user_id is not None
    return operations.debit(student.user_id, amount, source="order", reference_id=uuid7(), by=student)


def give_back(student: Actor, amount: Money, bought: UUID, until: datetime | None = None) -> UUID:
    """Refund a purchase, or a part of it."""
    assert student.user_id is not None
    dating = Dating(until=until, mirrors=bought)
    return operations.credit(student.user_id, amount, source="refund", reference_id=uuid7(), by=student, dating=dating)


def held(student: Actor) -> list[int]:
    """What the wallet holds with a date, the first to expire first, in whole euros."""
    assert student.user_id is not None
    return [dated.amount.minor // 100 for dated in queries.dated_of(student.user_id, "EUR")]


def end(work: Session, days: float) -> None:
    """Let so many days pass for all money with a date."""
    work.execute(text(f"UPDATE wallet.lots SET expires_at = expires_at - interval '{days} days'"))
    work.expire_all()


def test_debit__spends_the_money_that_expires_first(work: Session) -> None:
    student = a_topped_up_student(euros(10))
    give(student, euros(30), 60)
    give(student, euros(20), 20)
    spend(student, euros(35))
    assert (held(student), queries.balance_of(student.user_id)) == ([15], euros(25))
    spend(student, euros(20))
    assert (held(student), queries.balance_of(student.user_id)) == ([], euros(5))
    assert queries.ledger_faults() == []


def test_let_expire__before_anything_is_spent_what_has_expired_is_booked_away(work: Session) -> None:
    student = a_topped_up_student(euros(10))
    give(student, euros(30), 5)
    end(work, 6)
    with pytest.raises(NotEnough) as refusal:
        spend(student, euros(12))
    assert "€10.00" in refusal.value.sentence
    assert queries.balance_of(student.user_id) == euros(10)
    assert queries.house_balance("expired", "EUR") == euros(30)


def test_expire_money__books_a_balanced_transaction_once(work: Session) -> None:
    student = a_topped_up_student(euros(1))
    give(student, euros(30), 5)
    give(student, euros(7), 50)
    end(work, 6)
    assert operations.expire_money() == 1
    assert operations.expire_money() == 0
    assert (held(student), queries.balance_of(student.user_id)) == ([7], euros(8))
    line = queries.statement_of(student.user_id)[0]
    assert (line.source, line.amount, line.balance) == ("expiry", euros(-30), euros(8))
    assert queries.house_balance("expired", "EUR") == euros(30)
    assert queries.ledger_faults() == []


def test_let_expire__of_what_was_given_a_later_date_meanwhile_books_nothing(work: Session) -> None:
    student = a_topped_up_student(euros(1))
    give(student, euros(30), -1)
    (due,) = queries.due_money()
    end(work, -10)
    assert operations.let_expire(due) is False
    assert queries.balance_of(student.user_id) == euros(31)


def test_refund__goes_back_into_the_lots_it_came_from_the_last_spent_first(work: Session) -> None:
    student = a_topped_up_student(euros(10))
    give(student, euros(20), 20)
    give(student, euros(30), 60)
    bought = spend(student, euros(55))
    assert [(share.amount, share.is_past) for share in queries.shares_back(bought, student.user_id, euros(55))] == [
        (euros(5), False),
        (euros(30), False),
        (euros(20), False),
    ]
    give_back(student, euros(15), bought)
    assert (held(student), queries.balance_of(student.user_id)) == ([10], euros(20))
    back = give_back(student, euros(40), bought)
    assert (held(student), queries.balance_of(student.user_id)) == ([20, 30], euros(60))
    operations.debit(student.user_id, euros(40), source="refund_undo", reference_id=uuid7(), by=student, dating=Dating(mirrors=back))
    assert (held(student), queries.balance_of(student.user_id)) == ([10], euros(20))
    assert queries.ledger_faults() == []


def test_refund__of_money_that_has_expired_lasts_until_the_new_day_or_expires(work: Session) -> None:
    student = a_topped_up_student(euros(1))
    give(student, euros(20), 20)
    first, second = spend(student, euros(8)), spend(student, euros(12))
    end(work, 21)
    assert queries.shares_back(first, student.user_id, euros(8))[0].is_past
    give_back(student, euros(8), first, until=now() + timedelta(days=30))
    assert held(student) == [8]
    give_back(student, euros(12), second)
    assert operations.expire_money() == 1
    assert (held(student), queries.balance_of(student.user_id)) == ([8], euros(9))
    assert queries.shares_back(first, student.user_id, euros(8)) == [queries.Share(euros(8))]
    assert queries.ledger_faults() == []


def test_warn_of_ending_money__says_it_twice_and_again_after_a_new_date(work: Session) -> None:
    student = a_topped_up_student(euros(1))
    give(student, euros(20), 20)
    days = select(func.count()).select_from(text("core.events WHERE name = 'MoneyEnding'"))
    for passing, told in ((0, 0), (7, 1), (1, 0), (10, 1), (1, 0)):
        end(work, passing)
        assert operations.warn_of_ending_money() == told
    assert work.scalar(days) == 2
    lot = work.scalars(select(Lot)).one()
    operations.change_date(lot, now() + timedelta(days=10), "Was ill", by=root())
    assert operations.warn_of_ending_money() == 1


def test_change_date__needs_a_reason_a_day_ahead_and_money_that_is_left(work: Session) -> None:
    student = a_topped_up_student(euros(1))
    give(student, euros(20), 20)
    lot, admin = work.scalars(select(Lot)).one(), root()
    for until, reason, field in ((now() - timedelta(days=1), "x", "until"), (now() + timedelta(days=9), " ", "reason")):
        with pytest.raises(Invalid) as refusal:
            operations.change_date(lot, until, reason, by=admin)
        assert list(refusal.value.fields) == [field]
    before, later = lot.expires_at, now() + timedelta(days=90)
    assert operations.change_date(lot, later, "Was ill", by=admin)
    assert not operations.change_date(lot, later, "Was ill", by=admin)
    row = work.scalars(select(AuditRow).where(AuditRow.action == "wallet.date")).one()
    deeds.revert(row, by=admin)
    assert (lot.expires_at, lot.reason) == (before, "")
    spend(student, euros(20))
    with pytest.raises(Conflict):
        operations.change_date(lot, later, "Was ill", by=admin)


def test_request_adjustment__with_a_last_day(work: Session) -> None:
    student = a_topped_up_student(euros(1))
    until = now() + timedelta(days=9)
    operations.request_adjustment(student.user_id, euros(5), "Sorry", until=until, by=root())
    assert queries.dated_of(student.user_id, "EUR") == [queries.Dated(euros(5), until)]
    with pytest.raises(Invalid):
        operations.request_adjustment(student.user_id, euros(-5), "Sorry", until=until, by=root())


ATTACKS = {
    "fill a lot": "UPDATE wallet.lots SET left_minor = amount_minor",
    "make a lot": "INSERT INTO wallet.lots (channel_id, id, account_id, transaction_id, amount_minor, left_minor, expires_at)"
    " SELECT channel_id, gen_random_uuid(), account_id, transaction_id, 1, 1, expires_at FROM wallet.lots",
    "delete a lot": "DELETE FROM wallet.lots",
    "note a move": "INSERT INTO wallet.lot_moves (channel_id, id, lot_id, transaction_id, amount_minor)"
    " SELECT channel_id, gen_random_uuid(), id, transaction_id, 1 FROM wallet.lots",
    "move money into a lot": f"SELECT wallet.move_lot('{CHANNEL}', id, transaction_id, 1) FROM wallet.lots",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_lots__refuse_the_application(work: Session, attack: str) -> None:
    student = a_topped_up_student(euros(1))
    give(student, euros(20), 20)
    with pytest.raises(DBAPIError, match="permission denied"), work.begin_nested():
        work.execute(text(ATTACKS[attack]))
    assert queries.ledger_faults() == []


@pytest.mark.parametrize("seed", range(6))
def test_lots__balance_is_the_sum_of_lots_whatever_happens(work: Session, seed: int) -> None:
    """E1 with dates: random sequences of everything that moves money never break an equation."""
    dice = random.Random(seed)
    student = a_topped_up_student(euros(5))
    bought: list[tuple[UUID, int]] = []
    back: list[tuple[UUID, int]] = []

    def refund() -> None:
        at = dice.randrange(len(bought))
        tx, left = bought.pop(at)
        part = dice.randint(1, left)
        back.append((give_back(student, Money(part, "EUR"), tx, dice.choice([None, now() + timedelta(days=40)])), part))
        if left > part:
            bought.append((tx, left - part))

    def undo() -> None:
        tx, amount = back.pop(dice.randrange(len(back)))
        operations.debit(
            student.user_id, Money(amount, "EUR"), source="refund_undo", reference_id=uuid7(), by=student, dating=Dating(mirrors=tx)
        )

    def buy() -> None:
        amount = dice.randint(1, 3000)
        bought.append((spend(student, Money(amount, "EUR")), amount))

    for _step in range(60):
        act = dice.choice(["give", "give", "buy", "buy", "refund", "undo", "pass", "expire"])
        try:
            if act == "give":
                give(student, Money(dice.randint(1, 3000), "EUR"), dice.choice([None, 1, 5, 5, 30]))
            elif act == "buy":
                buy()
            elif act == "refund" and bought:
                refund()
            elif act == "undo" and back:
                undo()
            elif act == "pass":
                end(work, dice.choice([0.5, 2, 6]))
            elif act == "expire":
                operations.expire_money()
        except NotEnough:
            pass  # more than there is: nothing moved, and the equations hold all the same
        balance = queries.balance_of(student.user_id, "EUR")
        assert sum(dated.amount.minor for dated in queries.dated_of(student.user_id, "EUR")) <= balance.minor
        assert balance == queries.balance_at(student.user_id, now(), "EUR")
    assert queries.ledger_faults() == []


def test_expire_money__beside_purchases_and_another_worker_books_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_student("Racer")
        give(student, euros(40), 0.5 / 86400)
        give(student, euros(40), 90)
    start = threading.Barrier(6)

    def run(number: int) -> None:
        start.wait()
        with db.unit_of_work(CHANNEL):
            if number % 2:
                operations.expire_money()
            else:
                spend(student, euros(10))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    with db.unit_of_work(CHANNEL) as session:
        operations.expire_money()
        account = account_id_of(CHANNEL, "student", student.user_id, "EUR")
        spent = queries.house_balance("revenue", "EUR").minor
        expired = queries.house_balance("expired", "EUR").minor
        assert spent == 3000
        assert queries.balance_of(student.user_id, "EUR").minor == 8000 - spent - expired
        assert session.scalar(select(func.count()).where(Lot.account_id == account, Lot.left_minor > 0, Lot.expires_at <= now())) == 0
        assert queries.ledger_faults() == []
