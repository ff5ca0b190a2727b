"""Door 2 of community: every review, hiding and showing."""

from uuid import UUID

from lms.community import queries
from lms.core import db
from lms.core.ids import uuid7
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.community import a_review
from tests.factories.courses import a_course
from tests.factories.people import a_student, an_instructor


def reviewed(title: str = "Algebra", *, foreign: bool = False, channel: UUID = CHANNEL) -> UUID:
    with db.unit_of_work(channel):
        course = a_course(title, published=True, by=an_instructor() if foreign else None)
        return a_review(a_student(), course, rating=2, body=f"Words on {title}").id


def test_reviews__lists_all_for_admins_and_ones_own_for_instructors(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    reviewed("Algebra")
    reviewed("Botany", foreign=True)
    page = as_root.get("/admin/community/reviews?rating=2&status=visible", status=200)
    assert "Words on Algebra" in page.words and "Words on Botany" in page.words
    page = as_ada.get("/admin/community/reviews", status=200)
    assert "Words on Algebra" in page.words and "Words on Botany" not in page.words
    as_sam.get("/admin/community/reviews", status=403)


def test_reviews_show__tells_what_was_said_and_what_became_of_it(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    review_id = reviewed()
    path = f"/admin/community/reviews/{review_id}"
    assert "Words on Algebra" in as_root.get(path, status=200).words
    assert "Hide" not in as_ada.get(path, status=200).text("//main")
    as_sam.get(path, status=403)
    as_ada.get(f"/admin/community/reviews/{reviewed('Botany', foreign=True)}", status=403)
    as_root.get(f"/admin/community/reviews/{uuid7()}", status=404)
    as_root.get(f"/admin/community/reviews/{reviewed(channel=OTHER_CHANNEL)}", status=404)


def test_reviews_hide__asks_why_and_can_be_undone(as_root: Browser) -> None:
    review_id = reviewed()
    path = f"/admin/community/reviews/{review_id}"
    assert "Words on Algebra" in as_root.get(f"{path}/hide", status=200).words
    assert "Say why" in as_root.post(f"{path}/hide", {"reason": ""}, status=422).words
    assert as_root.post(f"{path}/hide", {"reason": "Spam."}, status=303).location == path
    page = as_root.get(path, status=200)
    assert "Spam." in page.words and "Root Admin" in page.words
    as_root.post(f"{path}/unhide", status=303)
    with db.unit_of_work(CHANNEL):
        assert not queries.get_review(review_id).is_hidden


def test_reviews_unhide__and_hide_are_for_admins(as_ada: Browser, as_sam: Browser) -> None:
    review_id = reviewed()
    for browser in (as_ada, as_sam):
        browser.get(f"/admin/community/reviews/{review_id}/hide", status=403)
        browser.post(f"/admin/community/reviews/{review_id}/hide", {"reason": "x"}, status=403)
        browser.post(f"/admin/community/reviews/{review_id}/unhide", status=403)
