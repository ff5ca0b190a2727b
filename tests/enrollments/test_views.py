"""Door 1 of enrollments: my learning, the lesson page, enrolling, the player's reports."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine

from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import queries as courses
from lms.courses.models import Course, Lesson
from lms.enrollments import operations, queries
from lms.vouchers import operations as vouchers
from lms.vouchers.operations.codes import make_codes, write
from lms.wallet import operations as wallet
from lms.wallet.queries import balance_of
from tests.client import Browser, Page
from tests.conftest import CHANNEL, OTHER_CHANNEL, signed_in
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, root
from tests.factories.vouchers import a_batch

PRICE = Money(2500, "EUR")


def made(**options: Any) -> tuple[Course, list[Lesson]]:
    """A published course and its lessons, committed."""
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True, **options)
        return course, list(courses.lessons_of(course.id))


def enrolled(browser: Browser, course: Course, progress: int = 0) -> UUID:
    """Sam in the course."""
    with db.unit_of_work(CHANNEL):
        return an_enrollment(browser.person, courses.get_course(course.id), progress=progress).id


def give(browser: Browser, minor: int) -> None:
    """Money into the browser's person's wallet."""
    with db.unit_of_work(CHANNEL):
        wallet.credit(browser.person.user_id, Money(minor, "EUR"), source="voucher", reference_id=uuid7(), note="Voucher", by=root())


def lesson_path(lesson: Lesson) -> str:
    return f"/enrollments/courses/{lesson.course_id}/lessons/{lesson.id}"


# --- my learning ------------------------------------------------------------------------------------------------------------


def test_index__asks_strangers_to_sign_in(as_eve: Browser) -> None:
    assert as_eve.get("/enrollments/", status=303).location.startswith("/auth/sign-in")


def test_index__says_what_to_do_first(as_sam: Browser) -> None:
    assert "not in any course yet" in as_sam.get("/enrollments/", status=200).words


def test_index__opens_each_course_at_the_lesson_to_go_on_with(as_sam: Browser) -> None:
    course, lessons = made(title="Algebra", lessons=3)
    enrolled(as_sam, course, progress=33)
    page = as_sam.get("/enrollments/", status=200)
    assert page.all(f'//a[@href="{lesson_path(lessons[1])}"]')
    assert "1 of 3 lessons" in page.words and "33" in page.words


def test_index__takes_few_queries_however_many_courses(as_sam: Browser) -> None:
    for number in range(6):
        course, _lessons = made(title=f"Course {number}", lessons=2)
        enrolled(as_sam, course)
    assert len(as_sam.get("/enrollments/", status=200).queries) <= 8


def test_current__is_a_piece_of_the_home_page(as_sam: Browser) -> None:
    course, _lessons = made(title="Algebra")
    enrolled(as_sam, course)
    assert "Algebra" in as_sam.get("/enrollments/current", htmx=True, status=200).body
    assert as_sam.get("/enrollments/current", status=303).location == "/enrollments/"


def test_courses_continue__goes_to_the_next_lesson(as_sam: Browser) -> None:
    course, lessons = made(lessons=3)
    enrolled(as_sam, course, progress=33)
    assert as_sam.get(f"/enrollments/courses/{course.id}/continue", status=303).location == lesson_path(lessons[1])


# --- the lesson page --------------------------------------------------------------------------------------------------------


def test_courses_lessons_show__shows_a_text_with_its_outline(as_sam: Browser) -> None:
    course, lessons = made(lessons=3)
    enrolled(as_sam, course, progress=33)
    page = as_sam.get(lesson_path(lessons[1]), status=200)
    assert page.text("//h1") == "Lesson 2" and page.all("//em")
    assert page.all('//a[@rel="prev"]')[0].get("href") == lesson_path(lessons[0])
    assert page.all('//a[@rel="next"]')[0].get("href") == lesson_path(lessons[2])
    assert "1 of 3 done" in page.words


def test_courses_lessons_show__gives_the_player_a_pass_and_the_place_to_resume(as_sam: Browser) -> None:
    course, film, signed = a_film(as_sam)
    with db.unit_of_work(CHANNEL):
        enrollment = queries.active_enrollment(as_sam.person.user_id, course.id)
        assert enrollment is not None
        watch = operations.watching.read_pass(signed)
        operations.record_beat(watch, [], position_ms=31_500, by=as_sam.person)
    page = as_sam.get(lesson_path(film), status=200)
    video = page.all("//video")[0]
    assert video.get("data-resume") == "31"
    assert page.all("//video/source") and page.all("//noscript")


def test_courses_lessons_show__tells_the_unenrolled_why_and_how_to_enrol(as_sam: Browser) -> None:
    course, lessons = made()
    page = as_sam.get(lesson_path(lessons[0]), status=403)
    assert "You are not enrolled in this course." in page.words
    assert page.all(f'//a[@href="/enrollments/courses/{course.id}/enroll"]')
    assert "Some words" not in page.words


def test_courses_lessons_show__leads_strangers_to_sign_in_and_back(as_eve: Browser) -> None:
    _course, lessons = made()
    location = as_eve.get(lesson_path(lessons[0]), status=303).location
    assert location.startswith("/auth/sign-in") and str(lessons[0].id) in location


def test_courses_lessons_show__opens_a_preview_to_anybody(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        preview = a_lesson(course, title="A taste", is_preview=True)
    page = as_eve.get(lesson_path(preview), status=200)
    assert "free preview" in page.words and len(page.all('//*[@data-state="locked"]')) == 2


def test_courses_lessons_show__hides_drafts_and_foreign_lessons(as_sam: Browser) -> None:
    course, lessons = made()
    other, other_lessons = made(title="Other")
    enrolled(as_sam, course)
    with db.unit_of_work(CHANNEL):
        draft = a_lesson(courses.get_course(course.id), title="Draft", published=False)
    assert "not published" in as_sam.get(lesson_path(draft), status=403).words
    as_sam.get(f"/enrollments/courses/{course.id}/lessons/{other_lessons[0].id}", status=404)
    as_sam.get(f"/enrollments/courses/{other.id}/lessons/{lessons[0].id}", status=404)
    as_sam.get(f"/enrollments/courses/{course.id}/lessons/{uuid7()}", status=404)


def test_courses_lessons_show__of_another_channel_is_not_there(as_sam: Browser) -> None:
    with db.unit_of_work(OTHER_CHANNEL):
        foreign = a_course(published=True)
        lesson = courses.lessons_of(foreign.id)[0]
    as_sam.get(lesson_path(lesson), status=404)
    as_sam.get(f"/enrollments/courses/{foreign.id}/enroll", status=404)
    as_sam.get(f"/enrollments/courses/{foreign.id}/offer", htmx=True, status=404)
    as_sam.post(f"/enrollments/lessons/{lesson.id}/done", status=404)


def test_courses_lessons_show__is_refused_at_once_after_the_enrolment_ended(as_sam: Browser) -> None:
    course, lessons = made()
    enrollment_id = enrolled(as_sam, course)
    as_sam.get(lesson_path(lessons[0]), status=200)
    with db.unit_of_work(CHANNEL):
        operations.end_enrollment(queries.get_enrollment(enrollment_id), reason="The money went back.", by=root())
    page = as_sam.get(lesson_path(lessons[0]), status=403)
    assert "The money went back." in page.words


def test_courses_lessons_show__shows_staff_everything_and_records_nothing(as_ada: Browser) -> None:
    _course, lessons = made()
    page = as_ada.get(lesson_path(lessons[0]), status=200)
    assert "as staff" in page.words and not page.all("//*[@data-pass]")


def test_courses_outline__comes_again_with_the_new_tick(as_sam: Browser) -> None:
    course, lessons = made()
    enrolled(as_sam, course, progress=50)
    piece = as_sam.get(f"/enrollments/courses/{course.id}/outline?lesson={lessons[1].id}", htmx=True, status=200)
    assert piece.all('//*[@data-state="done"]') and "1 of 2 done" in piece.words
    assert as_sam.get(f"/enrollments/courses/{course.id}/outline?lesson={lessons[1].id}", status=303).location == lesson_path(lessons[1])
    as_sam.get(f"/enrollments/courses/{course.id}/outline?lesson=x", htmx=True, status=404)


def test_lessons_done__ticks_a_text_and_goes_on(as_sam: Browser) -> None:
    course, lessons = made()
    enrollment_id = enrolled(as_sam, course)
    assert as_sam.post(f"/enrollments/lessons/{lessons[0].id}/done", status=303).location == lesson_path(lessons[1])
    assert "Done" in as_sam.post(f"/enrollments/lessons/{lessons[0].id}/done", htmx=True, status=200).body
    with db.unit_of_work(CHANNEL):
        assert queries.get_enrollment(enrollment_id).progress == 50


def test_lessons_done__takes_no_word_for_a_video_or_from_the_unenrolled(as_sam: Browser) -> None:
    _course, lessons = made()
    _film_course, film, _signed = a_film(as_sam)
    assert "nine tenths" in as_sam.post(f"/enrollments/lessons/{film.id}/done", status=403).words
    assert "not enrolled" in as_sam.post(f"/enrollments/lessons/{lessons[0].id}/done", status=403).words


# --- the player's reports ---------------------------------------------------------------------------------------------------


def a_film(browser: Browser) -> tuple[Course, Lesson, str]:
    """A course with one film of 61 seconds, the browser's person in it, and the pass of the opened page."""
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=0)
        film = a_lesson(course, title="A film", kind="video")
        an_enrollment(browser.person, courses.get_course(course.id))
    page = browser.get(lesson_path(film), status=200)
    found = re.search(r'data-pass="([^"]+)"', page.body)
    assert found, page.body
    return course, film, found[1]


