"""Sales: a lower price for a time, derived by the server in the moment of the order, frozen in it; in every currency."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.clock import now
from lms.core.errors import Invalid
from lms.core.money import Money
from lms.courses import operations, queries
from lms.courses.models import Course, Sale
from lms.enrollments.errors import PriceChanged
from lms.enrollments.operations import enroll_by_wallet
from lms.payments.queries import get_order
from lms.wallet.operations import request_adjustment
from lms.wallet.queries import balance_of, book_faults
from tests.client import Browser
from tests.conftest import CHANNEL, machine_of, signed_in
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.people import a_person, root, sam
from tests.factories.wallet import a_topped_up_student, euros
from tests.machine import Machine

DAY = timedelta(days=1)


def on_sale(price: int = 30, sale: int = 20, *, begins: timedelta = -DAY, ends: timedelta = DAY) -> Course:
    course = a_course("Painting", published=True, price=euros(price))
    operations.set_sale(course, Sale(euros(sale), now() + begins, now() + ends), by=root())
    return queries.get_course(course.id)


def test_set_sale__decides_the_price_by_the_moment(work: Session) -> None:
    course = on_sale()
    sale = course.sale
    assert sale is not None
    moments = (sale.starts_at - timedelta(microseconds=1), sale.starts_at, sale.ends_at - timedelta(microseconds=1), sale.ends_at)
    assert [course.price_at(moment) for moment in moments] == [euros(30), euros(20), euros(20), euros(30)]
    operations.set_sale(course, None, by=root())
    assert course.price_now == euros(30) and course.sale is None


def test_set_sale__says_what_is_wrong_with_it(work: Session) -> None:
    course = a_course(published=True, price=euros(30))
    moment = now()
    for price, begins, ends in ((euros(30), 0, 1), (euros(-1), 0, 1), (Money(100, "USD"), 0, 1), (euros(20), 1, 1), (euros(20), 2, 1)):
        with pytest.raises(Invalid):
            operations.set_sale(course, Sale(price, moment + begins * DAY, moment + ends * DAY), by=root())
    operations.set_sale(course, Sale(euros(20), now(), now() + DAY), by=root())
    with pytest.raises(Invalid, match="must stay below"):
        operations.set_price(course, euros(20), by=root())
    operations.set_price(course, euros(25), by=root())


def test_set_price__clears_a_sale_that_is_over(work: Session) -> None:
    course = on_sale(begins=-2 * DAY, ends=-DAY)
    operations.set_price(course, euros(10), by=root())
    assert course.sale is None and course.price_now == euros(10)


def test_orders__are_made_at_the_price_of_the_moment_and_keep_it(work: Session) -> None:
    course, student = on_sale(), a_topped_up_student(euros(50))
    with pytest.raises(PriceChanged), work.begin_nested():
        enroll_by_wallet(course, by=student, agreed=euros(30))
    order = get_order(enroll_by_wallet(course, by=student, agreed=euros(20)).order_id)
    operations.set_sale(course, None, by=root())
    assert order.amount == euros(20) and balance_of(student.user_id) == euros(30)
    late = a_topped_up_student(euros(50))
    with pytest.raises(PriceChanged), work.begin_nested():
        enroll_by_wallet(course, by=late, agreed=euros(20))
    assert book_faults() == []


def test_catalogue__sorts_and_filters_by_the_price_of_now_and_its_version_knows(work: Session) -> None:
    sold, dear = on_sale(sale=5), a_course("Sculpture", published=True, price=euros(10))
    cheapest = queries.catalogue(queries.CatalogueFilters(sort="price")).courses
    assert [course.id for course in cheapest] == [sold.id, dear.id]
    version = queries.catalogue_version()
    work.execute(text("UPDATE courses.courses SET sale_ends_at = now() - interval '1 hour' WHERE sale_ends_at IS NOT NULL"))
    assert queries.catalogue_version() != version
    work.expire_all()
    assert [course.id for course in queries.catalogue(queries.CatalogueFilters(sort="price")).courses] == [dear.id, sold.id]


def test_sale__stands_in_catalogue_offer_and_confirm_page_with_its_end(as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = on_sale()
        request_adjustment(sam().user_id, euros(50), "Cash", by=root())
    assert "€20.00" in (catalogue := as_sam.get("/courses/", status=200)).words and catalogue.text("//s").endswith("€30.00")
    offer = as_sam.get(f"/enrollments/courses/{course.id}/offer", htmx=True, status=200)
    assert "€20.00" in offer.words and "On sale until" in offer.words and "UTC" in offer.words
    page = as_sam.get(f"/enrollments/courses/{course.id}/enroll", status=200)
    assert "Enrol and pay €20.00" in page.words
    as_sam.post(f"/enrollments/courses/{course.id}/enroll", {"agreed": "2000 EUR"}, status=303)


def test_settings__takes_a_sale_in_the_writers_zone(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        course = a_course("Painting", published=True, price=euros(30))
        session.execute(text("UPDATE auth.users SET zone = 'Africa/Cairo' WHERE email = 'root@example.org'"))
    page = f"/admin/courses/{course.id}/settings"

    def send(**change: str) -> object:
        form = as_root.get(page, status=200)
        version = form.all("//input[@name='version']")[0].get("value")
        words = {"title": "Painting", "level": "any", "version": version, "course_id": str(course.id), "price": "30", "cover_asset_id": ""}
        return as_root.post(page, {**words, **change}, check=False)

    assert "below the price" in send(sale_price="30", sale_ends_at="2030-01-01T00:00").words
    assert "needs a price and an end" in send(sale_price="20").words
    assert send(sale_price="19.5", sale_starts_at="2029-12-31T00:00", sale_ends_at="2030-01-01T00:00").status == 303
    with db.unit_of_work(CHANNEL):
        sale = queries.get_course(course.id).sale
        assert sale is not None and sale.price == Money(1950, "EUR")
        assert sale.starts_at.isoformat() == "2029-12-30T22:00:00+00:00"
    shown = as_root.get(page, status=200)
    assert shown.all("//input[@name='sale_ends_at']")[0].get("value").startswith("2030-01-01T00:00")
    assert send(price="25", sale_price="24", sale_ends_at="2030-01-01T00:00").status == 303
    assert send(price="25").status == 303
    with db.unit_of_work(CHANNEL):
        assert queries.get_course(course.id).sale is None


def test_show_edit__sets_and_ends_a_sale(api_root: Machine, api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Painting", published=True, price=euros(30))
    sale = {"price": {"minor": 1000, "currency": "EUR"}, "ends_at": "2099-01-01T00:00:00Z"}
    made = api_root.patch(f"/courses/{course.id}", {"sale": sale})
    assert made["price_now"]["minor"] == 1000 and made["price"]["minor"] == 3000
    line = api_sam.get("/courses/catalogue")["rows"][0]
    assert line["price_now"]["minor"] == 1000 and line["sale"]["ends_at"].startswith("2099")
    api_root.send("PATCH", f"/courses/{course.id}", {"sale": {**sale, "ends_at": "2000-01-01T00:00:00Z"}}, status=422)
    assert api_root.patch(f"/courses/{course.id}", {"sale": None})["sale"] is None


@pytest.mark.parametrize(("currency", "typed", "minor", "shown"), [("JPY", "1250", 1250, "¥1,250"), ("KWD", "1.255", 1255, "KWD1.255")])
def test_currencies__of_0_and_3_decimals_are_right_wherever_money_is_typed_or_shown(
    app: Flask, connection: object, currency: str, typed: str, minor: int, shown: str
) -> None:
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE channels.channels SET currency = :code WHERE id = :id"), {"code": currency, "id": CHANNEL})
    admin = signed_in(app, people.root)
    with db.unit_of_work(CHANNEL):
        course, student = a_course("Painting", published=True, price=Money(0, currency)), sam()
    page = admin.get(f"/admin/courses/{course.id}/settings", status=200)
    version = page.all("//input[@name='version']")[0].get("value")
    words = {"title": "Painting", "level": "any", "version": version, "course_id": str(course.id), "cover_asset_id": ""}
    admin.post(f"/admin/courses/{course.id}/settings", {**words, "price": typed}, status=303)
    assert admin.get(f"/admin/courses/{course.id}/settings", status=200).all("//input[@name='price']")[0].get("value") == typed
    admin.post(
        f"/admin/wallet/people/{student.user_id}/adjust", {"once": "a-new-key", "way": "in", "amount": typed, "reason": "x"}, status=303
    )
    too_fine = {"once": "b-new-key", "way": "in", "amount": "1.0005", "reason": "x"}
    assert "has more" in admin.post(f"/admin/wallet/people/{student.user_id}/adjust", too_fine, status=422).words
    with db.unit_of_work(CHANNEL):
        assert balance_of(student.user_id) == queries.get_course(course.id).price == Money(minor, currency)
        order = enroll_by_wallet(queries.get_course(course.id), by=student, agreed=Money(minor, currency)).order_id
    for path in ("/admin/wallet/entries", "/admin/payments/orders", "/admin/wallet/transactions", f"/admin/payments/orders/{order}/refund"):
        assert shown in admin.get(path, status=200).words, path
    file = admin.get("/admin/payments/orders?format=csv", check=False).body
    assert f",{typed},{currency}" in file
    machine = machine_of(app, lambda: a_person("Root Admin", "admin", "root@example.org"))
    assert machine.get("/payments/orders")["rows"][0]["amount"] == {"minor": minor, "currency": currency}
    with db.unit_of_work(CHANNEL):
        assert book_faults() == []
