"""The walk in Chromium, against a real server, real workers and real sockets: from the admin's first sign-in to the chat of a class."""

import csv
import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from lms.core import db
from lms.core.clock import now
from tests.browser.kit import Seat, enter, seat
from tests.conftest import CHANNEL, newest_code
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.streaming import a_session
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
PASSWORD = "seven quiet otters"


def go_on(page: Page, button: str) -> None:
    """Press a button and wait for the page it leads to."""
    with page.expect_navigation():
        page.get_by_role("button", name=button).first.click()


def sign_in(one: Seat, email: str, password: str) -> None:
    """By hand: address, password, and for staff the code from the mail."""
    page = one.page
    page.goto("/auth/sign-in")
    one.look()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    go_on(page, "Sign in")
    if "/auth/code" in page.url:
        page.get_by_label("Code").fill(newest_code(email))
        go_on(page, "Go on")


def begin_a_course(one: Seat) -> UUID:
    """The admin, through the wizard; Ada will teach it."""
    page = one.page
    page.goto("/admin/courses/new")
    one.look()
    page.get_by_label("Title").fill("How bread rises")
    page.get_by_label("In one sentence").fill("Flour, water, salt and patience.")
    page.get_by_label("Description").fill("You raise a **starter**, mix, shape and bake.")
    page.get_by_label("Instructor").select_option(label="Ada Lovelace")
    go_on(page, "Save and go on to the content")
    found = re.search(r"/courses/([0-9a-f-]{36})/", page.url)
    assert found
    page.goto(f"/admin/courses/{found[1]}/wizard/price")
    page.locator("#price").fill("15")
    go_on(page, "Save and review")
    one.look()
    return UUID(found[1])


def fill_the_course(one: Seat, course_id: UUID, clip: Path) -> None:
    """Ada adds a section, a text and a film, watches the film being made ready, and asks for approval."""
    page = one.page
    page.goto(f"/admin/courses/{course_id}")
    page.get_by_label("New section").fill("The dough")
    page.get_by_role("button", name="Add section").click()
    for title, kind in (("Flour and water", "Text"), ("The fold", "Video")):
        page.get_by_label("New lesson in The dough").fill(title)
        page.get_by_label("Kind").select_option(label=kind)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("link", name=title)).to_be_visible()
    one.look()
    with page.expect_navigation():
        page.get_by_role("link", name="Flour and water").click()
    page.get_by_label("Text", exact=True).last.fill("Mix, **and wait**.")
    expect(page.locator("#preview strong")).to_have_text("and wait")
    go_on(page, "Save and publish")
    page.goto(f"/admin/courses/{course_id}")
    with page.expect_navigation():
        page.get_by_role("link", name="The fold").click()
    page.set_input_files("#lesson-file", clip)
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=90_000)
    one.look()
    go_on(page, "Save and publish")
    page.goto(f"/admin/courses/{course_id}/wizard/review")
    go_on(page, "Publish the lessons and submit for approval")


def print_vouchers(one: Seat, folder: Path) -> list[str]:
    """The admin makes a batch and downloads its codes, once."""
    page = one.page
    page.goto("/admin/vouchers/batches/new")
    page.get_by_label("Name").fill("Opening day")
    page.get_by_label("Value of one code").fill("20")
    page.get_by_label("How many codes").fill("3")
    one.look()
    with page.expect_navigation():
        page.locator("main form button[type=submit]").last.click()
    one.look()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("CSV")).first.click()
    download.value.save_as(folder / "codes.csv")
    with (folder / "codes.csv").open(encoding="utf-8-sig") as file:
        return [row["code"] for row in csv.DictReader(file)]


