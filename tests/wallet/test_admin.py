"""Door 2: wallets, the ledger, transactions and the reading of the books."""

from datetime import timedelta

import pytest

from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.wallet import operations, queries
from lms.wallet.models import account_id_of
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.people import a_student
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
    assert "Rita" in page.words and "Revenue" in page.words and str(reference) in page.words


def test_books__says_that_they_agree(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_topped_up_student(euros(10))
        assert queries.sums()[0] == ("student", euros(10))
    assert "They agree" in as_root.get("/admin/wallet/books", status=200).words


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
