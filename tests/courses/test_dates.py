"""Days of publication: said on the page or for many at once, kept by the clock, and seen in the inbox when they cannot be."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from lms.core import db, plans
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Invalid
from lms.courses import operations, queries
from lms.courses.jobs import keep_dates
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people
from tests.factories.courses import a_course

LATER = "2031-05-01T08:00"


def test_dates__are_said_on_a_page_and_undone(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=False)
    where = f"/admin/courses/{course.id}/dates"
    as_ada.get(where, status=403, check=False)
    as_root.get(where, status=200)
    refused = as_root.post(where, {"publish_at": "2001-01-01T00:00", "unpublish_at": ""}, status=422)
    assert "in the future" in refused.words
    page = as_root.get(as_root.post(where, {"publish_at": LATER, "unpublish_at": "2031-06-01T08:00"}, status=303).location)
    assert "Will be published on 1 May 2031" in page.words and "Leaves the catalogue on 1 Jun 2031" in page.words
    as_root.post(str(page.all("//*[@id='toasts']//form")[0].get("action")), status=303)
    assert "Will be published" not in as_root.get(f"/admin/courses/{course.id}").words


def test_keep_dates__publishes_and_takes_out_and_waits_in_the_inbox_where_it_cannot(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        ready, empty, over = (
            a_course("Ready", lessons=1, published=False),
            a_course("Empty", published=False),
            a_course("Over", lessons=1, published=True),
        )
        session.execute(text("UPDATE courses.lessons SET status = 'published' WHERE course_id = :id"), {"id": ready.id})
        session.execute(text("UPDATE courses.courses SET publish_at = now() - interval '10 minutes' WHERE status = 'draft'"))
        session.execute(text("UPDATE courses.courses SET unpublish_at = now() - interval '1 minute' WHERE id = :id"), {"id": over.id})
    with db.unit_of_work(CHANNEL):
        keep_dates()
        assert operations.keep_dates(by=the_platform(CHANNEL)) == 0
    with db.unit_of_work(CHANNEL):
        found = {one.title: queries.get_course(one.id) for one in (ready, empty, over)}
        assert {title: one.status for title, one in found.items()} == {"Ready": "published", "Empty": "draft", "Over": "draft"}
        assert found["Ready"].publish_at is None and found["Over"].unpublish_at is None
    assert "could not be published on its day" in as_root.get("/admin/inbox", status=200).words


def test_date_courses__plans_each_in_words_and_takes_it_back(work: db.Session) -> None:
    root = people.root()
    draft, sold = a_course(published=False), a_course(published=True)
    with pytest.raises(Invalid):
        plans.make_from_ids("courses.date_courses", [draft.id], by=root, params={"publish_on": "soon"})
    assert plans.make_from_ids("courses.date_courses", [draft.id], by=root).state == "asking"
    plan = plans.make_from_ids("courses.date_courses", [draft.id, sold.id], by=root, params={"publish_on": "2031-05-01"})
    assert (plan.state, plan.changed_count, plan.refused_count) == ("planned", 1, 1)
    plans.apply(plan, by=root)
    assert draft.publish_at is not None and draft.publish_at > now() + timedelta(days=365)
    plans.undo(plan, by=root)
    assert draft.publish_at is None and plan.undone_count == 1
