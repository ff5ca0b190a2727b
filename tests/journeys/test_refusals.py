"""What goes wrong in real life: the wrong person at the right address, two clicks, two tabs, the back button."""

from typing import Any

import pytest
from flask import Flask

from lms.core import db
from lms.courses import queries as courses
from lms.enrollments import queries as enrollments
from lms.wallet import queries as wallet
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL, signed_in
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros
from tests.journeys.kit import fill, form_on


def test_stranger__reaches_nothing_by_guessing_ids(app: Flask, as_sam: Browser, as_root: Browser) -> None:
    """Sam's things under the eyes of a stranger, of another student, and of the admin of another academy."""
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=2, published=True, price=euros(5))
        lesson = courses.lessons_of(course.id)[0]
        an_enrollment(as_sam.person, course)
        batch = a_batch().batch
    private = [
        f"/enrollments/courses/{course.id}/lessons/{lesson.id}",
        f"/admin/courses/{course.id}",
        f"/admin/vouchers/batches/{batch.id}",
        f"/admin/channels/people/{as_sam.person.user_id}",
        f"/admin/wallet/people/{as_sam.person.user_id}",
        f"/admin/enrollments/people/{as_sam.person.user_id}",
    ]
    eve, nia = Browser(app), signed_in(app, lambda: people.a_student("Nia Newcomer"))
    for path in private:
        page = eve.get(path, check=False)
        assert page.location.startswith("/auth/sign-in") or page.status in (401, 403), f"{path}: {page.status}"
        assert nia.get(path, check=False).status in (403, 404), path
    with db.unit_of_work(OTHER_CHANNEL):
        other = people.a_person("Otto Other", "admin", "otto@example.org")
    otto = Browser(app, host="beta.example")
    otto.sign_in(other.email, people.PASSWORD)
    for path in private:
        assert otto.get(path, check=False).status in (303, 404), path
        assert str(as_sam.person.name) not in otto.get(path, check=False).body


def test_two_clicks__on_enrol_pay_once(as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True, price=euros(10))
        code = a_batch(value=25).codes[0]
    fill(as_sam, f"/vouchers/redeem?code={code}", {}, having="code")
    here = f"/enrollments/courses/{course.id}/enroll"
    form = form_on(as_sam.get(here, status=200), having="agreed")
    first, second = (as_sam.post(here, form, status=303, check=False) for _ in range(2))
    assert first.location.partition("?")[0].rpartition("/")[0] == second.location.partition("?")[0].rpartition("/")[0]
    with db.unit_of_work(CHANNEL, read_only=True):
        assert wallet.balance_of(as_sam.person.user_id) == euros(15)
        assert enrollments.is_enrolled(as_sam.person.user_id, course.id)


def test_two_clicks__on_redeem_and_the_back_button_credit_once(as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        code = a_batch(value=25).codes[0]
    form = form_on(as_sam.get(f"/vouchers/redeem?code={code}", status=200), having="code")
    for _ in range(3):  # a double click, then back and again
        assert as_sam.post("/vouchers/redeem", form, check=False).status == 303
    assert as_sam.get(f"/vouchers/redeem?code={code}", status=200).all("//input[@name='code']")
    with db.unit_of_work(CHANNEL, read_only=True):
        assert wallet.balance_of(as_sam.person.user_id) == euros(25)


def test_two_tabs__the_second_to_save_sees_both_versions(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra")
    here = f"/admin/courses/{course.id}/settings"
    one, two = (form_on(as_ada.get(here, status=200), having="title") for _ in range(2))
    as_ada.post(here, {**one, "summary": "From the first tab"}, status=303, check=False)
    clash = as_ada.post(here, {**two, "summary": "From the second tab"}, check=False)
    assert clash.status in (409, 422)
    assert "From the second tab" in clash.body and "Nothing was overwritten" in clash.words, "what was typed is still there"
    with db.unit_of_work(CHANNEL, read_only=True):
        assert courses.get_course(course.id).summary == "From the first tab"


@pytest.mark.parametrize("path", ["/enrollments/", "/wallet/", "/admin/", "/notifications/"])
def test_signed_out__leads_back_to_where_one_wanted_to_go(client: Browser, path: str, connection: Any) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
    wall = client.get(path, status=303, check=False)
    assert wall.location.startswith("/auth/sign-in?next=")
    page = client.post(wall.location, {"email": sam.email, "password": people.PASSWORD}, status=303, check=False)
    assert page.location == path


def test_signed_in__where_no_academy_answers_is_told_how_to_open_one(as_sam: Browser) -> None:
    """The demo was removed, or a host was forgotten: a browser with an old sign-in gets the page, not a fault."""
    as_sam.raw.set_cookie("lectern", as_sam.raw.get_cookie("lectern").value, domain="nowhere.example")  # type: ignore[union-attr]
    as_sam.host = "nowhere.example"
    page = as_sam.get("/", status=421)
    assert "lms channel create" in page.words
