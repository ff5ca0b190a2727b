"""The walk, step by step and as a whole: an academy opens, a course is made, sold by voucher, watched, talked about, reviewed."""

import csv
import io
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from lms.channels import queries as members
from lms.core import db, mail
from lms.core.money import Money
from lms.courses import queries as courses
from lms.enrollments import queries as enrollments
from lms.wallet import queries as wallet
from tests.client import Browser, Page
from tests.conftest import CHANNEL, newest_code, outbox_errors, run_jobs
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros
from tests.journeys.kit import fill, form_on, link, press

NEW_PASSWORD = "seven quiet otters"


def make_a_course(browser: Browser, title: str, price: str) -> UUID:
    """Through the wizard, as far as its third step."""
    page = fill(browser, "/admin/courses/new", {"title": title, "summary": "Short and clear.", "description": "We **begin** here."})
    course_id = UUID(re.search(r"/courses/([0-9a-f-]{36})/", page.location)[1])  # type: ignore[index]
    fill(browser, f"/admin/courses/{course_id}/wizard/price", {"price": price})
    return course_id


def add_a_lesson(browser: Browser, course_id: UUID, title: str, kind: str = "text") -> str:
    """Into the course's last section, which is made when there is none; the address of the lesson's editor."""
    here = f"/admin/courses/{course_id}"
    page = browser.get(here, status=200)
    if not page.all("//form[contains(@action, '/lessons')]"):
        fill(browser, here, {"title": "Beginnings"}, action="/sections")
    fill(browser, here, {"title": title, "kind": kind}, action="/lessons", having="lesson_id")
    return link(browser.get(here, status=200), title)


def upload(browser: Browser, path: Path) -> dict[str, Any]:
    """As the page's script does it: begin, send the parts straight to the store, end."""
    data = path.read_bytes()
    state = browser.post(
        "/admin/content/uploads", json={"filename": path.name, "size": len(data), "kind": "video"}, status=201, check=False
    ).json
    for part in state["parts"]:
        begin = (part["number"] - 1) * state["part_size"]
        answer = browser.raw.put(part["url"], data=data[begin : begin + part["size"]], base_url="http://localhost")
        assert answer.status_code == 204
    browser.post(state["complete_url"], json={}, status=200, check=False)
    return dict(state)


def register(app: Flask, name: str, email: str) -> Browser:
    """A newcomer makes an account, with the code from the mail."""
    browser = Browser(app)
    page = fill(browser, "/auth/register", {"name": name, "email": email, "password": NEW_PASSWORD})
    assert page.location.startswith("/auth/code")
    fill(browser, page.location, {"code": newest_code(email)})
    return browser


def codes_of(answer: Page) -> list[str]:
    """The codes in a downloaded CSV file."""
    return [row["code"] for row in csv.DictReader(io.StringIO(answer.response.get_data().decode("utf-8-sig")))]


def test_step_1__the_admin_signs_in_invites_an_instructor_and_makes_a_course(app: Flask, connection: Any) -> None:
    with db.unit_of_work(CHANNEL):
        root = people.root()
    admin = Browser(app)
    page = fill(admin, "/auth/sign-in", {"email": root.email, "password": people.PASSWORD})
    assert page.location.startswith("/auth/code"), "staff prove their address as well"
    assert fill(admin, page.location, {"code": newest_code(root.email)}).location.startswith("/admin")
    fill(admin, "/admin/channels/people/new", {"name": "Ivo Instructor", "email": "ivo@example.org", "role": "instructor"})
    run_jobs()
    with db.unit_of_work(CHANNEL, read_only=True):
        letter = mail.newest(1, "ivo@example.org")[0]
        found = re.search(r"http://[^/]+(/auth/invitations/\S+)", mail.readable(letter, letter.body_text))
    assert found
    ivo = Browser(app)
    assert fill(ivo, found[1], {"password": NEW_PASSWORD}).status == 303
    assert "Courses" in ivo.get("/admin/", follow=True, status=200).words
    fill(admin, "/admin/courses/categories", {"name": "Mathematics"})
    course_id = make_a_course(admin, "Algebra", "25")
    with db.unit_of_work(CHANNEL, read_only=True):
        course = courses.get_course(course_id)
        assert (course.price, course.status, course.slug) == (Money(2500, "EUR"), "draft", "algebra")
    preview = admin.post("/admin/courses/markdown/preview", {"description": "We **begin**"}, htmx=True, status=200)
    assert "<strong>begin</strong>" in preview.body


