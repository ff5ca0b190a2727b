"""What must be filled in is asked of invited and joining people, too: before anything else, once, and on to where they were going."""

from collections.abc import Callable

from flask import Flask

from lms.channels import operations, queries
from lms.core import db
from lms.core.decisions import Actor
from tests.client import Browser
from tests.conftest import CHANNEL, newest_code
from tests.factories import people


def asked(label: str = "Student number") -> None:
    with db.unit_of_work(CHANNEL):
        operations.add_field(label, "text", is_required=True, by=people.root())


def who_signs_in(app: Flask, person: Callable[[], Actor]) -> Browser:
    """A browser right after signing in, with its session as it was left."""
    with db.unit_of_work(CHANNEL):
        actor = person()
    browser = Browser(app)
    if browser.sign_in(actor.email, people.PASSWORD).location.startswith("/auth/code"):
        browser.post("/auth/code", {"code": newest_code(actor.email)}, status=303, check=False)
    browser.person = actor
    return browser


def test_welcome__asks_at_the_first_sign_in_and_leads_on(app: Flask, client: Browser) -> None:
    asked()
    nia = who_signs_in(app, lambda: people.a_student("Nia Newcomer"))
    going = nia.get("/courses/?q=algebra&sort=title", status=303).location
    assert going.startswith("/channels/welcome?next=/courses/?q%3Dalgebra%26sort%3Dtitle")
    assert "Student number" in nia.get(going, status=200).words
    nia.get("/auth/sessions", status=200)
    page = nia.post(going, {"x_student_number": "", "next": "/courses/?q=algebra&sort=title"}, status=422)
    assert "Fill this in." in page.words
    data = {"x_student_number": "S-42", "next": "/courses/?q=algebra&sort=title"}
    assert nia.post("/channels/welcome", data, status=303).location == "/courses/?q=algebra&sort=title"
    nia.get("/courses/?q=algebra&sort=title", status=200)
    with db.unit_of_work(CHANNEL):
        assert queries.values_of([nia.person.user_id])[nia.person.user_id] == {"x_student_number": "S-42"}
    assert nia.get("/channels/welcome?next=//evil.example", status=303).location == "/"


def test_welcome__asks_no_admin_and_nobody_where_nothing_is_asked(app: Flask, client: Browser) -> None:
    sam = who_signs_in(app, people.sam)
    sam.get("/courses/", status=200)
    asked()
    sam.get("/courses/", status=200)  # this sign-in was looked at; the next one asks
    who_signs_in(app, people.root).get("/admin/", status=200)
    who_signs_in(app, people.ada).get("/admin/", status=303)