def beat(browser: Browser, film: Lesson, status: int, **body: Any) -> Page:
    """One report, as the page script sends it."""
    return post_json(browser, f"/enrollments/lessons/{film.id}/heartbeat", body, status)


def post_json(browser: Browser, path: str, body: Any, status: int, **options: Any) -> Page:
    """POST what a script sends."""
    headers = {"Accept": "application/json", **options.pop("headers", {})}
    sent: Any = json.dumps(body)
    return browser.post(path, sent, content_type="application/json", headers=headers, status=status, check=False, **options)


def test_lessons_heartbeat__keeps_what_was_watched_and_says_when_it_is_done(as_sam: Browser) -> None:
    course, film, signed = a_film(as_sam)
    with time_machine.travel(now() + timedelta(seconds=40), tick=False):
        answer = beat(as_sam, film, 204, **{"pass": signed, "played": [{"from": 0, "to": 30.5, "rate": 1}], "position": 30.5})
        assert answer.response.headers["Lesson-State"] == "begun"
    with time_machine.travel(now() + timedelta(seconds=70), tick=False):
        answer = beat(as_sam, film, 204, **{"pass": signed, "played": [{"from": 30.5, "to": 60, "rate": 1}], "late": True})
        assert answer.response.headers["Lesson-State"] == "done"
    with db.unit_of_work(CHANNEL):
        enrollment = queries.active_enrollment(as_sam.person.user_id, course.id)
        assert enrollment is not None and enrollment.progress == 100
        kept = queries.get_progress(enrollment.id, film.id)
        assert kept is not None and (kept.watched_seconds, kept.watch_seconds, kept.position_seconds) == (60, 60, 30)


