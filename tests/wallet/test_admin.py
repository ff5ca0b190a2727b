"""Door 2: wallets, the ledger, transactions and the reading of the books."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.wallet import operations, queries
from lms.wallet.models import account_id_of
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs, signed_in
from tests.factories.people import a_person, a_student, root, sam
from tests.factories.wallet import a_topped_up_student, euros


def test_index__lists_wallets_with_their_sum(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_topped_up_student(euros(10), "Rich Rita")
        a_topped_up_student(euros(5), "Poor Paul")
    page = as_root.get("/admin/wallet/", status=200)
    assert "Rich Rita" in page.words and "€15.00" in page.words
    assert "Poor Paul" not in as_root.get("/admin/wallet/?q=rita", status=200).words
    assert as_root.get("/admin/wallet/?format=csv", status=200, check=False).body.count("Rita") >= 1


def test_entries__lists_every_leg(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(10), "Rita")
        operations.debit(student.user_id, euros(4), source="order", reference_id=uuid7(), note="Painting", by=student)
    page = as_root.get("/admin/wallet/entries", status=200)
    assert "Painting" in page.words and "€0.00" in page.words
    assert "Painting" not in as_root.get("/admin/wallet/entries?source=voucher", status=200).words


def test_accounts_show__is_a_statement(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(10), "Rita")
    page = as_root.get(f"/admin/wallet/accounts/{account_id_of(CHANNEL, 'student', student.user_id, 'EUR')}", status=200)
    assert page.text("//h1").startswith("Wallet of Rita") and "€10.00" in page.words
    house = account_id_of(CHANNEL, "vouchers", None, "EUR")
    assert as_root.get(f"/admin/wallet/accounts/{house}", status=303).location.endswith("/admin/wallet/entries?account=vouchers")
    assert as_root.get(f"/admin/wallet/accounts/{uuid7()}").status == 404


def test_accounts_show__knows_what_it_held_on_any_day(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student, week = a_student("Rita"), timedelta(days=7)
        operations.credit(student.user_id, euros(10), source="voucher", reference_id=uuid7(), by=student, at=now() - 2 * week)
        operations.debit(student.user_id, euros(3), source="order", reference_id=uuid7(), by=student, at=now() - week)
    page = f"/admin/wallet/accounts/{account_id_of(CHANNEL, 'student', student.user_id, 'EUR')}"
    held = [
        as_root.get(f"{page}?on={(now() - timedelta(days=days)).date()}", status=200).text("//p[@role='status']")
        for days in (20, 14, 8, 7, 0)
    ]
    assert [words.split(" on ")[0] for words in held] == ["€0.00", "€10.00", "€10.00", "€7.00", "€7.00"]
    assert "from 2000" in as_root.get(f"{page}?on=1066-10-14", status=200).words


def test_accounts__add_up_to_zero(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_topped_up_student(euros(10), "Rita")
    page = as_root.get("/admin/wallet/accounts", status=200)
    assert "Rita" in page.words and "-€10.00" in page.words and "€0.00" in page.text("//tfoot")
    assert "-€10.00" not in as_root.get("/admin/wallet/accounts?account=student", status=200).words


def test_transactions__are_found_by_person_and_cause(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(10), "Rita")
        operations.debit(student.user_id, euros(4), source="order", reference_id=uuid7(), note="Painting", by=student)
    assert "€10.00" in as_root.get("/admin/wallet/transactions?q=rita&sort=at", status=200).words
    page = as_root.get("/admin/wallet/transactions?source=order", status=200)
    assert "Painting" in page.words and "Opening" not in page.words and "€4.00" in page.text("//tfoot")


def test_accounts_statement__on_screen_and_as_files(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(10), "Rita")
        operations.debit(student.user_id, euros(4), source="order", reference_id=uuid7(), note="=Painting", by=student)
    page = f"/admin/wallet/accounts/{account_id_of(CHANNEL, 'student', student.user_id, 'EUR')}/statement"
    shown = as_root.get(page, status=200)
    assert shown.text("//h1").startswith("Statement of Rita") and "=Painting" in shown.words and "€6.00" in shown.words
    file = as_root.get(f"{page}?format=csv", check=False)
    assert file.response.mimetype == "text/csv" and "'=Painting,-4.00,6.00,EUR" in file.body and "Closing balance,,,6.00,EUR" in file.body
    assert as_root.get(f"{page}?format=pdf", check=False).response.get_data()[:5] == b"%PDF-"
    assert as_root.get(f"{page}?format=docx", check=False).status == 422
    back = as_root.get(f"{page}?first=2026-02-01&last=2026-01-01", status=422)
    assert "lies before the first" in back.words and back.all("//input[@name='first']")[0].get("value") == "2026-02-01"
    assert as_root.get(f"/admin/wallet/accounts/{account_id_of(CHANNEL, 'vouchers', None, 'EUR')}/statement").status == 303


def test_transactions_show__shows_legs_and_cause(as_root: Browser) -> None:
    reference = uuid7()
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(10), "Rita")
        made = operations.debit(student.user_id, euros(4), source="order", reference_id=reference, note="Painting", by=student)
    page = as_root.get(f"/admin/wallet/transactions/{made}", status=200)
    assert "Rita" in page.words and "Revenue" in page.words and "Painting" in page.words and str(reference) not in page.words


def test_books__are_read_on_request_and_differences_leave_the_inbox_with_their_cause(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_topped_up_student(euros(10))
        assert queries.sums()[0] == ("student", euros(10))
    assert "Not read yet" in as_root.get("/admin/wallet/books", status=200).words
    for _ in range(2):
        as_root.post("/admin/wallet/books", status=303)
    assert "are being read" in as_root.get("/admin/wallet/books/state", htmx=True, status=200).words
    assert run_jobs() and "They agree" in as_root.get("/admin/wallet/books", status=200).words
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT count(*) FROM wallet.readings")).scalar_one() == 1
        wrong = operations.credit(sam().user_id, euros(1), source="adjustment", reference_id=uuid7(), by=root())
    as_root.post("/admin/wallet/books", htmx=True, status=200)
    run_jobs()
    found = as_root.get("/admin/wallet/books", status=200)
    assert "1 difference" in found.words and "is missing, and the ledger booked" in found.words
    assert "The books do not agree" in as_root.get("/admin/inbox", status=200).words
    with db.unit_of_work(CHANNEL) as session:
        mended = text(
            "INSERT INTO wallet.adjustments (id, user_id, amount_minor, currency, reason, state, needs_second, decided_at)"
            " SELECT reference_id, :who, 100, 'EUR', 'Found later', 'booked', false, now() FROM wallet.transactions WHERE id = :id"
        )
        session.execute(mended, {"id": wrong, "who": sam().user_id})
    as_root.post("/admin/wallet/books", status=303)
    run_jobs()
    assert "They agree" in as_root.get("/admin/wallet/books", status=200).words
    assert "The books do not agree" not in as_root.get("/admin/inbox", status=200).words


def test_people_show__is_a_piece_of_the_persons_page(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(10), "Rita")
    assert "€10.00" in as_root.get(f"/admin/wallet/people/{student.user_id}", htmx=True, status=200).body
    assert as_root.get(f"/admin/wallet/people/{student.user_id}").status == 303


@pytest.mark.parametrize(
    "path",
    [
        "/admin/wallet/",
        "/admin/wallet/entries",
        "/admin/wallet/books",
        "/admin/wallet/accounts",
        "/admin/wallet/transactions",
        "/admin/wallet/people/0190a000-0000-7000-8000-0000000000ff",
    ],
)
def test_wallet__is_not_for_students_and_instructors(as_sam: Browser, as_ada: Browser, as_eve: Browser, path: str) -> None:
    assert as_sam.get(path).status == as_ada.get(path).status == 403
    assert as_eve.get(path).status in (302, 303, 401)


def another_admin(app: Flask) -> Browser:
    return signed_in(app, lambda: a_person("Ruth Second", "admin", "ruth@example.org"))


def test_people_adjust__asks_waits_and_is_approved_by_another(app: Flask, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = sam()
    page = f"/admin/wallet/people/{student.user_id}/adjust"
    form = as_root.get(page, status=200)
    once = form.all("//input[@name='once']")[0].get("value")
    bad = as_root.post(page, {"once": once, "way": "in", "amount": "much", "reason": "Prize"}, status=422)
    assert "Write the amount as a number" in bad.words and bad.all("//input[@name='amount']")[0].get("value") == "much"
    sent = {"once": once, "way": "in", "amount": "500", "reason": "Prize"}
    first, again = (as_root.post(page, sent, status=303).location for _ in range(2))
    assert first == again
    assert "sent before" in as_root.post(page, {**sent, "amount": "501"}, status=422).words
    shown = as_root.get(first, status=200)
    assert "You asked for this yourself" in shown.words and "Put €500.00 into the wallet of Sam" in shown.text("//h1")
    assert as_root.post(f"{first}/approve", {"once": "a-new-key"}).status == 403
    inbox = as_root.get("/admin/inbox", status=200)
    assert "Wallet adjustment to approve" in inbox.words
    second = another_admin(app)
    empty = second.post(f"{first}/refuse", {"once": "a-new-key", "word": ""}, status=422)
    assert "Say why" in empty.words
    assert second.post(f"{first}/approve", {"word": "Fine"}, status=422).words.count("too old")
    for _ in range(2):
        assert second.post(f"{first}/approve", {"once": "b-new-key", "word": "Fine"}, status=303).location == first
    assert second.post(f"{first}/approve", {"once": "c-new-key"}, status=409)
    assert "Wallet adjustment to approve" not in as_root.get("/admin/inbox", status=200).words
    booking = second.get(first, status=200).all("//a[contains(., 'The booking')]")[0].get("href")
    assert second.get(booking, status=200).all("//a[contains(., 'What caused it')]")[0].get("href") == first
    with db.unit_of_work(CHANNEL):
        assert queries.balance_of(student.user_id) == euros(500)
    assert "Prize" in as_root.get("/admin/wallet/adjustments?state=booked", status=200).words


def test_adjustments_approve__says_when_the_money_is_gone(app: Flask, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(300))
        made = operations.request_adjustment(student.user_id, euros(-300), "Typing error", by=root())
        operations.debit(student.user_id, euros(1), source="order", reference_id=uuid7(), by=student)
    page = another_admin(app).post(f"/admin/wallet/adjustments/{made.id}/approve", {"once": "a-new-key"}, status=422)
    assert "holds €299.00, so €300.00 cannot be taken out" in page.words and "Decide" in page.words


def test_adjustments_refuse__and_withdraw_move_nothing(app: Flask, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        one, two = (operations.request_adjustment(sam().user_id, euros(300), "Prize", by=root()).id for _ in range(2))
    second = another_admin(app)
    second.post(f"/admin/wallet/adjustments/{one}/refuse", {"once": "a-new-key", "word": "Not on the list"}, status=303)
    assert "Not on the list" in as_root.get(f"/admin/wallet/adjustments/{one}", status=200).words
    assert second.post(f"/admin/wallet/adjustments/{two}/withdraw", {"once": "b-new-key"}).status == 403
    as_root.post(f"/admin/wallet/adjustments/{two}/withdraw", {"once": "a-new-key"}, status=303)
    assert "Taken back" in as_root.get(f"/admin/wallet/adjustments/{two}", status=200).words


def test_limit__is_changed_by_an_owner(app: Flask, as_root: Browser) -> None:
    assert "100.00" in as_root.get("/admin/wallet/limit", status=200).body
    as_root.post("/admin/wallet/limit", {"limit": "250"}, status=303)
    assert as_root.post("/admin/wallet/limit", {"limit": "250.001"}, status=422)
    owner = signed_in(app, lambda: a_person("Olga Owner", "owner"))
    assert as_root.post("/admin/wallet/limit", {"limit": "900"}).status == 403
    assert "Only an owner" in as_root.get("/admin/wallet/limit", status=200).words
    owner.post("/admin/wallet/limit", {"limit": ""}, status=303)
    assert "No limit for one admin" in owner.get("/admin/wallet/adjustments", status=200).words


def test_people_adjust__gives_money_a_last_day_and_lots_show_changes_it(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = a_topped_up_student(euros(10), "Rita")
    day, later = (now() + timedelta(days=10)).date(), (now() + timedelta(days=40)).date()
    path, once = f"/admin/wallet/people/{student.user_id}/adjust", "one-key-and-no-other"
    form = {"way": "out", "amount": "5", "until": f"{day}", "reason": "Sorry", "once": once}
    assert "Only money that comes in has a last day" in as_root.post(path, form, status=422).words
    as_root.post(path, form | {"way": "in"}, status=303)
    wallet = f"/admin/wallet/accounts/{account_id_of(CHANNEL, 'student', student.user_id, 'EUR')}"
    change = as_root.get(wallet, status=200).all("//a[contains(., 'Change the day')]")[0].get("href")
    assert "Sorry" in as_root.get("/admin/wallet/lots", status=200).words
    assert "Say why" in as_root.post(change, {"until": f"{later}", "reason": ""}, status=422).words
    as_root.post(change, {"until": f"{later}", "reason": "Was ill"}, status=303)
    assert "Was ill" in as_root.get(wallet, status=200).words
    piece = as_root.get(f"/admin/wallet/people/{student.user_id}", htmx=True, status=200)
    assert "€5.00 of it until" in piece.words and "€15.00" in piece.words
