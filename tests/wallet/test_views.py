"""Door 1: my wallet."""

from datetime import timedelta

from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.wallet import operations
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.wallet import euros


def test_index__shows_balance_and_statement(as_sam: Browser) -> None:
    assert "Nothing has moved yet" in as_sam.get("/wallet/", status=200).words
    with db.unit_of_work(CHANNEL):
        for number in range(30):
            operations.credit(
                as_sam.person.user_id, euros(1), source="voucher", reference_id=uuid7(), note=f"Card {number}", by=as_sam.person
            )
    page = as_sam.get("/wallet/", status=200)
    assert "€30.00" in page.words and "Card 29" in page.words and "Card 3 " not in page.words
    older = page.all("//a[contains(., 'Older movements')]")[0].get("href")
    assert "Card 3" in as_sam.get(older, status=200).words


def test_index__sends_strangers_to_the_sign_in(as_eve: Browser) -> None:
    page = as_eve.get("/wallet/")
    assert page.status in (302, 303) and "/auth/sign-in" in page.location


def test_statement__is_mine_alone_with_opening_and_closing(as_sam: Browser) -> None:
    day = timedelta(days=1)
    with db.unit_of_work(CHANNEL):
        for back, amount in ((400, 10), (20, 5), (10, 2)):
            operations.credit(
                as_sam.person.user_id,
                euros(amount),
                source="voucher",
                reference_id=uuid7(),
                note=f"Card {amount}",
                by=as_sam.person,
                at=now() - back * day,
            )
    assert "Statement" in as_sam.get("/wallet/", status=200).words
    first, last = (now() - 25 * day).date(), (now() - 15 * day).date()
    page = as_sam.get(f"/wallet/statement?first={first}&last={last}", status=200)
    assert "Card 5" in page.words and "Card 2" not in page.words and "Card 10" not in page.words
    assert [value.text for value in page.all("//span[@class='stat-value']")] == ["€10.00", "€5.00", "€0.00", "€15.00"]
    assert "Opening balance,,,10.00,EUR" in as_sam.get(f"/wallet/statement?first={first}&last={last}&format=csv", check=False).body


def test_index__says_how_much_ends_when(as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        dating = operations.Dating(until=now() + timedelta(days=20))
        operations.credit(as_sam.person.user_id, euros(9), source="voucher", reference_id=uuid7(), by=as_sam.person, dating=dating)
    assert "€9.00 of it until" in as_sam.get("/wallet/", status=200).words
