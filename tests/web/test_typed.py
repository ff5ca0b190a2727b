"""What is typed is still there: a form with one wrong field comes back with every other field as it was, the error beside its field,
and the focus on the list of errors."""

from typing import Any

from lms.core import db
from lms.core.decisions import Actor
from lms.courses import queries as courses
from tests.client import Browser, Page
from tests.conftest import CHANNEL
from tests.factories import people
from tests.factories.batches import a_batch as a_group
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.streaming import a_session
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros
from tests.journeys.kit import form_on

LONG = "x" * 9000
TYPED = {"email": "typed@example.org", "text": "Typed words", "textarea": "Typed **words**, and more.", "search": "typed"}


def typed_into(page: Page, having: str) -> dict[str, Any]:
    """The form with that field as a browser would send it, once its empty lines were typed into."""
    values = form_on(page, having=having)
    for name, value in values.items():
        field = page.all(f"//form[.//*[@name='{having}']]//*[@name='{name}']")[0]
        kind = "textarea" if field.tag == "textarea" else str(field.get("type") or ("text" if field.tag == "input" else ""))
        if not value and kind in TYPED and not field.get("pattern"):
            values[name] = TYPED[kind]
    return values


def lost(browser: Browser, path: str, wrong: str, value: str, having: str = "", more: dict[str, str] | None = None) -> list[str]:
    """What a form loses or leaves unsaid when one of its fields is wrong."""
    having = having or wrong
    sent = {**typed_into(browser.get(path, status=200), having), **(more or {}), wrong: value}
    page = browser.post(path, sent, check=False)
    if page.status != 422:
        return [f"{path}: {page.status}, not 422 {page.location}"]
    back = form_on(page, having=having)
    secret = {str(one.get("name")) for one in page.all("//input[@type='password' or @type='hidden']")} | {wrong}
    found = [
        f"{path}: {name} was {sent[name]!r}, is {back.get(name)!r}"
        for name in sent
        if name not in secret and str(back.get(name)).casefold() != str(sent[name]).casefold()
    ]
    if not page.all(f"//*[@name='{wrong}' and @aria-invalid='true' and @aria-describedby]") and not page.all(
        f"//fieldset[@aria-invalid='true'][.//*[@name='{wrong}']]"
    ):
        found.append(f"{path}: no error beside {wrong}")
    if len(page.all("//*[@data-focus and @role='alert']")) != 1:
        found.append(f"{path}: the focus goes nowhere")
    return found


def test_forms_of_the_back_office__keep_what_was_typed(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True, lessons=1, price=euros(10))
        lesson = courses.lessons_of(course.id)[0]
        session, group = a_session(course), a_group(course)
        sam: Actor = people.sam()
        an_enrollment(sam, course)
        batch = a_batch().batch
    c, s = course.id, sam.user_id
    forms = [
        ("/admin/channels/people/new", "email", "nowhere"),
        (f"/admin/channels/people/{s}/edit", "name", ""),
        ("/admin/channels/fields/new", "label", LONG),
        ("/admin/channels/segments/new", "name", LONG),
        ("/admin/channels/settings", "name", ""),
        ("/admin/courses/new", "title", ""),
        (f"/admin/courses/{c}/settings", "title", ""),
        (f"/admin/courses/{c}/dates", "unpublish_at", "2001-01-01T10:00"),
        (f"/admin/courses/lessons/{lesson.id}/edit", "title", ""),
        ("/admin/courses/categories", "name", LONG),
        ("/admin/enrollments/links/new", "label", ""),
        (f"/admin/enrollments/batches/{group.id}/edit", "name", ""),
        (f"/admin/enrollments/batches/new?course={c}", "name", ""),
        ("/admin/notifications/messages/new", "subject", ""),
        ("/admin/streaming/sessions/new", "title", ""),
        (f"/admin/streaming/sessions/{session.id}/edit", "title", ""),
        ("/admin/vouchers/batches/new", "label", LONG),
        (f"/admin/vouchers/batches/{batch.id}/edit", "label", ""),
        (f"/admin/vouchers/batches/{batch.id}/void", "reason", LONG),
        ("/admin/vouchers/gifts/rules", "amounts", "a lot"),
        ("/admin/wallet/limit", "limit", "a lot"),
        (f"/admin/wallet/people/{s}/adjust", "amount", "a lot"),
    ]
    found = [line for path, wrong, value in forms for line in lost(as_root, path, wrong, value)]
    assert not found, "\n".join(found)


def test_forms_of_students__keep_what_was_typed(as_sam: Browser, client: Browser) -> None:
    forms = [("/channels/profile", "name", ""), ("/vouchers/redeem", "code", "no-code")]
    found = [line for path, wrong, value in forms for line in lost(as_sam, path, wrong, value)]
    found += [
        line
        for path, wrong, value in (("/auth/register", "email", "nowhere"), ("/auth/forgot", "email", "nowhere"))
        for line in lost(client, path, wrong, value)
    ]
    assert not found, "\n".join(found)
