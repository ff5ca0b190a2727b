"""Codes of every kind: courses opened, coupons taken off, and the same books at the end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Invalid
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses.models import Course
from lms.enrollments import handlers
from lms.enrollments import operations as enrollments
from lms.enrollments import queries as learning
from lms.enrollments.errors import PriceChanged
from lms.payments import queries as orders
from lms.vouchers import operations, queries
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.vouchers.events import VoucherRedeemed
from lms.vouchers.operations import NewBatch
from lms.wallet.errors import NotEnough
from lms.wallet.queries import balance_of, ledger_faults
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import a_person, a_student, root, sam
from tests.factories.vouchers import a_batch
from tests.factories.wallet import a_topped_up_student, euros


def _whole(*batches: Any) -> bool:
    found = [queries.reconcile(queries.get_batch(batch.id)).faults for batch in batches]
    return not any(found) and queries.voucher_faults() == [] and ledger_faults() == [] and orders.payment_faults() == []


def _a_course(price: int = 40, title: str = "Algebra for everybody") -> Course:
    return a_course(title, published=True, price=euros(price))


# --- what can be asked for ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field,wish",
    [
        ("kind", {"kind": "cash"}),
        ("value", {"kind": "percent", "percent": 5, "value": Money(5, "EUR")}),
        ("percent", {"kind": "percent", "percent": 101}),
        ("percent", {"kind": "percent"}),
        ("percent", {"percent": 5, "value": Money(5, "EUR")}),
        ("value", {"kind": "amount"}),
        ("course_ids", {"kind": "course"}),
        ("course_ids", {"value": Money(5, "EUR"), "course_ids": [uuid7()]}),
        ("course_ids", {"kind": "course", "course_ids": [uuid7()]}),
        ("domains", {"value": Money(5, "EUR"), "domains": ["not a domain"]}),
        ("grouping", {"value": Money(5, "EUR"), "grouping": 3}),
        ("word", {"value": Money(5, "EUR"), "word": "SUMMER"}),
        ("word", {"kind": "percent", "percent": 5, "word": "SUMMER", "count": 2}),
        ("prefix", {"kind": "percent", "percent": 5, "word": "SUMMER", "prefix": "A"}),
    ],
)
def test_create_batch__of_each_kind_says_what_does_not_fit(work: Session, field: str, wish: dict[str, Any]) -> None:
    wanted: dict[str, Any] = {"label": "Spring", "value": euros(0), "count": 1, **wish}
    with pytest.raises(Invalid) as refusal:
        operations.create_batch(NewBatch(**wanted), by=root())
    assert set(refusal.value.fields) - {"value"} <= {field} and field in refusal.value.fields


def test_create_batch__with_a_word_takes_it_once(work: Session) -> None:
    made = a_batch(1, kind="percent", percent=10, word="SUMMER20", uses_per_code=50)
    assert made.codes == ["SUMMER20"]
    with pytest.raises(Invalid) as refusal:
        a_batch(1, kind="percent", percent=5, word="SUMMER2O")  # O and 0 are the same to a reader
    assert "word" in refusal.value.fields


# --- codes that open courses --------------------------------------------------------------------------------------------------


def test_redeem__of_a_course_code_opens_the_courses(work: Session) -> None:
    one, two, student = _a_course(), _a_course(title="Geometry"), sam()
    made = a_batch(2, kind="course", course_ids=[one.id, two.id])
    redemption = operations.redeem(made.codes[0], by=student)
    assert operations.redeem(made.codes[0], by=student).id == redemption.id
    payload = work.execute(text("SELECT payload FROM core.events WHERE name = 'VoucherRedeemed'")).scalar_one()
    fact = VoucherRedeemed(**{**payload, "course_ids": tuple(payload["course_ids"])})
    for _ in range(2):
        handlers.enroll_the_holder(fact)
    assert student.user_id is not None
    assert set(learning.enrolled_course_ids(student.user_id)) == {one.id, two.id}
    found = learning.active_enrollment(student.user_id, one.id)
    assert found is not None and (found.source, str(found.redemption_id)) == ("voucher", str(redemption.id))
    assert balance_of(student.user_id) == euros(0) and _whole(made.batch)


def test_redeem__of_a_course_code_by_who_has_it_all_leaves_it_unused(work: Session) -> None:
    course, student = _a_course(), sam()
    assert student.user_id is not None
    enrollments.enroll_by_hand(student.user_id, course, note="A guest", by=root())
    made = a_batch(1, kind="course", course_ids=[course.id])
    with pytest.raises(CodeRefused) as refusal:
        operations.redeem(made.codes[0], by=student)
    assert refusal.value.rule == "open_already"
    assert operations.redeem(made.codes[0], by=a_student("Newcomer")).amount_minor == 0


def test_redeem__keeps_to_the_domains_of_a_batch(work: Session) -> None:
    made = a_batch(2, domains=["school.example"])
    with pytest.raises(CodeRefused) as refusal:
        operations.redeem(made.codes[0], by=sam())
    assert refusal.value.rule == "domain" and "sam@example.org" in refusal.value.sentence
    pupil = a_person("Pia Pupil", "student", "pia@School.Example")
    assert operations.redeem(made.codes[0], by=pupil).amount == euros(10)


def test_redeem__sends_coupons_to_the_enrolment(work: Session) -> None:
    made = a_batch(1, kind="percent", percent=10)
    with pytest.raises(CodeRefused) as refusal:
        operations.redeem(made.codes[0], by=sam())
    assert refusal.value.rule == "coupon"


# --- coupons ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish,off", [({"kind": "percent", "percent": 25}, 1000), ({"kind": "amount", "value": 15}, 1500)])
def test_use_coupon__takes_off_the_price_and_the_order_keeps_it(work: Session, wish: dict[str, Any], off: int) -> None:
    course, student = _a_course(40), a_topped_up_student(euros(100))
    made = a_batch(1, uses_per_code=2, **wish)
    seen = operations.try_coupon(made.codes[0].lower(), course.id, course.price, by=student)
    assert (seen.off.minor, seen.left.minor, seen.redemption_id) == (off, 4000 - off, None)
    enrollment = enrollments.enroll_by_wallet(course, by=student, agreed=seen.left, coupon_id=seen.code_id)
    again = enrollments.enroll_by_wallet(course, by=student, agreed=seen.left, coupon_id=seen.code_id)
    assert enrollment.id == again.id and enrollment.order_id is not None
    order = orders.get_order(enrollment.order_id)
    assert (order.amount_minor, order.discount_minor, order.list_price) == (4000 - off, off, euros(40))
    assert order.redemption_id == enrollment.redemption_id is not None and "Spring" in order.discount_note
    assert student.user_id is not None and balance_of(student.user_id).minor == 10_000 - 4000 + off
    assert queries.reconcile(made.batch).given.minor == off and _whole(made.batch)


def test_use_coupon__never_takes_the_price_below_zero(work: Session) -> None:
    course, student = _a_course(40), sam()
    made = a_batch(1, kind="amount", value=100)
    seen = operations.try_coupon(made.codes[0], course.id, course.price, by=student)
    enrollment = enrollments.enroll_by_wallet(course, by=student, agreed=Money(0, "EUR"), coupon_id=seen.code_id)
    assert seen.left == euros(0) and enrollment.source == "free" and enrollment.order_id is not None
    assert orders.get_order(enrollment.order_id).discount_minor == 4000 and _whole(made.batch)


def test_use_coupon__stays_unused_when_the_enrolment_fails(work: Session) -> None:
    course, poor = _a_course(40), sam()
    made = a_batch(1, kind="percent", percent=10)
    seen = operations.try_coupon(made.codes[0], course.id, course.price, by=poor)
    for failure, agreed in ((NotEnough, euros(36)), (PriceChanged, euros(40))):
        with pytest.raises(failure), work.begin_nested():
            enrollments.enroll_by_wallet(course, by=poor, agreed=agreed, coupon_id=seen.code_id)
    assert queries.totals_of([made.batch.id])[made.batch.id].redeemed == 0
    assert poor.user_id is not None and not learning.is_enrolled(poor.user_id, course.id)


def test_try_coupon__says_why_not(work: Session) -> None:
    course, other, free, student = _a_course(), _a_course(title="Geometry"), _a_course(0, title="Gift"), a_topped_up_student(euros(500))
    bound = a_batch(1, kind="percent", percent=10, course_ids=[other.id], uses_per_code=5)
    cases = {
        "voucher": (a_batch(1), course),
        "course": (bound, course),
        "free": (a_batch(1, kind="percent", percent=10), free),
        "not_started": (a_batch(1, kind="percent", percent=10, starts_at=now() + timedelta(days=2)), course),
        "domain": (a_batch(1, kind="percent", percent=10, domains=["school.example"]), course),
    }
    for rule, (made, wanted) in cases.items():
        with pytest.raises(CodeRefused) as refusal:
            operations.try_coupon(made.codes[0], wanted.id, wanted.price, by=student)
        assert refusal.value.rule == rule and len(refusal.value.sentence) > 20
    seen = operations.try_coupon(bound.codes[0], other.id, other.price, by=student)
    enrollments.enroll_by_wallet(other, by=student, coupon_id=seen.code_id)
    with pytest.raises(CodeRefused) as refusal:
        operations.try_coupon(bound.codes[0], other.id, other.price, by=student)
    assert refusal.value.rule == "mine"
    with pytest.raises(UnknownCode):
        operations.try_coupon("SUMMER99", course.id, course.price, by=student)
    with pytest.raises(Forbidden):
        operations.try_coupon("SUMMER99", course.id, course.price, by=Actor())


def test_price_with__refuses_a_coupon_that_went_void_meanwhile(work: Session) -> None:
    course, student = _a_course(), sam()
    made = a_batch(1, kind="percent", percent=10)
    seen = operations.try_coupon(made.codes[0], course.id, course.price, by=student)
    assert operations.price_with(seen.code_id, course.id, course.price, by=student).off.minor == 400
    operations.void_codes(made.batch, reason="Over", by=root())
    with pytest.raises(CodeRefused) as refusal:
        operations.price_with(seen.code_id, course.id, course.price, by=student)
    assert refusal.value.rule == "void"


def test_try_coupon__does_not_look_up_words_while_much_is_guessed(work: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    course = _a_course()
    word = a_batch(1, kind="percent", percent=10, word="SUMMER20")
    drawn = a_batch(1, kind="percent", percent=20)
    monkeypatch.setattr("lms.vouchers.operations.guessing.WORDS_REST_AT", 3)
    for number in range(3):
        with pytest.raises(UnknownCode):
            operations.try_coupon("WINTER20", course.id, course.price, by=a_student(f"S{number}"))
    with pytest.raises(UnknownCode):
        operations.try_coupon(word.codes[0], course.id, course.price, by=sam())
    assert operations.try_coupon(drawn.codes[0], course.id, course.price, by=sam()).off == euros(8)


def test_objects_to_opening__is_asked_of_every_listener(work: Session) -> None:
    assert operations.objects_to_opening(handlers.nothing_new_to_open) is handlers.nothing_new_to_open


def test_use_coupon__of_5_uses_200_people_at_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        course = _a_course(40)
        made = a_batch(1, kind="percent", percent=50, uses_per_code=5)
        code_id = queries.find_code_id(made.batch.id, 1)
    people = _a_crowd(real_database, 200)

    def run(person: Actor) -> str:
        try:
            with db.unit_of_work(CHANNEL):
                operations.use_coupon(code_id, course.id, course.price, by=person)
            return "in"
        except CodeRefused as refusal:
            return refusal.rule

    with ThreadPoolExecutor(20) as pool:  # as many as there are connections; the others press on from behind
        outcomes = list(pool.map(run, people))
    assert outcomes.count("in") == 5 and outcomes.count("used") == 195
    with db.unit_of_work(CHANNEL):
        assert _whole(made.batch)


def _a_crowd(url: str, count: int) -> list[Actor]:
    """So many students at once, by one statement."""
    with psycopg.connect(url, autocommit=True) as owner:
        rows = owner.execute(
            "WITH made AS (INSERT INTO auth.users (id, email, email_key, name) SELECT uuidv7(), e, e, 'Racer ' || n"
            " FROM generate_series(1, %s) n, LATERAL (SELECT 'racer' || n || '@example.org') AS x (e) RETURNING id, name, email)"
            " INSERT INTO channels.members (channel_id, id, name, email, role) SELECT %s, id, name, email, 'student' FROM made"
            " RETURNING id, name, email",
            (count, CHANNEL),
        ).fetchall()
    return [Actor(user_id=row[0], name=row[1], email=row[2], role="student", channel_id=CHANNEL) for row in rows]