def test_step_2__the_instructor_uploads_a_film_and_the_admin_approves(app: Flask, as_ada: Browser, as_root: Browser, films: Path) -> None:
    course_id = make_a_course(as_ada, "Moving pictures", "10")
    text_lesson = add_a_lesson(as_ada, course_id, "Read this first")
    fill(as_ada, text_lesson, {"body": "Some *words*."}, having="body")
    film_lesson = add_a_lesson(as_ada, course_id, "Watch this", "video")
    state = upload(as_ada, films / "talk.mp4")
    fill(as_ada, film_lesson, {"asset_id": state["asset_id"]}, having="body")
    assert (
        "Waiting" in as_ada.get(state["status_url"], htmx=True, status=200).body
        or "Checking" in as_ada.get(state["status_url"], htmx=True).body
    )
    run_jobs()
    assert not outbox_errors()
    assert "0:03" in as_ada.get(film_lesson, status=200).words, "the video's length is known"
    assert "Read this first" in as_ada.get(f"/admin/courses/{course_id}/preview", follow=True, status=200).words
    press(as_ada, f"/admin/courses/{course_id}/wizard/review", "submit for approval")
    as_ada.post(f"/admin/courses/{course_id}/publish", status=403)
    assert "Moving pictures" in as_root.get("/admin/inbox", status=200).words
    press(as_root, f"/admin/courses/{course_id}/wizard/review", "Publish the lessons")
    assert "Moving pictures" in Browser(app).get("/courses/", status=200).words


def test_step_2__a_broken_film_is_refused_with_the_reason(as_ada: Browser, tmp_path: Path, store: Any) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film" * 100)
    state = upload(as_ada, broken)
    run_jobs()
    page = as_ada.get(state["asset_url"], status=200)
    assert "video" in page.words.lower() and page.all(
        "//*[contains(@class, 'alert') or contains(@class, 'badge') or contains(@class, 'callout')]"
    )
    assert not list(store.root.rglob("*.m3u8"))


def test_step_3__a_batch_of_vouchers_as_file_and_sheet(as_root: Browser) -> None:
    wishes = {"label": "Library", "value": "25", "count": "200", "prefix": "LIB", "per_person": "2", "expires_at": "2030-12-31"}
    page = fill(as_root, "/admin/vouchers/batches/new", wishes)
    answer = as_root.post(f"{page.location}/csv", status=200, check=False)
    codes = codes_of(answer)
    assert len(set(codes)) == 200 and all(code.startswith("LIB-") for code in codes)
    as_root.post(f"{page.location}/sheets", {"layout": "cards8"}, status=303)
    run_jobs()
    file = as_root.get(f"{page.location}/sheets", htmx=True, status=200).all("//form[contains(@action, '/file')]/@action")[0]
    assert as_root.post(file, {"part": "1"}, status=200, check=False).response.get_data().startswith(b"%PDF-")
    as_root.post(f"{page.location}/done", status=303, check=False)
    assert as_root.get(page.location, check=False).status in (403, 404, 409), "the codes are shown once"


def test_step_4__a_student_registers_redeems_enrols_and_watches(app: Flask, connection: Any) -> None:
    with db.unit_of_work(CHANNEL):
        code = a_batch(value=30).codes[0]
        course = a_course("Algebra for beginners", lessons=2, published=True, price=euros(20))
    run_jobs()
    sam = register(app, "Nia Newcomer", "nia@example.org")
    page = fill(sam, f"/vouchers/redeem?code={code}", {}, having="code")
    assert page.location == "/wallet/" and "30" in sam.get("/wallet/", status=200).words
    found = sam.get("/search/?q=algebra", status=200)
    course_page = sam.get(link(found, "Algebra for beginners"), status=200)
    assert course_page.text("//h1") == "Algebra for beginners"
    page = fill(sam, f"/enrollments/courses/{course.id}/enroll", {}, having="agreed")
    lesson = sam.get(page.location, status=200)
    assert "Lesson 1" in lesson.words
    press(sam, page.location, "done")
    with db.unit_of_work(CHANNEL, read_only=True):
        [nia] = members.search_members("nia@")
        enrollment = enrollments.active_enrollment(nia.id, course.id)
        assert enrollment is not None and enrollment.progress == 50
        assert wallet.balance_of(nia.id) == euros(10)


