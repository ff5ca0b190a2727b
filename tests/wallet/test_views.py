"""Door 1: my wallet."""

from lms.core import db
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