def learn(one: Seat, course_id: UUID, code: str) -> None:
    """A newcomer on a phone, in the dark: registers, redeems, enrols, reads, watches, and finds the place again."""
    page = one.page
    page.goto("/auth/register")
    one.look()
    page.get_by_label("Your name").fill("Nia Newcomer")
    page.get_by_label("E-mail").fill("nia@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    go_on(page, "Send me the code")
    page.get_by_label("Code").fill(newest_code("nia@example.org"))
    go_on(page, "Go on")
    page.goto("/vouchers/redeem")
    one.look()
    page.get_by_label("Code").fill(code.lower().replace("-", " "))
    go_on(page, "Redeem the code")
    expect(page.get_by_text("€20.00").first).to_be_visible()
    one.look()
    page.goto("/courses/")
    one.look()
    with page.expect_navigation():
        page.get_by_role("link", name="How bread rises").first.click()
    expect(page.locator("#offer")).to_contain_text("€15.00")
    one.look()
    page.goto(f"/enrollments/courses/{course_id}/enroll")
    one.look()
    go_on(page, "Enrol and pay")
    expect(page.locator("h1")).to_have_text("Flour and water")
    one.look()
    go_on(page, "Mark as done")
    page.goto(f"/enrollments/courses/{course_id}/continue")
    expect(page.locator("h1")).to_have_text("The fold")
    watch(one)


def watch(one: Seat) -> None:
    """The film plays; after a reload it goes on where it stopped."""
    page = one.page
    one.until("document.querySelector('video').readyState >= 2")
    one.look()
    page.evaluate("() => { const v = document.querySelector('video'); v.muted = true; v.play(); }")
    one.until("document.querySelector('video').currentTime > 3")
    with page.expect_response(lambda answer: answer.url.endswith("/heartbeat")):
        page.evaluate("document.querySelector('video').pause()")
    page.reload()
    one.until("document.querySelector('video').readyState >= 1 && document.querySelector('video').currentTime > 2")


def test_walk__a_course_is_made_sold_and_watched(app: Flask, house: str, chromium: Browser, clip: Path, tmp_path: Path) -> None:
    with db.unit_of_work(CHANNEL):
        root, ada = people.root(), people.ada()
    with (
        seat(chromium, house) as admin,
        seat(chromium, house, dark=True) as teacher,
        seat(chromium, house, window="phone", dark=True) as nia,
    ):
        sign_in(admin, root.email, people.PASSWORD)
        expect(admin.page.locator("h1")).to_contain_text("Root")
        admin.look()
        course_id = begin_a_course(admin)
        enter(app, teacher, house, ada)
        fill_the_course(teacher, course_id, clip)
        admin.page.goto("/admin/inbox")
        expect(admin.page.get_by_text("How bread rises")).to_be_visible()
        admin.look()
        admin.page.goto(f"/admin/courses/{course_id}/wizard/review")
        go_on(admin.page, "Publish the lessons and the course")
        codes = print_vouchers(admin, tmp_path)
        learn(nia, course_id, codes[0])
        for path in ("/admin/wallet/", "/admin/payments/orders", "/admin/enrollments/", "/admin/channels/people", "/admin/audit"):
            admin.page.goto(path)
            admin.look()


def test_chat__two_browsers_talk_in_a_class(app: Flask, house: str, chromium: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        ada, sam = people.ada(), people.sam()
        course = a_course(published=True)
        an_enrollment(sam, course)
        session = a_session(course, state="live", starts_at=now() + timedelta(minutes=1))
    with seat(chromium, house) as teacher, seat(chromium, house, window="phone", dark=True) as student:
        enter(app, teacher, house, ada)
        enter(app, student, house, sam)
        for one in (teacher, student):
            one.page.goto(f"/streaming/sessions/{session.id}")
            expect(one.page.get_by_text("Connected")).to_be_visible(timeout=60_000)
            one.look()
        student.page.get_by_role("textbox", name="Message").fill("Is zero a number?")
        student.page.keyboard.press("Enter")
        expect(teacher.page.get_by_text("Is zero a number?")).to_be_visible()
        teacher.page.get_by_role("textbox", name="Message").fill("It is, and a good one.")
        teacher.page.keyboard.press("Enter")
        expect(student.page.get_by_text("It is, and a good one.")).to_be_visible()
        student.page.reload()
        expect(student.page.get_by_text("Is zero a number?")).to_have_count(1)


def test_keyboard__alone_leads_from_sign_in_to_the_first_lesson(house: str, chromium: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
        code = a_batch(value=20).codes[0]
        a_course("Algebra", published=True, price=euros(15))
    with seat(chromium, house) as one:
        page = one.page
        page.goto("/auth/sign-in?next=/vouchers/redeem")
        assert page.evaluate("document.activeElement.name") == "email", "the first field waits for the first key"
        with page.expect_navigation():
            page.keyboard.press("Enter")
        wrong = page.locator(":focus")
        expect(wrong).to_have_attribute("name", "email")
        said = wrong.evaluate(
            "e => e.getAttribute('aria-describedby').split(' ').map(id => document.getElementById(id).textContent).join(' ')"
        )
        assert "your attention" in said, "a refused form leads to its first wrong field, which says how many there are"
        one.faults.clear()  # the console counts the 422 of the refused form
        page.keyboard.type(sam.email)
        page.keyboard.press("Tab")
        page.keyboard.type(people.PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        reach(one, "document.activeElement.name === 'code'")
        page.keyboard.type(code)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.goto("/courses/algebra")
        page.wait_for_load_state("networkidle")
        reach(one, "document.activeElement.closest('#offer a, #offer button') !== null")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        reach(one, "document.activeElement.matches('main button[type=submit]')")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Lesson 1")


def reach(one: Seat, words: str) -> None:
    """Press Tab until the focus is where it is wanted; each stop can be seen."""
    for _ in range(40):
        if one.page.evaluate(words):
            return
        one.page.keyboard.press("Tab")
        seen = one.page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; }"
        )
        assert seen, one.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    raise AssertionError(f"not reached by Tab: {words}")


def test_without_script__people_sign_in_enrol_read_and_talk(house: str, chromium: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
        course = a_course("Algebra", published=True)
        session = a_session(course, state="live", starts_at=now() + timedelta(minutes=1))
    with seat(chromium, house, window="phone", java_script_enabled=False) as one:
        page = one.page
        page.goto("/courses/")
        expect(page.get_by_text("Algebra").first).to_be_visible()
        page.goto("/auth/sign-in")
        page.get_by_label("E-mail").fill(sam.email)
        page.get_by_label("Password").fill(people.PASSWORD)
        go_on(page, "Sign in")
        page.goto("/courses/algebra")
        with page.expect_navigation():
            page.get_by_role("link", name="See the price and enrol").click()
        with page.expect_navigation():
            page.locator("main button[type=submit]").last.click()
        expect(page.locator("h1")).to_have_text("Lesson 1")
        expect(page.get_by_text("Some words.")).to_be_visible()
        page.goto(f"/chat/rooms/{session.id}")
        page.get_by_role("textbox", name="Message").fill("Hello without a script")
        go_on(page, "Send")
        expect(page.get_by_text("Hello without a script")).to_be_visible()
