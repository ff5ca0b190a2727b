"""Wallets by machine: one's own, everybody's for admins, the ledger."""

from datetime import timedelta

from flask import Flask

from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.wallet import operations
from tests.conftest import CHANNEL, machine_of, run_jobs
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


def test_adjustments_create__waits_for_another_admin_above_the_limit(app: Flask, api_sam: Machine, api_root: Machine) -> None:
    body = {"user_id": str(api_sam.person.user_id), "amount": {"minor": 50_000, "currency": "EUR"}, "reason": "Prize"}
    made = api_root.money("/wallet/adjustments", body, key="the-same-key", status=201)
    assert api_root.money("/wallet/adjustments", body, key="the-same-key", status=201) == made
    assert made["state"] == "waiting" and made["needs_second"]
    assert api_root.get(f"/wallet/adjustments/{made['id']}") == made and api_root.get("/wallet/adjustments?state=waiting")["count"] == 1
    api_root.money(f"/wallet/adjustments/{made['id']}/approve", {}, status=403)
    api_sam.money("/wallet/adjustments", body, status=403)
    ruth = machine_of(app, lambda: people.a_person("Ruth Second", "admin", "ruth@example.org"))
    api_root.send("POST", "/wallet/adjustments", body, status=422)
    assert ruth.money(f"/wallet/adjustments/{made['id']}/approve", {"word": "Fine"})["state"] == "booked"
    ruth.money(f"/wallet/adjustments/{made['id']}/refuse", {"word": "Late"}, status=409)
    other = api_root.money("/wallet/adjustments", body, status=201)["id"]
    assert ruth.money(f"/wallet/adjustments/{other}/refuse", {"word": "No"})["word"] == "No"
    third = api_root.money("/wallet/adjustments", body, status=201)["id"]
    ruth.money(f"/wallet/adjustments/{third}/withdraw", status=403)
    assert api_root.money(f"/wallet/adjustments/{third}/withdraw")["state"] == "withdrawn"
    assert api_sam.get("/wallet")["balance"]["minor"] == 50_000


def test_books__are_read_on_request(api_sam: Machine, api_root: Machine) -> None:
    assert api_root.get("/wallet/books") == {"is_waiting": False, "read_at": None, "differences": []}
    assert api_root.send("POST", "/wallet/books", status=202)["is_waiting"]
    run_jobs()
    assert api_root.get("/wallet/books")["read_at"]
    api_sam.get("/wallet/books", status=403)


def test_lots_date__changes_the_last_day_of_money(api_sam: Machine, api_root: Machine) -> None:
    until, later = now() + timedelta(days=9), now() + timedelta(days=60)
    sent = {"user_id": str(api_sam.person.user_id), "amount": {"minor": 500, "currency": "EUR"}, "reason": "Sorry"}
    api_root.money("/wallet/adjustments", sent | {"money_until": until.isoformat()}, status=201)
    held = api_sam.get("/wallet")
    assert [part["amount"]["minor"] for part in held["dated"]] == [500] and held["balance"]["minor"] == 500
    (row,) = api_root.get("/wallet/lots")["rows"]
    path = f"/wallet/lots/{row['id']}"
    api_sam.money(f"{path}/date", {"until": later.isoformat(), "reason": "Ill"}, status=403)
    changed = api_root.money(f"{path}/date", {"until": later.isoformat(), "reason": "Ill"})
    assert changed == api_root.get(path) and changed["reason"] == "Ill"
