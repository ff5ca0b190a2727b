"""Vouchers by machine: codes answered once, redeemed once, voided."""

from typing import Any
from uuid import uuid4

from sqlalchemy import text

from lms.core import db
from tests.conftest import CHANNEL
from tests.machine import Machine

WISH = {"label": "Spring", "value": {"minor": 1500, "currency": "EUR"}, "count": 3, "prefix": "SPR", "per_person": 2}


def a_batch(root: Machine, **wishes: Any) -> dict[str, Any]:
    made: dict[str, Any] = root.money("/vouchers/batches", {**WISH, **wishes}, status=201)
    return made


def test_batches_create__answers_the_codes_once_and_keeps_them_nowhere(api_root: Machine, api_ada: Machine) -> None:
    made = a_batch(api_root)
    assert len(made["codes"]) == 3 and made["owner_id"] == str(api_root.person.user_id)
    assert "codes" not in api_root.get(f"/vouchers/batches/{made['id']}")
    with db.unit_of_work(CHANNEL) as session:
        for table in ("vouchers.codes", "core.idempotency_keys", "core.audit", "core.events", "core.outbox", "core.mails"):
            for code in made["codes"]:
                assert not session.execute(text(f"SELECT 1 FROM {table} t WHERE t::text LIKE :code"), {"code": f"%{code}%"}).all(), table
    api_ada.money("/vouchers/batches", WISH, status=403)


def test_batches_create__refuses_field_by_field(api_root: Machine) -> None:
    for wrong in (
        {"value": {"minor": 0, "currency": "EUR"}}, {"value": {"minor": 5, "currency": "USD"}}, {"count": 0}, {"count": 10_001},
        {"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "2027-01-01T00:00:00"}, {"prefix": "lower"}, {"label": ""}, {"price": 1},
    ):  # fmt: skip
        problem = api_root.money("/vouchers/batches", {**WISH, **wrong}, status=422)
        assert any(name.startswith(next(iter(wrong))) for name in problem["fields"]), (wrong, problem)
    api_root.money("/vouchers/batches", {**WISH, "owner_id": str(uuid4())}, status=404)


def test_redeem__puts_the_value_into_the_wallet_once(api_root: Machine, api_sam: Machine, api_ada: Machine) -> None:
    code = a_batch(api_root)["codes"][0]
    first = api_sam.money("/vouchers/redeem", {"code": f" {code.lower()} "})
    assert api_sam.money("/vouchers/redeem", {"code": code}) == first, "another key, the same redemption"
    assert api_sam.get("/wallet")["balance"]["minor"] == 1500
    api_ada.money("/vouchers/redeem", {"code": code}, status=409)
    api_sam.money("/vouchers/redeem", {"code": "SPR-0000-0000"}, status=404)
    api_sam.post("/vouchers/redeem", {"code": code}, status=422)


def test_batches_void__makes_codes_worthless(api_root: Machine, api_sam: Machine) -> None:
    made = a_batch(api_root)
    codes = api_root.get(f"/vouchers/batches/{made['id']}/codes?sort=number")["rows"]
    assert api_root.post(f"/vouchers/batches/{made['id']}/void", {"reason": "Lost", "code_ids": [codes[0]["id"]]}) == {"count": 1}
    assert api_root.post(f"/vouchers/batches/{made['id']}/void", {"reason": "Lost, too"}) == {"count": 2}
    api_sam.money("/vouchers/redeem", {"code": made["codes"][0]}, status=409)
    trail = api_root.get(f"/vouchers/codes/{codes[0]['id']}")
    assert trail["state"] == "void" and [step["state"] for step in trail["steps"]] == ["sent", "void"]
    assert api_root.get(f"/vouchers/batches/{made['id']}")["standing"]["void"] == 3
    assert api_root.get("/vouchers/codes?state=void")["count"] == 3
    assert api_root.get("/vouchers/batches")["rows"][0]["value"] == {"minor": 1500, "currency": "EUR"}
    api_sam.get(f"/vouchers/batches/{made['id']}", status=403)


def test_batches_edit__changes_what_is_sent_and_nothing_else(api_root: Machine) -> None:
    made = a_batch(api_root)
    path = f"/vouchers/batches/{made['id']}"
    done = api_root.post(f"{path}/edit", {"version": 1, "value_minor": 2000, "domains": ["school.example"], "per_person": None})
    assert done == {"codes": 3, "revived": 0, "version": 2}
    found = api_root.get(path)
    assert (found["value"]["minor"], found["domains"], found["per_person"], found["label"]) == (2000, ["school.example"], None, "Spring")
    assert api_root.post(f"{path}/edit", {"version": 1, "label": "Late"}, status=409)["title"]
    api_root.post(f"{path}/edit", {"version": 2, "label": None}, status=422)


def test_batches_replace__answers_new_codes(api_root: Machine) -> None:
    made = a_batch(api_root)
    path = f"/vouchers/batches/{made['id']}/replace"
    new = api_root.money(path, {"reason": "Lost"}, status=201)
    assert len(new["codes"]) == 3 and new["replaces_id"] == made["id"]
    api_root.money(path, {"reason": "Lost"}, status=422)


def test_finance__and_redemptions__are_lists_for_machines(api_root: Machine, api_ada: Machine) -> None:
    a_batch(api_root)
    assert api_root.get("/vouchers/finance")["rows"][0]["outstanding"] == 3
    assert api_root.get("/vouchers/redemptions")["rows"] == []
    api_ada.get("/vouchers/finance", status=403)


def test_redemptions__is_empty_before_anybody_came(api_root: Machine) -> None:
    assert api_root.get("/vouchers/redemptions")["rows"] == []
