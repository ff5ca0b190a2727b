"""Moving money: once, balanced, never below zero, and refused to whoever goes around the operations."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Invalid
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.wallet import operations, queries
from lms.wallet.errors import NotEnough, OtherMove
from lms.wallet.models import account_id_of
from lms.wallet.operations import Leg
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.people import a_student, sam
from tests.factories.wallet import a_topped_up_student, euros


def test_credit__puts_money_in_and_says_so(work: Session) -> None:
    student = sam()
    operations.credit(student.user_id, euros(12), source="voucher", reference_id=uuid7(), note="Spring", by=student)
    assert queries.balance_of(student.user_id) == euros(12)
    assert work.execute(text("SELECT payload->>'amount_minor' FROM core.events WHERE name = 'WalletCredited'")).scalars().all() == ["1200"]
    assert work.execute(text("SELECT action FROM core.audit WHERE action LIKE 'wallet%'")).scalars().all() == ["wallet.voucher"]
    assert queries.ledger_faults() == []


def test_credit__twice_with_one_reference_moves_once(work: Session) -> None:
    student, reference = sam(), uuid7()
    first = operations.credit(student.user_id, euros(5), source="voucher", reference_id=reference, by=student)
    assert operations.credit(student.user_id, euros(5), source="voucher", reference_id=reference, by=student) == first
    assert queries.balance_of(student.user_id) == euros(5)
    assert work.execute(text("SELECT count(*) FROM core.events WHERE name = 'WalletCredited'")).scalar_one() == 1


def test_credit__of_another_amount_under_the_same_reference_is_refused(work: Session) -> None:
    student, reference = sam(), uuid7()
    operations.credit(student.user_id, euros(5), source="voucher", reference_id=reference, by=student)
    with pytest.raises(OtherMove):
        operations.credit(student.user_id, euros(6), source="voucher", reference_id=reference, by=student)


@pytest.mark.parametrize("minor", [0, -1, -(10**12)])
def test_credit__takes_amounts_above_zero_only(work: Session, minor: int) -> None:
    student = sam()
    for move in (operations.credit, operations.debit):
        with pytest.raises(Invalid):
            move(student.user_id, Money(minor, "EUR"), source="voucher", reference_id=uuid7(), by=student)


def test_debit__takes_money_out(work: Session) -> None:
    student = a_topped_up_student(euros(20))
    operations.debit(student.user_id, euros(20), source="order", reference_id=uuid7(), by=student)
    assert queries.balance_of(student.user_id) == euros(0)
    assert queries.house_balance("revenue", "EUR") == euros(20)
    assert queries.house_balance("vouchers", "EUR") == euros(-20)


def test_debit__of_more_than_there_is_says_what_is_missing_and_moves_nothing(work: Session) -> None:
    student = a_topped_up_student(euros(5))
    with pytest.raises(NotEnough) as refusal:
        operations.debit(student.user_id, euros(12), source="order", reference_id=uuid7(), by=student)
    assert "€12.00" in refusal.value.sentence and "€5.00" in refusal.value.sentence and "€7.00" in refusal.value.sentence
    assert queries.balance_of(student.user_id) == euros(5)
    assert queries.ledger_faults() == []


def test_debit__of_a_wallet_never_opened_is_refused(work: Session) -> None:
    student = sam()
    with pytest.raises(NotEnough):
        operations.debit(student.user_id, euros(1), source="order", reference_id=uuid7(), by=student)


def test_debit__in_another_currency_does_not_touch_this_one(work: Session) -> None:
    student = a_topped_up_student(euros(50))
    with pytest.raises(NotEnough):
        operations.debit(student.user_id, Money(100, "JPY"), source="order", reference_id=uuid7(), by=student)
    assert queries.balance_of(student.user_id) == euros(50)


def test_post__takes_only_legs_that_sum_to_zero(work: Session) -> None:
    student = sam()
    for legs in (
        [Leg("student", 5, student.user_id)],
        [Leg("student", 5, student.user_id), Leg("revenue", -4)],
        [Leg("student", 0, student.user_id), Leg("revenue", 0)],
    ):
        with pytest.raises(ValueError):
            operations.post(legs, "EUR", source="adjustment", reference_id=uuid7(), by=student)


def test_post__moves_between_several_accounts(work: Session) -> None:
    one, two = a_topped_up_student(euros(9)), sam()
    legs = [Leg("student", -900, one.user_id), Leg("student", 600, two.user_id), Leg("revenue", 300)]
    assert operations.post(legs, "EUR", source="adjustment", reference_id=uuid7(), by=one).is_new
    assert (queries.balance_of(one.user_id), queries.balance_of(two.user_id)) == (euros(0), euros(6))
    assert queries.ledger_faults() == []


# --- what the application role cannot do (T079) ---------------------------------------------------------------------------

ATTACKS: dict[str, str] = {
    "change an entry": "UPDATE wallet.entries SET amount_minor = 1",
    "change an entry of nobody": "UPDATE wallet.entries SET amount_minor = 1 WHERE false",
    "delete an entry": "DELETE FROM wallet.entries",
    "truncate entries": "TRUNCATE wallet.entries",
    "truncate transactions and all below": "TRUNCATE wallet.transactions CASCADE",
    "change a transaction": "UPDATE wallet.transactions SET note = 'x'",
    "delete a transaction": "DELETE FROM wallet.transactions",
    "write a balance": "UPDATE wallet.accounts SET balance_minor = 1000000",
    "open an account with money in it": "INSERT INTO wallet.accounts (channel_id, id, kind, user_id, currency, balance_minor)"
    " SELECT channel_id, gen_random_uuid(), 'student', user_id, 'USD', 500 FROM wallet.accounts WHERE user_id IS NOT NULL LIMIT 1",
    "delete an account": "DELETE FROM wallet.accounts",
    "forge the number of a transaction": "INSERT INTO wallet.transactions (channel_id, id, source, reference_id, currency, actor_kind, xid)"
    f" VALUES ('{CHANNEL}', gen_random_uuid(), 'order', gen_random_uuid(), 'EUR', 'person', 1)",
    "forge when a transaction was written": "INSERT INTO wallet.transactions"
    " (channel_id, id, source, reference_id, currency, actor_kind, written_at)"
    f" VALUES ('{CHANNEL}', gen_random_uuid(), 'order', gen_random_uuid(), 'EUR', 'person', now())",
    "take over an entry in passing": "INSERT INTO wallet.entries (channel_id, id, transaction_id, account_id, amount_minor)"
    " SELECT channel_id, id, transaction_id, account_id, amount_minor FROM wallet.entries"
    " ON CONFLICT (channel_id, id) DO UPDATE SET amount_minor = 1",
    "write a seal": "INSERT INTO wallet.seals (channel_id, id, seq, transaction_id, hash)"
    f" SELECT '{CHANNEL}', gen_random_uuid(), 1, id, '' FROM wallet.transactions",
    "switch a trigger off": "ALTER TABLE wallet.entries DISABLE TRIGGER ALL",
    "work without triggers": "SET session_replication_role = replica",
    "call a definer function": "SELECT wallet.post_entry()",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_ledger__refuses_the_application(work: Session, attack: str) -> None:
    a_topped_up_student(euros(5))
    with pytest.raises(DBAPIError) as refusal, work.begin_nested():
        work.execute(text(ATTACKS[attack]))
    assert "permission denied" in str(refusal.value) or "append-only" in str(refusal.value) or "must be owner" in str(refusal.value)
    assert queries.ledger_faults() == []


HEAD = text(
    "INSERT INTO wallet.transactions (channel_id, id, source, reference_id, currency, actor_kind)"
    f" VALUES ('{CHANNEL}', :id, 'order', gen_random_uuid(), 'EUR', 'person')"
)


def test_ledger__refuses_a_transaction_without_legs_and_one_that_does_not_balance(real_database: str) -> None:
    with pytest.raises(DBAPIError, match="0 legs"), db.unit_of_work(CHANNEL) as session:
        session.execute(HEAD, {"id": uuid7()})
    with pytest.raises(DBAPIError, match="1 legs"), db.unit_of_work(CHANNEL) as session:
        student = a_topped_up_student(euros(5))
        made = uuid7()
        session.execute(HEAD, {"id": made})
        account = account_id_of(CHANNEL, "student", student.user_id, "EUR")
        session.execute(
            text(
                "INSERT INTO wallet.entries (channel_id, id, transaction_id, account_id, amount_minor)"
                f" VALUES ('{CHANNEL}', gen_random_uuid(), :id, :account, 700)"
            ),
            {"id": made, "account": account},
        )


def test_ledger__refuses_legs_that_come_later_even_when_they_balance(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        one, two, three = (a_topped_up_student(euros(5)), a_topped_up_student(euros(5)), a_student("Third"))
        operations.credit(three.user_id, euros(1), source="voucher", reference_id=uuid7(), by=three)
        old = operations.debit(one.user_id, euros(1), source="order", reference_id=uuid7(), by=one)
    late = text(
        "INSERT INTO wallet.entries (channel_id, id, transaction_id, account_id, amount_minor)"
        f" VALUES ('{CHANNEL}', gen_random_uuid(), :id, :one, 100), ('{CHANNEL}', gen_random_uuid(), :id, :two, -100)"
    )
    accounts = {key: account_id_of(CHANNEL, "student", who.user_id, "EUR") for key, who in (("one", two), ("two", three))}
    with pytest.raises(DBAPIError, match="sealed"), db.unit_of_work(CHANNEL) as session:
        session.execute(late, {"id": old, **accounts})
    with db.unit_of_work(CHANNEL):
        assert queries.ledger_faults() == []


def test_ledger__refuses_a_late_leg_after_constraints_were_checked_early(real_database: str) -> None:
    with pytest.raises(DBAPIError, match="legs that sum to"), db.unit_of_work(CHANNEL) as session:
        student = a_topped_up_student(euros(5))
        made = operations.debit(student.user_id, euros(1), source="order", reference_id=uuid7(), by=student)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        third = a_student("Third")
        operations.credit(third.user_id, euros(1), source="voucher", reference_id=uuid7(), by=third)
        session.execute(
            text(
                "INSERT INTO wallet.entries (channel_id, id, transaction_id, account_id, amount_minor)"
                f" VALUES ('{CHANNEL}', gen_random_uuid(), :id, :account, 700)"
            ),
            {"id": made, "account": account_id_of(CHANNEL, "student", third.user_id, "EUR")},
        )


def test_ledger__of_another_channel_is_not_there(work: Session) -> None:
    student = a_topped_up_student(euros(5))
    with db.unit_of_work(OTHER_CHANNEL) as other:
        assert other.execute(text("SELECT count(*) FROM wallet.entries")).scalar_one() == 0
        assert queries.balance_of(student.user_id) == euros(0)
        with pytest.raises(DBAPIError), other.begin_nested():
            operations.credit(student.user_id, euros(5), source="voucher", reference_id=uuid7(), by=the_platform(OTHER_CHANNEL))


def test_ledger__knows_no_way_from_one_channel_to_another(real_database: str) -> None:
    with db.unit_of_work(OTHER_CHANNEL):
        far = a_topped_up_student(euros(5), "Far Away")
        far_account = account_id_of(OTHER_CHANNEL, "student", far.user_id, "EUR")
    with pytest.raises(DBAPIError), db.unit_of_work(CHANNEL):
        operations.post([Leg("student", 100, far.user_id), Leg("revenue", -100)], "EUR", source="adjustment", reference_id=uuid7(), by=far)
    for channel_id in (CHANNEL, OTHER_CHANNEL):
        with pytest.raises(DBAPIError), db.unit_of_work(CHANNEL) as session:
            near = a_topped_up_student(euros(5), "Near By")
            made = uuid7()
            session.execute(HEAD, {"id": made})
            legs = text(
                "INSERT INTO wallet.entries (channel_id, id, transaction_id, account_id, amount_minor)"
                " VALUES (:near, gen_random_uuid(), :id, :one, -100), (:far, gen_random_uuid(), :id, :two, 100)"
            )
            one = account_id_of(CHANNEL, "student", near.user_id, "EUR")
            session.execute(legs, {"near": CHANNEL, "far": channel_id, "id": made, "one": one, "two": far_account})
    with db.unit_of_work(OTHER_CHANNEL):
        assert queries.balance_of(far.user_id) == euros(5) and queries.ledger_faults() == []


# --- races: real threads, real connections -----------------------------------------------------------------------------------


def _together(count: int, act: Callable[[int], str], threads: int = 20) -> list[str]:
    gate = threading.Barrier(threads)

    def run(number: int) -> str:
        if number < threads:
            gate.wait(10)
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(count)))


def test_debit__200_at_once_from_a_wallet_for_100(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(100))

    def buy(_number: int) -> str:
        try:
            with db.unit_of_work(CHANNEL):
                operations.debit(student.user_id, euros(1), source="order", reference_id=uuid7(), by=student)
            return "paid"
        except NotEnough:
            return "refused"

    outcomes = _together(200, buy)
    assert (outcomes.count("paid"), outcomes.count("refused")) == (100, 100)
    with db.unit_of_work(CHANNEL):
        assert queries.balance_of(student.user_id) == euros(0)
        assert queries.ledger_faults() == []


def test_credit__100_at_once_under_one_reference_move_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        student = sam()
    reference = uuid7()

    def top_up(_number: int) -> str:
        with db.unit_of_work(CHANNEL):
            return str(operations.credit(student.user_id, euros(3), source="voucher", reference_id=reference, by=student))

    assert len(set(_together(100, top_up))) == 1
    with db.unit_of_work(CHANNEL):
        assert queries.balance_of(student.user_id) == euros(3)


def test_post__opposite_moves_over_few_wallets_never_deadlock(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        people = [a_topped_up_student(euros(1000)) for _ in range(5)]

    def shove(number: int) -> str:
        for turn in range(15):
            one, two = (people[(number + turn) % 5], people[(number * 3 + turn + 1 + number % 4) % 5])
            if one == two:
                continue
            legs = [Leg("student", -1, one.user_id), Leg("student", 1, two.user_id)]
            with db.unit_of_work(CHANNEL):
                operations.post(legs if number % 2 else legs[::-1], "EUR", source="adjustment", reference_id=uuid7(), by=one)
        return "done"

    began = now()
    assert _together(20, shove) == ["done"] * 20
    assert now() - began < timedelta(seconds=15)
    with db.unit_of_work(CHANNEL):
        assert sum(queries.balance_of(person.user_id).minor for person in people) == 5 * 100_000
        assert queries.ledger_faults() == []