def test_lessons_heartbeat__costs_one_query_beside_the_sign_in(as_sam: Browser) -> None:
    _course, film, signed = a_film(as_sam)
    answer = beat(as_sam, film, 204, **{"pass": signed, "played": [{"from": 0, "to": 1, "rate": 1}]})
    assert len([statement for statement in answer.queries if "enrollments" in statement]) == 1
    assert len(answer.queries) <= 4, answer.queries


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"played": []},
        {"pass": 5},
        {"played": [{"from": -1, "to": 3}]},
        {"played": [{"from": 0, "to": 1e300}]},
        {"played": [{"from": 0, "to": 3, "rate": 99}]},
        {"played": [{"from": 0, "to": 3}] * 300},
        {"position": "NaN"},
        {"completed": True},
        {"user_id": str(uuid7())},
    ],
)
def test_lessons_heartbeat__refuses_what_is_no_report(as_sam: Browser, body: dict[str, Any]) -> None:
    _course, film, signed = a_film(as_sam)
    sent = body if body in ({}, {"played": []}, {"pass": 5}) else {"pass": signed, **body}
    beat(as_sam, film, 422, **sent)


def test_lessons_heartbeat__takes_no_pass_of_another_lesson_or_person(as_sam: Browser, as_root: Browser) -> None:
    _course, film, signed = a_film(as_sam)
    _other, other_film, _signed = a_film(as_sam)
    beat(as_sam, other_film, 404, **{"pass": signed, "played": []})
    beat(as_root, film, 403, **{"pass": signed, "played": []})
    beat(as_sam, film, 403, **{"pass": signed[:-3] + "AAA", "played": []})


