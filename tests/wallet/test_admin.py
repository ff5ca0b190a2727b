"""Door 2: wallets, the ledger, transactions and the reading of the books."""

import pytest

from lms.core import db
from lms.core.ids import uuid7
from lms.wallet import operations, queries
from lms.wallet.models import account_id_of
from tests.client import Browser
from tests.conftest import CHANNEL
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
    assert as_root.get(f"/admin/wallet/accounts/{house}").status == 404
    assert as_root.get(f"/admin/wallet/accounts/{uuid7()}").status == 404


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
    "path", ["/admin/wallet/", "/admin/wallet/entries", "/admin/wallet/books", "/admin/wallet/people/0190a000-0000-7000-8000-0000000000ff"]
)
def test_wallet__is_not_for_students_and_instructors(as_sam: Browser, as_ada: Browser, as_eve: Browser, path: str) -> None:
    assert as_sam.get(path).status == as_ada.get(path).status == 403
    assert as_eve.get(path).status in (302, 303, 401)