def test_step_5__a_class_is_planned_held_and_talked_in(app: Flask, as_ada: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        an_enrollment(as_sam.person, course)
    plan = {"course_id": str(course.id), "title": "Questions", "starts_at": "2030-01-01T18:00", "minutes": "60"}
    page = fill(as_ada, "/admin/streaming/sessions/new", plan)
    session_id = page.location.rpartition("/")[2]
    run_jobs()
    as_ada.post(f"/admin/streaming/sessions/{session_id}/open", status=303, check=False)
    as_ada.post(f"/admin/streaming/sessions/{session_id}/start", status=303, check=False)
    assert "Questions" in as_sam.get(f"/streaming/sessions/{session_id}", status=200).words
    room = f"/chat/rooms/{session_id}"
    fill(as_sam, room, {"text": "Is zero a number?"}, action="/messages")
    fill(as_ada, room, {"text": "It is, and a good one."}, action="/messages")
    words = as_sam.get(room, status=200).words
    assert words.index("Is zero a number?") < words.index("It is, and a good one.")
    as_ada.post(f"/admin/streaming/sessions/{session_id}/end", status=303, check=False)
    refused = as_sam.post(f"{room}/messages", {**form_on(as_ada.get(room, status=200)), "text": "Hello?"}, check=False)
    assert refused.status in (403, 409, 422)
    Browser(app).get(room, status=303, check=False)


def test_step_6__people_are_told_in_the_app_and_by_mail(app: Flask, as_sam: Browser, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Drawing", published=True)
        an_enrollment(as_sam.person, course)
    run_jobs()
    assert not outbox_errors()
    assert "Drawing" in as_sam.get("/notifications/", status=200).words
    with db.unit_of_work(CHANNEL, read_only=True):
        assert any("Drawing" in letter.subject + letter.body_text for letter in mail.newest(5, as_sam.person.email))
    as_sam.get("/notifications/preferences", status=200)


def test_step_8__a_review_past_a_fifth_and_the_admin_hides_it(as_sam: Browser, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Singing", lessons=4, published=True)
        an_enrollment(as_sam.person, course)
    here = f"/community/courses/{course.id}/review"
    as_sam.post(here, {"rating": "5", "body": "Too early"}, status=403, check=False)
    with db.unit_of_work(CHANNEL):
        an_enrollment(as_sam.person, course, progress=25)
    fill(as_sam, here, {"rating": "2", "body": "My neighbours complain."})
    listed = as_root.get("/admin/community/reviews", status=200)
    assert "Singing" in listed.words
    review = next(str(a.get("href")) for a in listed.all("//a[contains(@href, '/admin/community/reviews/')]"))
    fill(as_root, f"{review}/hide", {"reason": "Off topic."})
    assert "My neighbours complain." not in Browser(as_root.app).get(f"/community/courses/{course.id}/review", check=False).words


@pytest.mark.usefixtures("store")
def test_the_walk__from_an_empty_academy_to_a_review(app: Flask, as_root: Browser, as_ada: Browser, films: Path) -> None:
    """One story without a factory: everything through the pages."""
    course_id = make_a_course(as_ada, "How bread rises", "15")
    lesson = add_a_lesson(as_ada, course_id, "Flour and water")
    fill(as_ada, lesson, {"body": "Mix, and wait."}, having="body")
    film = add_a_lesson(as_ada, course_id, "The fold", "video")
    fill(as_ada, film, {"asset_id": upload(as_ada, films / "talk.mp4")["asset_id"]}, having="body")
    press(as_ada, f"/admin/courses/{course_id}/wizard/review", "submit for approval")
    run_jobs()
    press(as_root, f"/admin/courses/{course_id}/wizard/review", "Publish the lessons")
    batch = fill(as_root, "/admin/vouchers/batches/new", {"label": "Opening", "value": "20", "count": "3"})
    code = codes_of(as_root.post(f"{batch.location}/csv", status=200, check=False))[0]
    run_jobs()
    nia = register(app, "Nia Newcomer", "nia@example.org")
    fill(nia, f"/vouchers/redeem?code={code}", {}, having="code")
    assert nia.get("/courses/how-bread-rises", status=200).text("//h1") == "How bread rises"
    first = fill(nia, f"/enrollments/courses/{course_id}/enroll", {}, having="agreed").location
    press(nia, first, "done")
    second = nia.get(nia.get(f"/enrollments/courses/{course_id}/continue", status=303).location, status=200)
    assert second.text("//h1") == "The fold" and second.all("//video")
    review = f"/community/courses/{course_id}/review"
    fill(nia, review, {"rating": "5", "body": "It rose."})
    run_jobs()
    assert not outbox_errors()
    assert "It rose." in as_root.get("/admin/community/reviews", status=200).words
    assert "5" in as_root.get("/admin/wallet/books", status=200).words
    assert "How bread rises" in as_root.get("/admin/payments/orders", status=200).words