def test_lessons_heartbeat__of_a_stranger_or_of_another_site_is_refused(as_sam: Browser, as_eve: Browser) -> None:
    _course, film, signed = a_film(as_sam)
    beat(as_eve, film, 401, **{"pass": signed, "played": []})
    path = f"/enrollments/lessons/{film.id}/heartbeat"
    post_json(as_sam, path, {"pass": signed}, 403, token=False)
    post_json(as_sam, path, {"pass": signed}, 403, headers={"Origin": "https://evil.example"})


def test_lessons_heartbeat__stops_when_the_enrolment_ended(as_sam: Browser) -> None:
    course, film, signed = a_film(as_sam)
    beat(as_sam, film, 204, **{"pass": signed, "played": []})
    with db.unit_of_work(CHANNEL):
        enrollment = queries.active_enrollment(as_sam.person.user_id, course.id)
        assert enrollment is not None
        operations.end_enrollment(enrollment, reason="Over.", by=root())
    answer = beat(as_sam, film, 409, **{"pass": signed, "played": [{"from": 0, "to": 1, "rate": 1}]})
    assert "ended" in answer.json["title"]


# --- enrolling --------------------------------------------------------------------------------------------------------------


def test_courses_offer__shows_the_price_then_the_way_on(as_sam: Browser, as_eve: Browser) -> None:
    course, lessons = made(price=PRICE)
    path = f"/enrollments/courses/{course.id}/offer"
    for browser in (as_eve, as_sam):
        piece = browser.get(path, htmx=True, status=200)
        assert "€25.00" in piece.words and piece.all(f'//a[@href="/enrollments/courses/{course.id}/enroll"]')
    enrolled(as_sam, course)
    piece = as_sam.get(path, htmx=True, status=200)
    assert "You are enrolled" in piece.words and piece.all(f'//a[@href="{lesson_path(lessons[0])}"]')
    assert as_sam.get(path, status=303).location == f"/enrollments/courses/{course.id}/enroll"


