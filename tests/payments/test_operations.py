"""Buying: one order, one booking, one fact, or nothing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.errors import Invalid
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.payments import operations, queries
from lms.payments.errors import PriceChanged
from lms.wallet.errors import NotEnough
from lms.wallet.queries import balance_of, ledger_faults
from tests.conftest import CHANNEL
from tests.factories.people import sam
from tests.factories.wallet import a_topped_up_student, euros


def test_pay_from_wallet__makes_order_booking_and_fact_together(work: Session) -> None:
    student, course_id = a_topped_up_student(euros(50)), uuid7()
    order = operations.pay_from_wallet(student.user_id, course_id, euros(30), title="Painting", by=student)
    assert (order.status, order.method, order.amount, order.title) == ("paid", "wallet", euros(30), "Painting")
    assert order.paid_at is not None and balance_of(student.user_id) == euros(20)
    assert work.execute(text("SELECT payload->>'course_id' FROM core.events WHERE name = 'OrderPaid'")).scalars().all() == [str(course_id)]
    assert queries.payment_faults() == ledger_faults() == []


def test_pay_from_wallet__twice_pays_once(work: Session) -> None:
    student, course_id = a_topped_up_student(euros(50)), uuid7()
    orders = [operations.pay_from_wallet(student.user_id, course_id, euros(30), by=student).id for _ in range(2)]
    assert orders[0] == orders[1] and balance_of(student.user_id) == euros(20)
    assert work.execute(text("SELECT count(*) FROM core.events WHERE name = 'OrderPaid'")).scalar_one() == 1


def test_pay_from_wallet__of_something_free_moves_no_money(work: Session) -> None:
    student = sam()
    order = operations.pay_from_wallet(student.user_id, uuid7(), euros(0), by=student)
    assert (order.status, order.method) == ("paid", "free")
    assert work.execute(text("SELECT count(*) FROM wallet.transactions")).scalar_one() == 0
    assert queries.payment_faults() == []


def test_pay_from_wallet__without_enough_leaves_nothing_behind(work: Session) -> None:
    student = a_topped_up_student(euros(5))
    with pytest.raises(NotEnough):
        operations.pay_from_wallet(student.user_id, uuid7(), euros(30), by=student)
    assert work.execute(text("SELECT count(*) FROM payments.orders")).scalar_one() == 0
    assert balance_of(student.user_id) == euros(5) and queries.payment_faults() == []


def test_pay_from_wallet__takes_no_price_below_zero(work: Session) -> None:
    with pytest.raises(Invalid):
        operations.pay_from_wallet(sam().user_id, uuid7(), Money(-1, "EUR"), by=sam())


def test_close_order__lets_the_course_be_bought_again(work: Session) -> None:
    student, course_id = a_topped_up_student(euros(50)), uuid7()
    first = operations.pay_from_wallet(student.user_id, course_id, euros(20), by=student)
    for _ in range(2):
        operations.close_order(first, by=student)
    work.flush()
    second = operations.pay_from_wallet(student.user_id, course_id, euros(20), by=student)
    assert second.id != first.id and balance_of(student.user_id) == euros(10)


@pytest.mark.parametrize("shown", [None, 0, -1, 2999, 3001, 10**18])
def test_confirm_price__refuses_every_other_price(work: Session, shown: int | None) -> None:
    operations.confirm_price(3000, euros(30), by=sam())
    with pytest.raises(PriceChanged):
        operations.confirm_price(shown, euros(30), by=sam())


@pytest.mark.parametrize(
    "change", ["amount_minor = 1", "user_id = user_id", "course_id = course_id", "currency = 'USD'", "method = 'free'"]
)
def test_orders__keep_their_price(work: Session, change: str) -> None:
    student = a_topped_up_student(euros(50))
    operations.pay_from_wallet(student.user_id, uuid7(), euros(30), by=student)
    with pytest.raises(DBAPIError, match="permission denied"), work.begin_nested():
        work.execute(text(f"UPDATE payments.orders SET {change}"))


def test_pay_from_wallet__200_at_once_from_a_wallet_for_100(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(100))
    gate = threading.Barrier(20)

    def buy(number: int) -> str:
        if number < 20:
            gate.wait(10)
        try:
            with db.unit_of_work(CHANNEL):
                operations.pay_from_wallet(student.user_id, uuid7(), euros(1), by=student)
            return "paid"
        except NotEnough:
            return "refused"

    began = time.perf_counter()
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(buy, range(200)))
    print(f"200 purchases from one wallet: {time.perf_counter() - began:.2f} s")
    assert (outcomes.count("paid"), outcomes.count("refused")) == (100, 100)
    with db.unit_of_work(CHANNEL) as session:
        assert balance_of(student.user_id) == euros(0)
        assert queries.payment_faults() == ledger_faults() == []
        assert session.execute(text("SELECT count(*) FROM payments.orders")).scalar_one() == 100
        assert session.execute(text("SELECT count(*) FROM core.events WHERE name = 'OrderPaid'")).scalar_one() == 100


def test_pay_from_wallet__one_course_50_tabs(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        student, course_id = a_topped_up_student(euros(100)), uuid7()

    def buy(_number: int) -> str:
        with db.unit_of_work(CHANNEL):
            return str(operations.pay_from_wallet(student.user_id, course_id, euros(1), by=student).id)

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(buy, range(50)))) == 1
    with db.unit_of_work(CHANNEL):
        assert balance_of(student.user_id) == euros(99)
