"""Wallets by machine: one's own, everybody's for admins, the ledger."""

from lms.core import db
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.wallet import operations
from tests.conftest import CHANNEL
from tests.factories import people
from tests.machine import Machine


def top_up(machine: Machine, *amounts: int) -> None:
    with db.unit_of_work(CHANNEL):
        for amount in amounts:
            operations.credit(
                machine.person.user_id, Money(amount, "EUR"), source="adjustment", reference_id=uuid7(), note="A gift", by=people.root()
            )


def test_statement__pages_through_every_movement(api_sam: Machine) -> None:
    assert api_sam.get("/wallet")["balance"] == {"minor": 0, "currency": "EUR"}
    top_up(api_sam, 100, 200, 300)
    page = api_sam.get("/wallet/statement?size=2")
    assert [line["amount"]["minor"] for line in page["rows"]] == [300, 200] and page["rows"][0]["balance"]["minor"] == 600
    rest = api_sam.get(f"/wallet/statement?size=2&before={page['before']}")
    assert [line["amount"]["minor"] for line in rest["rows"]] == [100] and rest["before"] is None


def test_people_show__is_for_admins_and_the_person(api_sam: Machine, api_ada: Machine, api_root: Machine) -> None:
    top_up(api_sam, 500)
    path = f"/wallet/people/{api_sam.person.user_id}"
    assert api_root.get(path) == api_sam.get(path)
    assert len(api_root.get(f"{path}/statement")["rows"]) == 1
    api_ada.get(path, status=403)
    api_ada.get(f"{path}/statement", status=403)


def test_transactions_show__has_legs_that_sum_to_zero(api_sam: Machine, api_root: Machine) -> None:
    top_up(api_sam, 500)
    assert api_root.get("/wallet/wallets?with_money=1")["totals"]["balance"] == [{"minor": 500, "currency": "EUR"}]
    assert api_root.get("/wallet/entries")["count"] == 2
    transaction_id = api_sam.get("/wallet/statement")["rows"][0]["transaction_id"]
    transaction = api_root.get(f"/wallet/transactions/{transaction_id}")
    assert sum(leg["amount"]["minor"] for leg in transaction["legs"]) == 0 and len(transaction["legs"]) == 2
    api_sam.get(f"/wallet/transactions/{transaction_id}", status=403)


def test_people_show__knows_every_moment(api_sam: Machine, api_root: Machine) -> None:
    top_up(api_sam, 500)
    path = f"/wallet/people/{api_sam.person.user_id}"
    assert api_root.get(f"{path}?at=2020-01-01T00:00:00Z")["balance"]["minor"] == 0
    assert api_sam.get("/wallet?at=2200-01-01T00:00:00Z")["balance"]["minor"] == 500
    api_sam.get("/wallet?at=yesterday", status=422)


def test_statement_period__opens_and_closes(api_sam: Machine, api_root: Machine) -> None:
    top_up(api_sam, 500, 250)
    mine = api_sam.get("/wallet/statement/period?first=2020-01-01&last=2199-12-31")
    assert (mine["opening"]["minor"], mine["came"]["minor"], mine["went"]["minor"], mine["closing"]["minor"]) == (0, 750, 0, 750)
    assert [line["balance"]["minor"] for line in mine["rows"]] == [500, 750] and mine["count"] == 2
    api_sam.get("/wallet/statement/period?first=2026-02-01&last=2026-01-01", status=422)
    api_sam.get("/wallet/statement/period", status=422)


def test_people_statement_period__is_for_admins_and_the_person(api_sam: Machine, api_ada: Machine, api_root: Machine) -> None:
    path = f"/wallet/people/{api_sam.person.user_id}/statement/period?first=2020-01-01&last=2199-12-31"
    assert api_root.get(path) == api_sam.get(path)
    api_ada.get(path, status=403)


def test_accounts__add_up_to_zero(api_sam: Machine, api_root: Machine) -> None:
    top_up(api_sam, 500)
    assert api_root.get("/wallet/accounts")["totals"]["balance"] == [{"minor": 0, "currency": "EUR"}]


def test_transactions__have_their_amount(api_sam: Machine, api_root: Machine) -> None:
    top_up(api_sam, 500)
    assert api_root.get("/wallet/transactions?source=adjustment")["rows"][0]["amount"] == {"minor": 500, "currency": "EUR"}
    api_sam.get("/wallet/accounts", status=403)
    api_sam.get("/wallet/transactions", status=403)
