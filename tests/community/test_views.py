"""Door 1 of community: reading reviews and writing one's own."""

from lms.community import operations, queries
from lms.core import db
from lms.core.ids import uuid7
from lms.courses import queries as courses
from lms.courses.models import Course
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.community import a_review
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, root


def a_reviewed_course(reviews: int = 1) -> Course:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        for number in range(reviews):
            a_review(a_student(f"Student {number}"), course, body=f"Words {number}")
        return course


def learn(browser: Browser, course: Course, progress: int) -> None:
    with db.unit_of_work(CHANNEL):
        an_enrollment(browser.person, courses.get_course(course.id), progress=progress)


def test_courses_reviews__is_a_public_piece_of_the_course_page(as_eve: Browser) -> None:
    course = a_reviewed_course(2)
    path = f"/community/courses/{course.id}/reviews"
    piece = as_eve.get(path, htmx=True, status=200)
    assert "Words 0" in piece.words and "2 reviews" in piece.words and not piece.all("//form")
    assert as_eve.get(path, status=303).location == f"/community/courses/{course.id}/review"


def test_courses_reviews__of_a_draft_or_another_channel_is_not_shown(as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        draft = a_course()
    with db.unit_of_work(OTHER_CHANNEL):
        foreign = a_course(published=True)
    as_eve.get(f"/community/courses/{draft.id}/reviews", htmx=True, status=403, check=False)
    as_eve.get(f"/community/courses/{foreign.id}/reviews", htmx=True, status=404, check=False)
    as_eve.get(f"/community/courses/{uuid7()}/review", status=404)


def test_courses_review__pages_through_many(as_eve: Browser) -> None:
    course = a_reviewed_course(23)
    page = as_eve.get(f"/community/courses/{course.id}/review", status=200)
    assert len(page.all("//article")) == 20
    page = as_eve.get(str(page.all('//a[contains(@href, "after=")]')[0].get("href")), status=200)
    assert len(page.all("//article")) == 3
    as_eve.get(f"/community/courses/{course.id}/review?after=x", status=404)


def test_courses_review__is_written_and_changed_by_a_student(as_sam: Browser) -> None:
    course = a_reviewed_course(0)
    learn(as_sam, course, 50)
    path = f"/community/courses/{course.id}/review"
    assert "Write a review" in as_sam.get(path, status=200).words
    assert as_sam.post(path, {"rating": "4", "body": "Good.", "status": "hidden"}, status=303).location == path
    piece = as_sam.post(path, {"rating": "5", "body": "Better."}, htmx=True, status=200)
    assert "Better." in piece.words and "Change your review" in piece.words
    with db.unit_of_work(CHANNEL):
        found = queries.review_of(as_sam.person.user_id, course.id)
        assert found is not None and (found.rating, found.body, found.status) == (5, "Better.", "visible")


def test_courses_review__keeps_what_was_typed_when_stars_are_missing(as_sam: Browser) -> None:
    course = a_reviewed_course(0)
    learn(as_sam, course, 50)
    path = f"/community/courses/{course.id}/review"
    page = as_sam.post(path, {"body": "No stars yet"}, status=422)
    assert "Choose 1 to 5 stars." in page.words and "No stars yet" in page.text("//textarea")
    assert as_sam.post(path, {"rating": "9"}, htmx=True, status=422).all('//*[@id="reviews"]')


def test_courses_review__says_how_far_one_has_to_be(as_sam: Browser, as_eve: Browser) -> None:
    course = a_reviewed_course(0)
    path = f"/community/courses/{course.id}/review"
    assert "Enrol first" in as_sam.post(path, {"rating": "5"}, status=403).words
    learn(as_sam, course, 0)
    assert "You are at 0%." in as_sam.get(path, status=200).words
    assert "You are at 0%." in as_sam.post(path, {"rating": "5"}, status=403).words
    as_eve.post(path, {"rating": "5"}, status=401)


def test_courses_review__shows_words_as_words(as_eve: Browser, as_sam: Browser) -> None:
    course = a_reviewed_course(0)
    with db.unit_of_work(CHANNEL):
        a_review(as_sam.person, course, body="<script>alert(1)</script>\nSecond line")
    page = as_eve.get(f"/community/courses/{course.id}/review", status=200)
    assert "<script>alert" not in page.body and "<script>alert(1)</script>" in page.words


def test_courses_review__tells_the_author_why_it_is_hidden(as_sam: Browser, as_eve: Browser) -> None:
    course = a_reviewed_course(0)
    with db.unit_of_work(CHANNEL):
        review = a_review(as_sam.person, course, body="Rude")
        operations.hide_review(review, reason="Insults the teacher.", by=root())
    path = f"/community/courses/{course.id}/review"
    assert "Insults the teacher." in as_sam.get(path, status=200).words
    assert "Insults" not in as_eve.get(path, status=200).words and "Rude" not in as_eve.get(path, status=200).words
