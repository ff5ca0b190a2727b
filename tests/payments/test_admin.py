"""Door 2: orders."""

from lms.core import db
from lms.core.ids import uuid7
from lms.payments import operations
from tests.client import Browser
from tests.conftest import CHANNEL
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