def test_courses_offer__of_a_draft_is_refused(as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        draft = a_course()
    as_sam.get(f"/enrollments/courses/{draft.id}/offer", htmx=True, status=403, check=False)


def test_courses_enroll__shows_the_wallet_before_and_after_and_enrols(as_sam: Browser) -> None:
    course, lessons = made(price=PRICE)
    give(as_sam, 4000)
    path = f"/enrollments/courses/{course.id}/enroll"
    page = as_sam.get(path, status=200)
    for words in ("€25.00", "€40.00", "€15.00", "Enrol and pay €25.00"):
        assert words in page.words
    agreed = page.all('//input[@name="agreed"]')[0].get("value")
    assert as_sam.post(path, {"agreed": agreed}, status=303).location == lesson_path(lessons[0])
    assert as_sam.post(path, {"agreed": agreed}, status=303).location == lesson_path(lessons[0])
    with db.unit_of_work(CHANNEL):
        assert balance_of(as_sam.person.user_id) == Money(1500, "EUR")
    assert as_sam.get(path, status=303).location == lesson_path(lessons[0])


def test_courses_enroll__says_how_much_is_missing_and_where_to_get_it(as_sam: Browser) -> None:
    course, _lessons = made(price=PRICE)
    give(as_sam, 1000)
    path = f"/enrollments/courses/{course.id}/enroll"
    page = as_sam.get(path, status=200)
    assert "€15.00" in page.words and "Redeem a voucher" in page.words
    assert page.all(f'//a[contains(@href, "next=%2Fenrollments%2Fcourses%2F{course.id}%2Fenroll")]')
    refused = as_sam.post(path, {"agreed": "2500 EUR"}, status=422)
    assert "€15.00" in refused.words
    with db.unit_of_work(CHANNEL):
        assert queries.active_enrollment(as_sam.person.user_id, course.id) is None
        assert balance_of(as_sam.person.user_id) == Money(1000, "EUR")


def test_courses_enroll__does_not_take_a_price_nobody_agreed_to(as_sam: Browser) -> None:
    course, _lessons = made(price=PRICE)
    give(as_sam, 9000)
    for agreed in ("100 EUR", "2500 USD", "", "0 EUR"):
        page = as_sam.post(f"/enrollments/courses/{course.id}/enroll", {"agreed": agreed, "price": "0", "source": "manual"}, status=422)
        assert "price changed" in page.words
    with db.unit_of_work(CHANNEL):
        assert balance_of(as_sam.person.user_id) == Money(9000, "EUR")


def test_courses_enroll__with_a_coupon_shows_the_price_first_and_freezes_it(as_sam: Browser) -> None:
    course, lessons = made(price=PRICE)
    give(as_sam, 2000)
    path = f"/enrollments/courses/{course.id}/enroll"
    with db.unit_of_work(CHANNEL):
        coupon = a_batch(1, kind="percent", percent=40, label="Launch")
    assert "do not know this code" in as_sam.post(path, {"code": write(make_codes(1)[0])}, status=422).words
    seen = as_sam.post(path, {"code": coupon.codes[0].lower()}, status=303)
    assert coupon.codes[0][:9] not in seen.location
    page = as_sam.get(seen.location, status=200)
    assert "−€10.00" in page.words and "Enrol and pay €15.00" in page.words and "One coupon for one enrolment" in page.words
    sent = {name: page.all(f'//form//input[@name="{name}"]')[0].get("value") for name in ("agreed", "coupon")}
    assert "price changed" in as_sam.post(path, {**sent, "agreed": "2500 EUR"}, status=422).words
    for _ in range(2):
        assert as_sam.post(path, sent, status=303).location == lesson_path(lessons[0])
    with db.unit_of_work(CHANNEL):
        assert balance_of(as_sam.person.user_id) == Money(500, "EUR")
        enrollment = queries.active_enrollment(as_sam.person.user_id, course.id)
        assert enrollment is not None and enrollment.order_id is not None
        order = enrollment.order_id
    as_root = signed_in(as_sam.app, root)
    assert "Launch ····" in as_root.get(f"/admin/payments/orders/{order}", status=200).words


def test_courses_enroll__drops_a_coupon_that_went_void_and_another_persons_link(as_sam: Browser) -> None:
    course, _lessons = made(price=PRICE)
    give(as_sam, 9000)
    path = f"/enrollments/courses/{course.id}/enroll"
    with db.unit_of_work(CHANNEL):
        coupon = a_batch(1, kind="amount", value=5)
    link = as_sam.post(path, {"code": coupon.codes[0]}, status=303).location
    assert "Enrol and pay €20.00" in as_sam.get(link, status=200).words
    other = signed_in(as_sam.app, lambda: a_student("Nosy Neighbour"))
    assert "−€5.00" not in other.get(link, status=200).words
    with db.unit_of_work(CHANNEL):
        vouchers.void_codes(coupon.batch, reason="Over", by=root())
    page = as_sam.get(link, status=200)
    assert "withdrawn" in page.words and "Enrol and pay €25.00" in page.words
    assert "withdrawn" in as_sam.post(path, {"agreed": "2000 EUR", "coupon": link.partition("coupon=")[2]}, status=422).words


def test_redemptions_courses__are_shown_to_who_redeemed(as_sam: Browser, as_ada: Browser) -> None:
    course, _lessons = made()
    with db.unit_of_work(CHANNEL):
        code = a_batch(1, kind="course", course_ids=[course.id]).codes[0]
        redemption = vouchers.redeem(code, by=as_sam.person)
    path = f"/enrollments/redemptions/{redemption.id}/courses"
    assert as_sam.get(path, status=303).location == "/enrollments/"
    assert "Opening now" in as_sam.get(path, htmx=True, status=200).words
    assert as_ada.get(path, htmx=True).status == 403


def test_courses_enroll__of_a_free_course_is_one_click(as_sam: Browser) -> None:
    course, lessons = made()
    path = f"/enrollments/courses/{course.id}/enroll"
    agreed = as_sam.get(path, status=200).all('//input[@name="agreed"]')[0].get("value")
    assert as_sam.post(path, {"agreed": agreed}, status=303).location == lesson_path(lessons[0])


def test_courses_enroll__is_for_members_and_published_courses(as_sam: Browser, as_eve: Browser) -> None:
    course, _lessons = made()
    with db.unit_of_work(CHANNEL):
        draft = a_course("A draft")
        a_student("Nobody Else")
    assert as_eve.get(f"/enrollments/courses/{course.id}/enroll", status=303).location.startswith("/auth/sign-in")
    assert "not open" in as_sam.get(f"/enrollments/courses/{draft.id}/enroll", status=403).words
