"""Balances, statements and the reading of the books; what somebody changed behind the platform's back shows."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core import chains, db, workers
from lms.core.clock import now
from lms.core.errors import NotFound
from lms.core.ids import uuid7
from lms.wallet import jobs, operations, queries
from lms.wallet.models import account_id_of
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import sam
from tests.factories.wallet import a_topped_up_student, euros


def test_balance_of__is_zero_before_the_first_move(work: Session) -> None:
    assert queries.balance_of(sam().user_id) == euros(0)


def test_balance_at__knows_every_moment(work: Session) -> None:
    student, day = sam(), timedelta(days=1)
    operations.credit(student.user_id, euros(10), source="voucher", reference_id=uuid7(), by=student, at=now() - 3 * day)
    operations.debit(student.user_id, euros(4), source="order", reference_id=uuid7(), by=student, at=now() - day)
    found = [queries.balance_at(student.user_id, now() - back) for back in (4 * day, 2 * day, 0 * day)]
    assert found == [euros(0), euros(10), euros(6)]


def test_statement_of__lists_newest_first_with_the_balance_after_each(work: Session) -> None:
    student = a_topped_up_student(euros(10))
    operations.debit(student.user_id, euros(4), source="order", reference_id=uuid7(), note="Painting", by=student)
    lines = queries.statement_of(student.user_id)
    assert [(line.position, line.amount, line.balance, line.note) for line in lines] == [
        (2, euros(-4), euros(6), "Painting"),
        (1, euros(10), euros(10), "Opening"),
    ]
    assert [line.position for line in queries.statement_of(student.user_id, before=2)] == [1]


def test_get_account__of_nobody_is_not_found(work: Session) -> None:
    with pytest.raises(NotFound):
        queries.get_account(uuid7())


def test_moved_by__counts_references_that_moved_money(work: Session) -> None:
    student, reference = a_topped_up_student(euros(10)), uuid7()
    operations.debit(student.user_id, euros(4), source="order", reference_id=reference, by=student)
    assert queries.moved_by("order", [reference, uuid7()]) == 1


def _sealed_ledger(url: str) -> None:
    with db.unit_of_work(CHANNEL):
        for _ in range(3):
            a_topped_up_student(euros(10))
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE wallet.transactions SET written_at = written_at - interval '2 hours'")
    assert chains.extend_all() == 3
    assert chains.extend_all() == 0


TAMPERING = {
    "amounts of one transaction": ("UPDATE wallet.entries SET amount_minor = amount_minor * 2", ["I2", "does not fit"]),
    "a balance": ("UPDATE wallet.accounts SET balance_minor = 999999 WHERE user_id IS NOT NULL", ["I2"]),
    "a balance below zero": (
        "ALTER TABLE wallet.accounts DROP CONSTRAINT ck_accounts_balance;"
        "UPDATE wallet.accounts SET balance_minor = -1 WHERE user_id IS NOT NULL",
        ["I2", "I3"],
    ),
    "a note": ("UPDATE wallet.transactions SET note = 'something else'", ["does not fit"]),
    "a transaction gone": (
        "DELETE FROM wallet.entries; DELETE FROM wallet.transactions;"
        " UPDATE wallet.accounts SET balance_minor = 0, moves = 0 WHERE user_id IS NOT NULL",
        ["is gone"],
    ),
    "a link gone": ("DELETE FROM wallet.seals WHERE seq = 2", ["links 2 to 2 are missing", "no seal"]),
    "a lone leg": (
        (
            "INSERT INTO wallet.entries (channel_id, id, transaction_id, account_id, amount_minor)"
            " SELECT channel_id, gen_random_uuid(), transaction_id, gen_random_uuid(), 5 FROM wallet.entries WHERE amount_minor > 0"
        ),
        ["I4", "does not fit"],
    ),
    "a guard switched off": ("ALTER TABLE wallet.entries DISABLE TRIGGER entries_post", ["guard entries_post"]),
}


@pytest.mark.parametrize("what", TAMPERING, ids=str)
def test_ledger_faults__finds_what_the_owner_of_the_database_changed(real_database: str, what: str) -> None:
    _sealed_ledger(real_database)
    with db.unit_of_work(CHANNEL):
        assert queries.ledger_faults() == []
    statements, expected = TAMPERING[what]
    with psycopg.connect(real_database, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        for statement in statements.split(";"):
            owner.execute(statement)
    with db.unit_of_work(CHANNEL):
        faults = " ".join(queries.ledger_faults())
    assert all(part in faults for part in expected), faults


def test_guard__refuses_the_owner_too_while_triggers_stand(real_database: str) -> None:
    _sealed_ledger(real_database)
    with psycopg.connect(real_database, autocommit=True) as owner:
        for statement in (
            "UPDATE wallet.accounts SET balance_minor = 5 WHERE user_id IS NOT NULL",
            "DELETE FROM wallet.accounts",
            "UPDATE wallet.entries SET amount_minor = 1",
            "TRUNCATE wallet.transactions CASCADE",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(statement)


def test_check_books__anchors_the_head_of_the_chain_in_the_audit(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        a_topped_up_student(euros(10))
        jobs.check_books.later()
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        after = session.execute(text("SELECT after FROM core.audit WHERE action = 'wallet.check'")).scalar_one()
    assert after == {"seq": 0, "head": "", "faults": []}


def test_house_balance__mirrors_what_people_hold(work: Session) -> None:
    student = a_topped_up_student(euros(10))
    assert queries.house_balance("vouchers", "EUR") + queries.balance_of(student.user_id) == euros(0)
    assert queries.known_accounts([account_id_of(CHANNEL, "vouchers", None, "EUR"), uuid7()]) == {
        account_id_of(CHANNEL, "vouchers", None, "EUR")
    }


def test_schedule_once__seals_the_ledger(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        a_topped_up_student(euros(10))
    with psycopg.connect(real_database, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE wallet.transactions SET written_at = written_at - interval '5 seconds'")
    workers.schedule_once()
    with db.unit_of_work(CHANNEL):
        assert chains.head_of(queries.LEDGER)[0] == 1 and queries.ledger_faults() == []
