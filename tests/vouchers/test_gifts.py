"""Gifts: paid once, mailed to one, taken back until used; the code is in the letter alone."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lms.core import db, mail
from lms.core.clock import now
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Conflict, Forbidden, Invalid, Refusal
from lms.core.ids import uuid7
from lms.core.models import Mail
from lms.core.money import Money
from lms.enrollments.queries import enrolled_course_ids
from lms.vouchers import operations, queries
from lms.vouchers.models import Gift
from lms.vouchers.operations import GiftWish
from lms.wallet.errors import NotEnough
from lms.wallet.queries import balance_of, house_balance, ledger_faults
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.people import a_student, root
from tests.factories.wallet import a_topped_up_student, euros
from tests.machine import Machine


def allowed(courses: bool = True) -> None:
    """Let students give 10 or 25 euros, or a course."""
    operations.set_gift_rules([euros(25), euros(10)], is_on=True, courses=courses, by=root())


def a_gift(giver: Actor, price: Money | None = None, **wishes: object) -> Gift:
    """Ten euros for Bo."""
    return operations.give(GiftWish(price=price or euros(10), email="bo@example.org", **wishes), by=giver)  # type: ignore[arg-type]


def the_code(work: Session) -> str:
    """The code as it stands in the newest letter."""
    operations.send_due_letters(by=the_platform(CHANNEL))
    letter = work.scalars(select(Mail).order_by(Mail.created_at.desc()).limit(1)).one()
    found = re.search(r"code=([0-9A-Z-]+)", mail.readable(letter, letter.body_text))
    assert found is not None
    return found[1]


def test_give__is_off_until_the_channel_says_so_and_keeps_its_rules(work: Session) -> None:
    giver = a_topped_up_student(euros(50), "Ana")
    with pytest.raises(Forbidden):
        a_gift(giver)
    allowed(courses=False)
    course = a_course("Painting", published=True, price=euros(30))
    for wrong in (
        {"price": euros(11)},
        {"price": euros(30), "course_id": course.id},
        {"email": "nobody"},
        {"send_at": now() - timedelta(days=1)},
    ):
        with pytest.raises(Invalid):
            operations.give(GiftWish(**{"price": euros(10), "email": "bo@example.org"} | wrong), by=giver)  # type: ignore[arg-type]
    allowed()
    with pytest.raises(Invalid, match="fit"):
        a_gift(giver, euros(29), course_id=course.id)
    with pytest.raises(NotEnough), work.begin_nested():
        a_gift(a_student("Poor"))
    assert balance_of(giver.user_id) == euros(50)


def test_give__of_money_is_paid_once_mailed_on_its_day_and_redeemed_by_another(work: Session) -> None:
    allowed()
    giver, friend = a_topped_up_student(euros(50), "Ana"), a_student("Bo")
    gift = a_gift(giver, send_at=now() + timedelta(days=2), message="Happy birthday")
    assert operations.give(GiftWish(price=euros(10), email="bo@example.org"), gift_id=gift.id, by=giver).id == gift.id
    assert (balance_of(giver.user_id), house_balance("vouchers", "EUR")) == (euros(40), euros(-40))
    assert operations.send_due_letters(by=the_platform(CHANNEL)) == 0 and queries.get_given(gift.id).state == "waiting"
    work.execute(text("UPDATE vouchers.letters SET send_at = now()"))
    code = the_code(work)
    letter = work.scalars(select(Mail).where(Mail.to_address == "bo@example.org")).one()
    assert "Happy birthday" in mail.readable(letter, letter.body_text) and letter.is_secret and code not in letter.body_text
    assert "A gift for you from Ana" in letter.subject and queries.get_given(gift.id).state == "sent"
    operations.redeem(code, by=friend)
    assert queries.get_given(gift.id).state == "redeemed" and balance_of(friend.user_id) == euros(10)
    with pytest.raises(Conflict):
        operations.cancel_gift(gift, by=giver)
    batch = queries.get_batch(gift.batch_id)
    for act in (
        lambda: operations.replace_unused(batch, reason="x", by=root()),
        lambda: operations.void_codes(batch, reason="x", by=root()),
    ):
        with pytest.raises(Conflict):
            act()
    assert queries.reconcile(batch).faults == () and queries.voucher_faults() == [] and ledger_faults() == []


def test_cancel_gift__gives_the_money_back_once_and_the_code_stops(work: Session) -> None:
    allowed()
    giver = a_topped_up_student(euros(50), "Ana")
    sent, waiting = a_gift(giver), a_gift(giver, send_at=now() + timedelta(days=2))
    code = the_code(work)
    for gift in (sent, waiting):
        assert operations.cancel_gift(gift, by=giver) and not operations.cancel_gift(gift, by=giver)
    assert balance_of(giver.user_id) == euros(50)
    with pytest.raises(Refusal, match="withdrawn"):
        operations.redeem(code, by=a_student("Bo"))
    assert queries.voucher_faults() == [] and ledger_faults() == []


def test_cancel_gift__beside_its_redemption_does_one_of_the_two(real_database: str) -> None:
    with db.unit_of_work(CHANNEL) as work:
        allowed()
        giver, friend = a_topped_up_student(euros(50), "Ana"), a_student("Bo")
        gift = a_gift(giver)
        code = the_code(work)
    start = threading.Barrier(2)

    def run(act: int) -> bool:
        start.wait()
        try:
            with db.unit_of_work(CHANNEL):
                if act:
                    operations.redeem(code, by=friend)
                else:
                    operations.cancel_gift(queries.get_given(gift.id).gift, by=giver)
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, (0, 1))) == [False, True]
    with db.unit_of_work(CHANNEL):
        assert balance_of(giver.user_id).minor + balance_of(friend.user_id).minor == 5000
        assert queries.voucher_faults() == [] and ledger_faults() == []


def test_give__with_one_id_at_once_is_one_gift_and_nobody_elses(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        allowed()
        giver, other = a_topped_up_student(euros(50), "Ana"), a_topped_up_student(euros(50), "Bo")
    gift_id, start = uuid7(), threading.Barrier(2)

    def run(_number: int) -> str:
        start.wait()
        with db.unit_of_work(CHANNEL):
            return operations.give(GiftWish(price=euros(10), email="bo@example.org"), gift_id=gift_id, by=giver).number

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(run, (0, 1)))) == 1
    with db.unit_of_work(CHANNEL):
        assert balance_of(giver.user_id) == euros(40) and queries.voucher_faults() == []
        with pytest.raises(Conflict):
            operations.give(GiftWish(price=euros(10), email="cy@example.org"), gift_id=gift_id, by=other)
        assert balance_of(other.user_id) == euros(50)


def test_give__of_a_course_buys_it_when_the_code_is_redeemed(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as work:
        allowed()
        giver, friend = a_topped_up_student(euros(50), "Ana"), a_student("Bo")
        course = a_course("Painting", published=True, price=euros(30))
        a_gift(giver, euros(30), course_id=course.id)
        operations.redeem(the_code(work), by=friend)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert list(enrolled_course_ids(friend.user_id)) == [course.id]
        assert (balance_of(friend.user_id), house_balance("revenue", "EUR")) == (euros(0), euros(30))
        assert queries.voucher_faults() == [] and ledger_faults() == []


def test_gifts_new__buys_shows_the_receipt_and_takes_it_back(as_root: Browser, as_sam: Browser, as_ada: Browser) -> None:
    assert as_sam.get("/vouchers/gifts/new").status == 403
    rules = {"is_on": "y", "amounts": "ten", "courses": ""}
    assert "Write amounts like" in as_root.post("/admin/vouchers/gifts/rules", rules, status=422).words
    as_root.post("/admin/vouchers/gifts/rules", rules | {"amounts": "10; 25"}, status=303)
    form = {"what": "value:1000", "email": "bo@example.org", "name": "Bo", "once": "a-key-of-this-gift-alone"}
    assert "the wallet holds" in as_sam.post("/vouchers/gifts/new", form, status=422).words
    with db.unit_of_work(CHANNEL):
        from_ada = a_topped_up_student(euros(20), "Rita")
        gift = a_gift(from_ada)
    assert as_sam.get(f"/vouchers/gifts/{gift.id}").status == 403 == as_ada.get(f"/vouchers/gifts/{gift.id}").status
    page = as_root.get(f"/vouchers/gifts/{gift.id}", status=200)
    assert "Receipt" in page.words and "€10.00" in page.words and "Take the gift back" in page.words
    assert "Rita" in as_root.get("/admin/vouchers/gifts", status=200).words and "bo@example.org" in page.words
    assert "Gift of €10.00" not in as_root.get("/admin/vouchers/batches", status=200).words
    as_root.post(f"/vouchers/gifts/{gift.id}/cancel", status=303)
    assert "Taken back" in as_root.get(f"/vouchers/gifts/{gift.id}", status=200).words
    assert "You have not given anything yet" in as_sam.get("/vouchers/gifts", status=200).words


def test_gifts_create__and_gifts_cancel_by_machine(api_sam: Machine, api_root: Machine) -> None:
    amount = {"minor": 1000, "currency": "EUR"}
    sent = {"price": amount, "email": "bo@example.org"}
    api_sam.money("/vouchers/gifts", sent, status=403)
    api_root.post("/vouchers/gifts/rules", {"is_on": True, "amounts": [amount]})
    assert api_sam.get("/vouchers/gifts/rules")["amounts"] == [amount]
    api_sam.money("/vouchers/gifts", sent, status=409)
    adjust = {"user_id": str(api_sam.person.user_id), "amount": amount, "reason": "Sorry"}
    api_root.money("/wallet/adjustments", adjust, status=201)
    gift = api_sam.money("/vouchers/gifts", sent, status=201)
    assert gift["state"] == "waiting" and api_sam.get("/wallet")["balance"]["minor"] == 0
    assert api_root.get("/vouchers/gifts")["count"] == 1
    assert api_sam.money(f"/vouchers/gifts/{gift['id']}/cancel")["state"] == "cancelled"
    assert api_sam.get(f"/vouchers/gifts/{gift['id']}")["state"] == "cancelled" and api_sam.get("/wallet")["balance"]["minor"] == 1000
