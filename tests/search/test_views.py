"""The public search page and the palette."""

from flask import Flask

from lms.core import db
from lms.enrollments import operations as operations_of_enrolments
from lms.search import operations
from lms.search.admin import places
from lms.web.navigation import exists
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import ada, sam
from tests.factories.wallet import a_topped_up_student, euros


def library() -> None:
    """A published course and a draft, indexed."""
    with db.unit_of_work(CHANNEL):
        sam()
        a_course("Algebra", published=True)
        a_course("Draft of algebra", by=ada())
        operations.rebuild()


def test_index__finds_courses_and_instructors_for_everybody(as_eve: Browser) -> None:
    library()
    page = as_eve.get("/search/?q=algebra", status=200)
    assert page.all("//a[@href='/courses/algebra']") and "Draft of" not in page.words
    assert "Ada Lovelace" in as_eve.get("/search/?q=lovelace&kind=instructors", status=200).words
    assert not as_eve.get("/search/?q=algebra&kind=instructors", status=200).all("//a[@href='/courses/algebra']")
    assert "come close" in as_eve.get("/search/?q=algbera", status=200).words
    assert "Nothing found" in as_eve.get("/search/?q=qqqqqqq", status=200).words


def test_index__takes_anything(as_eve: Browser) -> None:
    for query in ("", "?q=", "?q=%00", "?q='%3B--", "?kind=x&q=a", "?q=<script>alert(1)</script>", "?q=" + "a" * 3000):
        page = as_eve.get(f"/search/{query}", status=200)
        assert "<script>alert" not in page.body


def test_palette__is_for_staff(as_eve: Browser, as_sam: Browser) -> None:
    assert as_eve.get("/admin/search/palette?q=a", htmx=True, check=False).status == 401
    as_sam.get("/admin/search/palette?q=a", htmx=True, status=403, check=False)


def test_palette__finds_what_the_person_may_open(as_root: Browser, as_ada: Browser) -> None:
    library()
    with db.unit_of_work(CHANNEL):
        a_course("Statistics", summary="From a sample to the whole.", published=True)
        operations.rebuild()
    page = as_root.get("/admin/search/palette?q=sam", htmx=True, status=200)
    assert page.words.index("Sam Student") < page.words.index("Statistics")  # Enter opens the first: who is called so, not what says it
    assert "Sam Student" not in as_ada.get("/admin/search/palette?q=sam", htmx=True, status=200).words
    assert "Draft of algebra" in as_ada.get("/admin/search/palette?q=algebra", htmx=True, status=200).words
    lessons = as_ada.get("/admin/search/palette?q=lesson", htmx=True, status=200)
    assert lessons.all("//a[contains(@href, '/admin/courses/lessons/')]")


def test_palette__shows_pages_before_anything_is_typed(as_root: Browser) -> None:
    page = as_root.get("/admin/search/palette", htmx=True, status=200)
    assert page.all("//a[@href='/admin/courses/']") and page.all("//a[@href='/admin/courses/new']")
    assert as_root.get("/admin/search/palette?q=x", status=303).location == "/search/?q=x"


def test_palette__finds_orders_settings_lists_and_help(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Botany", published=True, price=euros(30))
        operations_of_enrolments.enroll_by_wallet(course, by=a_topped_up_student(euros(50), "Olga Orders"))
    page = as_root.get("/admin/search/palette?q=olga", htmx=True, status=200)
    assert "Botany · Olga Orders" in page.words and page.all("//a[contains(@href, '/admin/payments/orders/')]")
    assert "Orders" not in as_ada.get("/admin/search/palette?q=olga", htmx=True, status=200).words
    page = as_root.get("/admin/search/palette?q=custom fields", htmx=True, status=200)
    assert page.all("//a[@href='/admin/channels/fields']")
    page = as_root.get("/admin/search/palette?q=refund", htmx=True, status=200)
    assert "How do I give money back?" in page.words and "Given back" not in page.words
    page = as_ada.get("/admin/search/palette?q=open lesson", htmx=True, status=200)
    assert page.all("//a[@href='/admin/enrollments/why']") and not page.all("//a[contains(@href, '/admin/channels/')]")


def test_palette__leads_only_to_pages_there_are(app: Flask) -> None:
    with app.test_request_context("/"):
        gone = [one.href for one in (*places.PAGES, *places.HELP) if not exists(one.href)]
    assert not gone
