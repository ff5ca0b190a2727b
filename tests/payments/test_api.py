"""Orders and refunds by machine."""

from lms.core import db
from lms.enrollments.operations import enroll_by_wallet
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.wallet import a_topped_up_student, euros
from tests.machine import Machine


def test_orders_refund__in_parts_and_back(api_root: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        order_id = enroll_by_wallet(a_course(published=True, price=euros(30)), by=a_topped_up_student(euros(50))).order_id
    path, part = f"/payments/orders/{order_id}", {"amount": {"minor": 1000, "currency": "EUR"}, "reason": "One lesson failed"}
    refund = api_root.money(f"{path}/refund", part, key="one-key-of-mine", status=201)
    assert api_root.money(f"{path}/refund", part, key="one-key-of-mine", status=201) == refund
    api_root.send("POST", f"{path}/refund", part, status=422)
    api_ada.money(f"{path}/refund", part, status=403)
    assert api_root.get(path)["refunded_minor"] == 1000
    rest = api_root.money(f"{path}/refund", {"reason": "The rest, too"}, status=201)
    assert rest["amount"]["minor"] == 2000 and rest["ends_access"] and api_root.get(path)["status"] == "refunded"
    api_root.money(f"{path}/refund", part, status=409)
    assert api_root.money(f"/payments/refunds/{rest['id']}/undo")["state"] == "undone"
    api_root.money(f"/payments/refunds/{rest['id']}/undo", status=409)
    assert api_root.get(path)["status"] == "paid" and api_root.get("/payments/refunds?state=applied")["count"] == 1
    assert api_root.get(f"/payments/refunds/{refund['id']}") == refund


def test_orders__are_for_those_who_run_the_channel(api_ada: Machine, api_sam: Machine) -> None:
    for machine in (api_ada, api_sam):
        machine.get("/payments/orders", status=403)
        machine.get("/payments/refunds", status=403)


def test_revenue__and_movements_agree(api_root: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        order_id = enroll_by_wallet(a_course(published=True, price=euros(30)), by=a_topped_up_student(euros(50))).order_id
    api_root.money(f"/payments/orders/{order_id}/refund", {"amount": {"minor": 1000, "currency": "EUR"}, "reason": "Ill"}, status=201)
    month, moves = api_root.get("/payments/revenue"), api_root.get("/payments/movements")
    assert month["totals"]["net"] == moves["totals"]["amount"] == [{"minor": 2000, "currency": "EUR"}]
    assert month["rows"][0]["back"]["minor"] == 1000 and moves["count"] == 2
    api_ada.get("/payments/revenue", status=403)
    api_ada.get("/payments/movements", status=403)
