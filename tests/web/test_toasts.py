"""Single acts leave a toast with Undo, which works without script and tells which change stands in its way."""

from lms.core import db
from lms.courses import operations as courses
from lms.courses import queries
from tests.client import Browser, Page
from tests.conftest import CHANNEL
from tests.factories import people
from tests.factories.courses import a_course


def undo_on(page: Page) -> str:
    return str(page.all("//*[@id='toasts']//form")[0].get("action"))


def test_toast__of_a_single_act_takes_it_back(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=1, published=True)
    where = f"/admin/courses/{course.id}"
    page = as_root.get(as_root.post(f"{where}/archive", status=303).location)
    undo = undo_on(page)
    assert as_root.post(undo, status=303, headers={"Referer": f"http://localhost{where}"}).location == where
    page = as_root.get(where)
    assert "Taken back" in page.words and not page.all("//*[@id='toasts']//form")
    with db.unit_of_work(CHANNEL):
        assert queries.get_course(course.id).status == "published"
    as_root.post(undo, status=303, headers={"Referer": "http://elsewhere.example/x"})


def test_toast__of_a_form_takes_back_all_it_changed_or_nothing(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(title="Algebra", published=True)
        minor = course.price_minor
    where = f"/admin/courses/{course.id}/settings"
    form = as_root.get(where, status=200)
    sent = {field.get("name"): field.get("value") or "" for field in form.all("//main//form[.//*[@name='title']]//input[@name]")}
    sent |= {area.get("name"): area.text or "" for area in form.all("//main//form[.//*[@name='title']]//textarea")}
    sent |= {
        one.get("name"): one.xpath("string(option[@selected]/@value)") for one in form.all("//main//form[.//*[@name='title']]//select")
    }
    page = as_root.get(as_root.post(where, {**sent, "title": "Geometry", "price": "77"}, status=303).location)
    undo = undo_on(page)
    with db.unit_of_work(CHANNEL):
        found = queries.get_course(course.id)
        assert (found.title, found.price_minor) == ("Geometry", 7700)
    as_root.post(undo, status=303)
    with db.unit_of_work(CHANNEL):
        found = queries.get_course(course.id)
        assert (found.title, found.price_minor) == ("Algebra", minor)
    undo = undo_on(
        as_root.get(as_root.post(where, {**sent, "version": str(found.version), "title": "Third", "price": "78"}, status=303).location)
    )
    with db.unit_of_work(CHANNEL):
        found = queries.get_course(course.id)
        courses.edit_course(found, version=found.version, by=people.ada(), title="Fourth")
    as_root.post(undo, status=303)
    assert "changed again since" in as_root.get(where, status=200).words
    with db.unit_of_work(CHANNEL):
        found = queries.get_course(course.id)
        assert (found.title, found.price_minor) == ("Fourth", 7800)
