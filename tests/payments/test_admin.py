"""Door 2: orders."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.mail import newest
from lms.enrollments.operations import enroll_by_wallet
from lms.payments import operations, queries
from lms.wallet import operations as wallet
from lms.wallet.models import account_id_of
from lms.wallet.queries import balance_of, find_transaction, house_balance, ledger_faults
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.people import a_student
from tests.factories.wallet import a_topped_up_student, euros


def test_orders__lists_what_was_bought(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(50), "Rita")
        order = operations.pay_from_wallet(student.user_id, uuid7(), euros(30), title="Painting", by=student)
        operations.pay_from_wallet(student.user_id, uuid7(), euros(0), title="Welcome", by=student)
    page = as_root.get("/admin/payments/orders", status=200)
    assert "Painting" in page.words and "€30.00" in page.words and "Welcome" in page.words
    assert "Welcome" not in as_root.get("/admin/payments/orders?method=wallet", status=200).words
    shown = as_root.get(f"/admin/payments/orders/{order.id}", status=200)
    assert shown.text("//h1").startswith("Painting") and "The booking" in shown.words


def test_orders_show__of_nothing_is_not_found(as_root: Browser, as_sam: Browser) -> None:
    assert as_root.get(f"/admin/payments/orders/{uuid7()}").status == 404
    assert as_sam.get("/admin/payments/orders").status == 403


def test_numbers__are_on_receipts_and_find_orders_refunds_and_gifts(as_root: Browser) -> None:
    student, order_id = an_order()
    with db.unit_of_work(CHANNEL):
        order = queries.get_order(order_id)
        refund = operations.refund_order(order, euros(5), "Ill", by=student)
        number, back = order.number, refund.number
        assert re.fullmatch(r"O-\d{4}-\d{4}", number) and re.fullmatch(r"R-\d{4}-\d{4}", back) and number[1:] != back[1:]
    run_jobs()
    for words in (number, number.lower(), number.replace("-", ""), number[2:]):
        assert number in as_root.get(f"/admin/payments/orders?q={words}", status=200).text("//table")
    assert "Nothing fits" in as_root.get("/admin/payments/orders?q=O-9999-9999", status=200).words
    assert back in as_root.get(f"/admin/payments/refunds?q={back}", status=200).text("//table")
    assert number in as_root.get(f"/admin/payments/orders/{order_id}", status=200).words
    assert "Painting" in as_root.get(f"/admin/search/palette?q={number}", htmx=True).words
    assert back in as_root.get(f"/admin/search/palette?q={back[2:]}", htmx=True).words
    with db.unit_of_work(CHANNEL, read_only=True):
        mails = " ".join(one.body_text for one in newest(5, "rita@example.org"))
        assert f"the receipt is {number}." in mails and f"The number of the refund is {back}." in mails


def test_ledger__calls_the_cause_by_its_number_when_the_note_does_not(as_root: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lms.payments.operations.ordering.with_number", lambda title, number: title)  # as notes were before numbers
    student, order_id = an_order()
    with db.unit_of_work(CHANNEL):
        number = queries.get_order(order_id).number
        found = find_transaction("order", order_id)
    assert f"Painting · {number}" in as_root.get("/admin/wallet/transactions", status=200).text("//table")
    asked = as_root.get("/admin/wallet/transactions?columns=source&columns=reference", status=200).text("//table")
    assert number in asked and not re.search("[0-9a-f]{8}-[0-9a-f]{4}-", asked)
    page = as_root.get(f"/admin/wallet/transactions/{found}", status=200)
    assert f"Painting · {number}" in page.words and str(order_id) not in page.words
    account = account_id_of(CHANNEL, "student", student.user_id, "EUR")
    assert number in as_root.get(f"/admin/wallet/accounts/{account}", status=200).words
    assert number in as_root.get(f"/admin/wallet/accounts/{account}/statement?format=csv", status=200).body


def an_order(price: int = 30) -> tuple[Any, UUID]:
    """Somebody with money who bought a course, and the order."""
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(50), "Rita")
        enrollment = enroll_by_wallet(a_course("Painting", published=True, price=euros(price)), by=student)
        assert enrollment.order_id is not None
        return student, enrollment.order_id


def test_orders_refund__shows_what_will_happen_does_it_once_and_is_taken_back(as_root: Browser) -> None:
    student, order_id = an_order()
    page = f"/admin/payments/orders/{order_id}/refund"
    sheet = as_root.get(page, status=200)
    assert "Refund €30.00 to Rita" in sheet.words and "ends at once" in sheet.words and "€20.00 now, €50.00 afterwards" in sheet.words
    part = as_root.get(f"{page}/preview?how=part&amount=12.50", htmx=True, status=200)
    assert "Refund €12.50 to Rita" in part.words and "stays as it is" in part.words and "€17.50" in part.words
    assert "Refund between €0.01 and €30.00" in as_root.get(f"{page}/preview?how=part&amount=31", htmx=True, status=200).words
    assert as_root.get(f"{page}/preview?how=part", status=303).location.endswith(page)
    once = sheet.all("//input[@name='once']")[0].get("value")
    bad = as_root.post(page, {"once": once, "how": "part", "amount": "31", "reason": "Ill"}, status=422)
    assert "Refund between" in bad.words and "Ill" in bad.text("//textarea")
    places = {as_root.post(page, {"once": once, "how": "whole", "reason": "Ill"}, status=303).location for _ in range(2)}
    assert len(places) == 1
    assert "refunded in full" in as_root.post(page, {"once": "another-key", "how": "whole", "reason": "Ill"}, status=422).words
    shown = as_root.get(where := places.pop(), status=200)
    assert "Refund of €30.00 for Painting" in shown.text("//h1") and "can be taken back" in shown.words
    booking = shown.all("//a[contains(., 'The booking')]")[0].get("href")
    assert as_root.get(booking, status=200).all("//a[contains(., 'What caused it')]")[0].get("href") == where
    order = as_root.get(f"/admin/payments/orders/{order_id}", status=200)
    assert "Ill" in order.words and not order.all("//a[contains(., 'Refund…')]")
    for _ in range(2):
        as_root.post(f"{where}/undo", status=303)
    assert "Taken back" in as_root.get(where, status=200).words
    with db.unit_of_work(CHANNEL):
        assert balance_of(student.user_id) == euros(20)
    assert "Taken back" in as_root.get("/admin/payments/refunds?state=undone", status=200).words


def test_refunds_undo__says_when_the_money_is_spent(as_root: Browser) -> None:
    student, order_id = an_order()
    with db.unit_of_work(CHANNEL):
        refund = operations.refund_order(queries.get_order(order_id), euros(30), "Ill", by=student)
        wallet.debit(student.user_id, euros(45), source="adjustment", reference_id=uuid7(), by=student)
    page = as_root.post(f"/admin/payments/refunds/{refund.id}/undo", status=409)
    assert "The money was spent: the wallet holds €5.00" in page.words
    assert as_root.get(f"/admin/payments/refunds/{refund.id}", status=200).words.count("Taken back") <= 1


def test_orders_refund__names_access_and_mails_in_its_pieces(as_root: Browser, as_sam: Browser) -> None:
    _student, order_id = an_order()
    access = as_root.get(f"/admin/enrollments/orders/{order_id}", htmx=True, status=200)
    assert "0 of 2" in access.words and "The progress is kept" in access.words
    mails = as_root.get(f"/admin/notifications/orders/{order_id}", htmx=True, status=200)
    assert "is back in your wallet" in mails.words and "rita@example.org" in mails.words
    for path in (
        f"payments/orders/{order_id}/refund",
        "payments/refunds",
        f"enrollments/orders/{order_id}",
        f"notifications/orders/{order_id}",
    ):
        assert as_sam.get(f"/admin/{path}").status == 403


def test_revenue__is_net_of_refunds_and_opens_what_it_is_made_of(as_root: Browser, as_sam: Browser) -> None:
    student, order_id = an_order()
    with db.unit_of_work(CHANNEL):
        order = queries.get_order(order_id)
        operations.refund_order(order, euros(5), "One lesson failed", by=student)
        undone = operations.refund_order(order, euros(10), "Ill", by=student)
        operations.undo_refund(undone, by=student)
        assert house_balance("revenue", "EUR") == euros(25)
    page = as_root.get("/admin/payments/revenue", status=200)
    assert "€30.00" in page.words and "€5.00" in page.words and "€25.00" in page.text("//tfoot") and "Show the numbers" in page.words
    opened = page.all("//table//a[contains(@href, '/admin/payments/movements?course=')]")[0].get("href")
    moves = as_root.get(opened, status=200)
    assert moves.text("//tfoot").count("€25.00") == 1 and len(moves.all("//tbody/tr[.//a]")) == 4
    assert "Refund taken back" in moves.words and "-€10.00" in moves.words
    assert as_root.get("/admin/payments/revenue?format=csv", check=False).body.count("25.00") == 1
    assert "€25.00" in as_root.get("/admin/", status=200).words
    for path in ("revenue", "movements"):
        assert as_sam.get(f"/admin/payments/{path}").status == 403


def test_movements__narrow_to_a_kind(as_root: Browser) -> None:
    an_order()
    assert "Rita" in as_root.get("/admin/payments/movements?kind=sale", status=200).words
    assert "Rita" not in as_root.get("/admin/payments/movements?kind=refund", status=200).words


def test_orders_refund__of_money_that_expired_asks_what_becomes_of_it(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        student, dating = a_student("Rita"), wallet.Dating(until=now() + timedelta(days=5))
        wallet.credit(student.user_id, euros(30), source="voucher", reference_id=uuid7(), by=student, dating=dating)
        order = operations.pay_from_wallet(student.user_id, uuid7(), euros(30), title="Painting", by=student)
        session.execute(text("UPDATE wallet.lots SET expires_at = expires_at - interval '9 days'"))
    page = f"/admin/payments/orders/{order.id}/refund"
    assert "with a new last day" in as_root.get(page, status=200).words
    sent = {"once": "a-key-for-the-first", "how": "part", "amount": "10", "reason": "Ill", "past": "renew", "until": ""}
    assert "Choose the new last day" in as_root.post(page, sent, status=422).words
    as_root.post(page, sent | {"until": f"{(now() + timedelta(days=30)).date()}"}, status=303)
    assert "expires at once" in as_root.get(f"{page}/preview?how=part&amount=5&past=expire", htmx=True, status=200).words
    as_root.post(page, sent | {"once": "a-key-for-the-second", "past": "expire"}, status=303)
    with db.unit_of_work(CHANNEL):
        assert (balance_of(student.user_id), house_balance("expired", "EUR")) == (euros(10), euros(10))
        assert queries.payment_faults() == [] and ledger_faults() == []
