"""Door 1: the catalogue and the course page."""

from lms.core import db
from lms.core.money import Money
from lms.courses import operations, queries
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.courses import a_category, a_course, a_lesson
from tests.factories.people import ada, root


def test_index__shows_published_courses_to_strangers(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("Algebra", published=True, category=a_category("Maths"), price=Money(1250, "EUR"))
        a_course("Secret draft")
    page = as_eve.get("/courses/", status=200)
    assert "Algebra" in page.words and "€12.50" in page.words and "Ada Lovelace" in page.words
    assert "Secret draft" not in page.words


def test_index__searches_and_filters_without_script(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("Algebra", published=True, category=a_category("Maths"))
        a_course("Baking", published=True, price=Money(100, "EUR"))
    assert "Baking" not in as_eve.get("/courses/?q=algebra", status=200).words
    assert "Algebra" not in as_eve.get("/courses/?price=paid", status=200).words
    assert as_eve.get("/courses/?category=maths&sort=title&level=beginner", status=200).words.count("Algebra") >= 1
    assert "come close" in as_eve.get("/courses/?q=algbera", status=200).words
    assert "No course fits" in as_eve.get("/courses/?q=zzzzzzz", status=200).words


def test_index__takes_any_address(as_eve: Browser) -> None:
    for query in (
        "page=0",
        "page=-1",
        "page=x",
        "page=99999",
        "page=%C2%B2",
        "instructor=x",
        "instructor=' or 1=1",
        "q=%00",
        "level=guru",
        "sort=x",
        "category=%00",
        "q=" + "a" * 3000,
    ):
        as_eve.get(f"/courses/?{query}", status=200)


def test_index__is_empty_with_a_word(as_eve: Browser) -> None:
    assert "still empty" in as_eve.get("/courses/", status=200).words


def test_index__answers_304_until_something_changes(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", published=True)
    first = as_eve.get("/courses/", status=200)
    mark = first.response.headers["ETag"]
    again = as_eve.get("/courses/", headers={"If-None-Match": mark}, status=304)
    assert again.body == "" and len(again.queries) <= 2
    assert as_eve.get("/courses/?q=x", headers={"If-None-Match": mark}).status == 200
    with db.unit_of_work(CHANNEL):
        operations.set_price(queries.get_course(course.id), Money(5, "EUR"), by=root())
    assert as_eve.get("/courses/", headers={"If-None-Match": mark}).status == 200


def test_index__is_made_anew_for_people(as_sam: Browser) -> None:
    assert "ETag" not in as_sam.get("/courses/", status=200).response.headers


def test_show__has_outline_offer_and_instructor(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", lessons=1, published=True, description="# Inside\n\nWe **begin**. <script>alert(1)</script>")
        preview = a_lesson(course, title="Taster", is_preview=True)
        a_lesson(course, title="Unfinished", published=False)
    page = as_eve.get("/courses/algebra", status=200)
    assert page.text("//h1") == "Algebra" and "Inside" in page.words and "Ada Lovelace" in page.words
    assert "Lesson 1" in page.words and "Unfinished" not in page.words
    assert page.all(f"//a[@href='/enrollments/courses/{course.id}/lessons/{preview.id}']")
    assert page.all(f"//*[@hx-get='/enrollments/courses/{course.id}/offer']")
    assert not page.all("//main//script") and "<script>alert" not in page.body
    assert page.response.headers["ETag"]
    assert as_eve.get("/courses/algebra", headers={"If-None-Match": page.response.headers["ETag"]}).status == 304


def test_show__of_a_draft_is_not_there_for_strangers_and_students(as_eve: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Draft")
        gone = a_course("Gone", published=True)
        operations.delete_course(gone, by=root())
    for browser in (as_eve, as_sam):
        browser.get(f"/courses/{course.slug}", status=404)
        browser.get(f"/courses/{gone.slug}", status=404)
        browser.get("/courses/never-was", status=404)


def test_show__of_a_draft_is_there_for_its_instructor(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("Draft of mine", by=ada())
    assert "not in the catalogue" in as_ada.get("/courses/draft-of-mine", status=200).words


def test_show__has_addresses_in_every_script(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("الجبر للجميع", published=True)
    assert as_eve.get("/courses/الجبر-للجميع", status=200).text("//h1") == "الجبر للجميع"


def test_show__in_another_channel_is_not_there(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("Algebra", published=True)
    other = Browser(as_eve.app, host="beta.example")
    other.get("/courses/algebra", status=404)
    assert "Algebra" not in other.get("/courses/", status=200).words
