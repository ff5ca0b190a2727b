"""Batches and redemptions: each rule, twice, and at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Forbidden, Invalid, Refusal, TooMany, Unavailable
from lms.core.money import Money
from lms.core.redis import redis, use_redis
from lms.vouchers import operations, queries
from lms.vouchers.errors import CodeRefused, CodesGone, UnknownCode
from lms.vouchers.operations import NewBatch
from lms.vouchers.operations.codes import ALPHABET, check_symbol, make_codes, write
from lms.wallet.queries import balance_of, ledger_faults
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.people import a_student, root, sam
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros


def _whole(batch_id: object) -> bool:
    return queries.reconcile(queries.get_batch(batch_id)).faults == () and queries.voucher_faults() == [] and ledger_faults() == []  # type: ignore[arg-type]


# --- making a batch -----------------------------------------------------------------------------------------------------------


def test_create_batch__makes_codes_and_says_so(work: Session) -> None:
    issued = a_batch(5, prefix="SPRING", per_person=2, purpose="School fair")
    assert len(set(issued.codes)) == 5 and all(code.startswith("SPRING-") for code in issued.codes)
    totals = queries.totals_of([issued.batch.id])[issued.batch.id]
    assert (totals.issued, totals.outstanding, totals.issued_minor) == (5, 5, 5_000)
    assert work.execute(text("SELECT count(*) FROM core.events WHERE name = 'VoucherBatchCreated'")).scalar_one() == 1
    assert work.execute(text("SELECT action FROM core.audit WHERE action LIKE 'vouchers%'")).scalars().all() == ["vouchers.create_batch"]
    assert issued.batch.owner_id == issued.batch.created_by is not None


def test_create_batch__sent_twice_makes_one_and_answers_the_same_codes(work: Session) -> None:
    admin = root()
    one, two = a_batch(4, by=admin, seal="form-1"), a_batch(4, by=admin, seal="form-1")
    assert one.batch.id == two.batch.id and one.codes == two.codes
    assert work.execute(text("SELECT count(*) FROM vouchers.codes")).scalar_one() == 4


@pytest.mark.parametrize(
    "field,wish",
    [
        ("label", {"label": " "}),
        ("value", {"value": Money(0, "EUR")}),
        ("count", {"count": 0}),
        ("count", {"count": 10_001}),
        ("count", {"count": 10_000, "value": Money(10**15, "EUR")}),
        ("prefix", {"prefix": "spring"}),
        ("prefix", {"prefix": "<B>"}),
        ("per_person", {"per_person": 0}),
        ("uses_per_code", {"uses_per_code": 0}),
        ("expires_at", {"expires_at": now() - timedelta(days=1)}),
        ("expires_at", {"starts_at": now() + timedelta(days=9), "expires_at": now() + timedelta(days=3)}),
        ("sold_for_minor", {"sold_for_minor": -1}),
    ],
)
def test_create_batch__says_what_does_not_fit(work: Session, field: str, wish: dict[str, object]) -> None:
    wanted: dict[str, object] = {"label": "Spring", "value": euros(5), "count": 3, **wish}
    with pytest.raises(Invalid) as refusal:
        operations.create_batch(NewBatch(**wanted), by=root())  # type: ignore[arg-type]
    assert set(refusal.value.fields) == {field}


def test_create_batch__of_10000_codes_is_one_quick_act(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        admin = root()
    began = time.perf_counter()
    with db.unit_of_work(CHANNEL):
        issued = a_batch(10_000, by=admin, seal="big")
    took = time.perf_counter() - began
    print(f"10,000 codes: {took:.2f} s")
    assert len(issued.codes) == 10_000 and took < 30  # seconds; row by row takes minutes


def test_create_batch__leaves_no_usable_code_in_the_database_or_valkey(work: Session) -> None:
    issued = a_batch(20, seal="form-1")
    student = sam()
    operations.redeem(issued.codes[0], by=student)
    tables = work.execute(
        text("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('core', 'vouchers', 'wallet', 'channels')")
    ).scalars()
    dump = " ".join(str(row) for table in tables for row in work.execute(text(f"SELECT t::text FROM {table} t")).scalars())
    dump += str([(key, redis().type(key)) for key in redis().keys("*")])
    for code in issued.codes:
        bare = code.replace("-", "")
        assert code not in dump and bare not in dump and bare[:8] not in dump and bare.encode().hex() not in dump
        assert bare[-4:] in dump


# --- the one-time download ----------------------------------------------------------------------------------------------------


def test_open_codes__needs_the_seal_and_ends_with_the_download(work: Session) -> None:
    admin = root()
    issued = a_batch(3, by=admin, seal="mine", prefix="A")
    assert operations.open_codes(issued.batch, seal="mine") == issued.codes
    with pytest.raises(CodesGone):
        operations.open_codes(issued.batch, seal="another")
    assert operations.discard_codes(issued.batch, by=admin) is True
    assert operations.discard_codes(issued.batch, by=admin) is False
    with pytest.raises(CodesGone):
        operations.open_codes(issued.batch, seal="mine")
    assert a_batch(3, by=admin, seal="mine").codes == []


def test_discard_old_envelopes__throws_away_what_nobody_fetched(work: Session) -> None:
    old, new = a_batch(1, seal="old"), a_batch(1, seal="new")
    assert operations.discard_old_envelopes() == []
    work.execute(text("DELETE FROM vouchers.envelopes WHERE batch_id = :id"), {"id": old.batch.id})
    work.execute(
        text(
            "INSERT INTO vouchers.envelopes (id, batch_id, sealed, expires_at)"
            " VALUES (gen_random_uuid(), :id, '', now() - interval '1 second')"
        ),
        {"id": old.batch.id},
    )
    with pytest.raises(CodesGone):
        operations.open_codes(old.batch, seal="old")
    assert operations.discard_old_envelopes() == [old.batch.id]
    assert operations.open_codes(new.batch, seal="new") == new.codes


# --- redeeming ----------------------------------------------------------------------------------------------------------------


def test_redeem__puts_the_value_into_the_wallet(work: Session) -> None:
    issued, student = a_batch(2, value=25), sam()
    redemption = operations.redeem(issued.codes[0], by=student)
    assert balance_of(student.user_id) == euros(25) == redemption.amount  # type: ignore[arg-type]
    assert work.execute(text("SELECT payload->>'kind' FROM core.events WHERE name = 'VoucherRedeemed'")).scalars().all() == ["value"]
    code = queries.get_code(redemption.code_id)
    assert [step.state for step in queries.trail_of(code.id)] == ["redeemed"]
    assert [use.transaction_id is not None for use in queries.uses_of(code.id)] == [True]
    assert _whole(issued.batch.id)


def test_redeem__by_the_same_person_again_is_the_same_redemption(work: Session) -> None:
    issued, student = a_batch(1), sam()
    first = operations.redeem(issued.codes[0], by=student)
    assert operations.redeem(issued.codes[0].lower(), by=student).id == first.id
    assert balance_of(student.user_id) == euros(10)  # type: ignore[arg-type]


def test_redeem__by_somebody_else_is_refused_as_used(work: Session) -> None:
    issued = a_batch(1)
    operations.redeem(issued.codes[0], by=sam())
    with pytest.raises(CodeRefused) as refusal:
        operations.redeem(issued.codes[0], by=a_student("Late"))
    assert refusal.value.rule == "used"


def test_redeem__says_why_not(work: Session) -> None:
    student = sam()
    void, future, old = (a_batch(1), a_batch(1, starts_at=now() + timedelta(days=2)), a_batch(1, expires_at=now() + timedelta(days=2)))
    operations.void_codes(void.batch, reason="Misprint", by=root())
    work.execute(text("UPDATE vouchers.codes SET expires_at = now() - interval '1 second' WHERE batch_id = :id"), {"id": old.batch.id})
    work.expire_all()
    for issued, rule in ((void, "void"), (future, "not_started"), (old, "expired")):
        with pytest.raises(CodeRefused) as refusal:
            operations.redeem(issued.codes[0], by=student)
        assert refusal.value.rule == rule and len(refusal.value.sentence) > 20
    assert balance_of(student.user_id) == euros(0)  # type: ignore[arg-type]


def test_redeem__keeps_the_limit_for_one_person(work: Session) -> None:
    issued, student = a_batch(4, per_person=2), sam()
    operations.redeem(issued.codes[0], by=student)
    operations.redeem(issued.codes[1], by=student)
    with pytest.raises(CodeRefused) as refusal:
        operations.redeem(issued.codes[2], by=student)
    assert refusal.value.rule == "limit"
    operations.redeem(issued.codes[2], by=a_student("Another"))
    assert queries.get_code(queries.find_code_id(issued.batch.id, 3)).uses == 1
    assert _whole(issued.batch.id)


def test_redeem__of_a_code_with_many_uses_counts_each_person_once(work: Session) -> None:
    issued = a_batch(1, uses_per_code=2)
    one, two = sam(), a_student("Two")
    for student in (one, one, two):
        operations.redeem(issued.codes[0], by=student)
    with pytest.raises(CodeRefused):
        operations.redeem(issued.codes[0], by=a_student("Three"))
    assert _whole(issued.batch.id)


def test_redeem__needs_somebody_signed_in(work: Session) -> None:
    with pytest.raises(Forbidden):
        operations.redeem(a_batch(1).codes[0], by=Actor())


def test_redeem__in_another_channel_knows_nothing(work: Session) -> None:
    issued = a_batch(1)
    with db.unit_of_work(OTHER_CHANNEL), pytest.raises(UnknownCode):
        operations.redeem(issued.codes[0], by=sam())


# --- guessing (T073) --------------------------------------------------------------------------------------------------------------


def _a_guess() -> str:
    return write(make_codes(1)[0])


def test_redeem__stops_an_account_after_ten_wrong_codes(work: Session) -> None:
    issued, student = a_batch(1), sam()
    body = issued.codes[0].replace("-", "")[:-1]
    walk = [body + symbol for symbol in ALPHABET if symbol != check_symbol(body)][:5]
    for guess in [*walk, *(_a_guess() for _ in range(5))]:
        with pytest.raises(UnknownCode):
            operations.redeem(guess, by=student)
    with pytest.raises(TooMany):
        operations.redeem(issued.codes[0], by=student)
    operations.redeem(issued.codes[0], by=a_student("Honest"))


def test_redeem__stops_an_address_after_ten_guesses_by_many_accounts(work: Session) -> None:
    issued = a_batch(1)
    for number in range(10):
        with pytest.raises(UnknownCode):
            operations.redeem(_a_guess(), by=a_student(f"S{number}"), address="203.0.113.9")
    with pytest.raises(TooMany):
        operations.redeem(issued.codes[0], by=a_student("Next"), address="203.0.113.9")
    operations.redeem(issued.codes[0], by=a_student("Elsewhere"), address="203.0.113.10")


def test_redeem__does_not_count_typing_mistakes_against_a_classroom(work: Session) -> None:
    issued = a_batch(20)
    for number in range(15):
        with pytest.raises(UnknownCode):
            operations.redeem(issued.codes[number][:-1], by=a_student(f"S{number}"), address="203.0.113.9")
    operations.redeem(issued.codes[0], by=sam(), address="203.0.113.9")


def test_redeem__never_counts_honest_redemptions(work: Session) -> None:
    issued, student = a_batch(14), sam()
    for code in issued.codes:
        operations.redeem(code, by=student, address="203.0.113.9")
    for code in issued.codes:
        with pytest.raises(CodeRefused):
            operations.redeem(code, by=a_student("Late"), address="203.0.113.9")


def test_redeem__fails_closed_without_valkey(work: Session) -> None:
    issued, student = a_batch(1), sam()
    use_redis("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable):
        operations.redeem(issued.codes[0], by=student)


def test_watch_guesses__raises_the_alarm_once_an_hour(work: Session) -> None:
    machine = the_platform(CHANNEL)
    assert operations.watch_guesses(by=machine) is False
    for number in range(50):
        with pytest.raises(Refusal):
            operations.redeem(_a_guess(), by=a_student(f"S{number}"), address=f"203.0.113.{number}")
    assert operations.watch_guesses(by=machine) is True
    assert operations.watch_guesses(by=machine) is False


# --- void, hand out, expire -------------------------------------------------------------------------------------------------------


def test_void_codes__voids_what_is_open_and_leaves_what_was_used(work: Session) -> None:
    issued, admin = a_batch(4), root()
    operations.redeem(issued.codes[0], by=sam())
    assert operations.void_codes(issued.batch, [queries.find_code_id(issued.batch.id, 2)], reason="Lost", by=admin) == 1
    assert operations.void_codes(issued.batch, reason="Misprint", by=admin) == 2
    assert operations.void_codes(issued.batch, reason="Misprint", by=admin) == 0
    totals = queries.totals_of([issued.batch.id])[issued.batch.id]
    assert (totals.issued, totals.redeemed, totals.void, totals.outstanding) == (4, 1, 3, 0)
    assert (totals.redeemed_minor, totals.void_minor) == (1_000, 3_000)
    assert [step.note for step in queries.trail_of(queries.find_code_id(issued.batch.id, 2))] == ["Lost"]
    assert _whole(issued.batch.id)


def test_void_codes__wants_a_reason(work: Session) -> None:
    with pytest.raises(Invalid):
        operations.void_codes(a_batch(1).batch, reason=" ", by=root())


def test_mark_handed_out__notes_it_once(work: Session) -> None:
    issued, admin = a_batch(3), root()
    assert operations.mark_handed_out(issued.batch, "printed", by=admin) == 3
    assert operations.mark_handed_out(issued.batch, "sent", by=admin) == 0
    assert queries.totals_of([issued.batch.id])[issued.batch.id].handed_out == 3
    operations.redeem(issued.codes[0], by=sam())
    assert _whole(issued.batch.id)


def test_expire_codes__writes_down_what_the_totals_already_knew(work: Session) -> None:
    issued = a_batch(3, expires_at=now() + timedelta(days=1))
    operations.redeem(issued.codes[0], by=sam())
    work.execute(text("UPDATE vouchers.codes SET expires_at = now() - interval '1 second'"))
    before = queries.totals_of([issued.batch.id])
    assert operations.expire_codes(by=the_platform(CHANNEL)) == 2
    assert operations.expire_codes(by=the_platform(CHANNEL)) == 0
    after = queries.totals_of([issued.batch.id])[issued.batch.id]
    assert before[issued.batch.id].expired == after.expired == 2 and after.handed_out - before[issued.batch.id].handed_out == 2
    assert _whole(issued.batch.id)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE vouchers.codes SET uses = 0",
        "UPDATE vouchers.codes SET uses = 0, state = 'created'",
        "UPDATE vouchers.codes SET value_minor = value_minor * 100 WHERE uses > 0",
        "UPDATE vouchers.codes SET uses = 9",
        "UPDATE vouchers.codes SET digest = '\\x00'",
        "UPDATE vouchers.codes SET max_uses = 99",
        "DELETE FROM vouchers.codes",
        "DELETE FROM vouchers.redemptions",
        "UPDATE vouchers.redemptions SET amount_minor = 1",
        "UPDATE vouchers.steps SET note = 'x'",
    ],
)
def test_codes__refuse_to_be_changed_behind_the_operations(work: Session, attack: str) -> None:
    issued = a_batch(2)
    operations.redeem(issued.codes[0], by=sam())
    with pytest.raises(DBAPIError), work.begin_nested():
        work.execute(text(attack))
    assert _whole(issued.batch.id)


# --- at once: real threads, real connections -----------------------------------------------------------------------------------


def _together(count: int, code: str, people: list[Actor], threads: int = 20) -> list[str]:
    gate = threading.Barrier(threads)

    def run(number: int) -> str:
        if number < threads:
            gate.wait(10)
        try:
            with db.unit_of_work(CHANNEL):
                return str(operations.redeem(code, by=people[number % len(people)]).id)
        except (CodeRefused, TooMany) as refusal:
            return refusal.rule

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(count)))


def test_redeem__one_code_500_people_at_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        issued, people = a_batch(1), [a_student(f"S{number}") for number in range(500)]
    began = time.perf_counter()
    outcomes = _together(500, issued.codes[0], people)
    print(f"500 redemptions of one code: {time.perf_counter() - began:.2f} s")
    assert outcomes.count("used") == 499
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT count(*) FROM wallet.transactions")).scalar_one() == 1
        assert _whole(issued.batch.id)


def test_redeem__25_uses_100_people_at_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        issued, people = (a_batch(1, uses_per_code=25), [a_student(f"S{number}") for number in range(100)])
    outcomes = _together(100, issued.codes[0], people)
    assert outcomes.count("used") == 75
    with db.unit_of_work(CHANNEL):
        assert _whole(issued.batch.id)


def test_redeem__one_person_50_tabs(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        issued, student = a_batch(1, uses_per_code=25), sam()
    outcomes = _together(50, issued.codes[0], [student])
    assert len(set(outcomes) - {"rate"}) == 1
    with db.unit_of_work(CHANNEL):
        assert balance_of(student.user_id) == euros(10)  # type: ignore[arg-type]
        assert _whole(issued.batch.id)


def test_redeem__many_codes_at_once_keep_the_limit_of_one_person(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        issued, student = a_batch(8, per_person=3), sam()
    gate = threading.Barrier(8)

    def run(code: str) -> str:
        gate.wait(10)
        try:
            with db.unit_of_work(CHANNEL):
                operations.redeem(code, by=student)
            return "redeemed"
        except CodeRefused as refusal:
            return refusal.rule

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(run, issued.codes))
    assert outcomes.count("redeemed") == 3 and outcomes.count("limit") == 5
    with db.unit_of_work(CHANNEL):
        assert _whole(issued.batch.id)
