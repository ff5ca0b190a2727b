"""Door 2 of live classes: planning one, its next step as a button, and who may."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import db
from lms.core.clock import now
from lms.streaming import operations
from lms.streaming.models import Session
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import an_instructor, sam
from tests.factories.streaming import a_session


def planned(state: str = "scheduled") -> Session:
    """A class of Ada's."""
    with db.unit_of_work(CHANNEL):
        return a_session(state=state)


def state_of(session: Session) -> str:
    """Where a class stands now."""
    with db.unit_of_work(CHANNEL) as work:
        return work.execute(select(Session.state).where(Session.id == session.id)).scalar_one()


def a_form(course_id: object, **changes: str) -> dict[str, str]:
    """What a person types to plan a class."""
    begin = (now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    return {
        "course_id": str(course_id),
        "title": "Office hour",
        "starts_at": begin,
        "minutes": "45",
        "join_url": "",
        "description": "",
        **changes,
    }


def test_index__lists_the_classes_one_runs(as_root: Browser, as_ada: Browser) -> None:
    planned()
    with db.unit_of_work(CHANNEL):
        other = a_session(a_course("Chemistry", by=an_instructor()))
        operations.edit_session(
            other, title="Not Ada's", starts_at=other.starts_at, ends_at=other.ends_at, description="", join_url="", by=an_instructor()
        )
    assert {"Questions and answers", "Not Ada's"} <= {
        str(a.text) for a in as_root.get("/admin/streaming/", status=200).all("//td//a | //th//a")
    }
    with db.unit_of_work(CHANNEL) as work:
        other = work.get_one(Session, other.id)
        other.host_id = other.course_id and an_instructor().user_id
    assert "Not Ada" not in as_ada.get("/admin/streaming/", status=200).words


@pytest.mark.parametrize("path", ["/admin/streaming/", "/admin/streaming/sessions/new"])
def test_index__is_closed_to_students(as_sam: Browser, path: str) -> None:
    as_sam.get(path, status=403)


def test_sessions_new__plans_a_class(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course()
    as_ada.get("/admin/streaming/sessions/new", status=200)
    page = as_ada.post("/admin/streaming/sessions/new", a_form(course.id), status=303)
    assert "Office hour" in as_ada.get(page.location, status=200).words


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"starts_at": "2020-01-01T10:00"},
        {"starts_at": "soon"},
        {"minutes": "1"},
        {"join_url": "http://x.example", "provider": "link"},
    ],
)
def test_sessions_new__says_what_is_wrong_and_keeps_what_was_typed(as_ada: Browser, change: dict[str, str]) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course()
    page = as_ada.post("/admin/streaming/sessions/new", a_form(course.id, description="Keep me", **change), status=422)
    assert "Keep me" in page.body and page.all("//*[@class='error']")


def test_sessions_new__of_somebody_elses_course_is_refused(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Chemistry", by=an_instructor())
    as_ada.post("/admin/streaming/sessions/new", a_form(course.id), status=422)


def test_sessions_show__walks_the_class_through_its_states(as_ada: Browser) -> None:
    session = planned()
    path = f"/admin/streaming/sessions/{session.id}"
    for verb, button, after in (("open", "Open the room", "open"), ("start", "Start the class", "live"), ("end", "End the class", "ended")):
        assert button in as_ada.get(path, status=200).words
        as_ada.post(f"{path}/{verb}", status=303)
        assert state_of(session) == after
    assert "Start the class" not in as_ada.get(path, status=200).words


@pytest.mark.parametrize("verb", ["open", "start", "end", "cancel"])
def test_sessions_steps__answer_a_piece_to_htmx_and_refuse_students(as_ada: Browser, as_sam: Browser, verb: str) -> None:
    session = planned({"open": "scheduled", "start": "open", "end": "live", "cancel": "open"}[verb])
    path = f"/admin/streaming/sessions/{session.id}/{verb}"
    as_sam.post(path, status=403, check=False)
    assert as_ada.post(path, htmx=True, status=200).all("//*[@id='session-state']")


def test_sessions_open__twice_changes_nothing(as_ada: Browser) -> None:
    session = planned()
    for _ in range(2):
        as_ada.post(f"/admin/streaming/sessions/{session.id}/open", status=303)
    assert state_of(session) == "open"


def test_sessions_start__out_of_turn_says_what_to_do(as_ada: Browser) -> None:
    session = planned()
    page = as_ada.post(f"/admin/streaming/sessions/{session.id}/start", status=409, check=False)
    assert "Open the room first" in page.words


def test_sessions_end__closes_it(as_ada: Browser) -> None:
    session = planned("live")
    as_ada.post(f"/admin/streaming/sessions/{session.id}/end", status=303)
    assert state_of(session) == "ended"


def test_sessions_cancel__keeps_the_reason(as_root: Browser) -> None:
    session = planned()
    as_root.post(f"/admin/streaming/sessions/{session.id}/cancel", {"reason": "The teacher is ill."}, status=303)
    assert "The teacher is ill." in as_root.get(f"/admin/streaming/sessions/{session.id}", status=200).words


def test_sessions_edit__changes_the_plan(as_ada: Browser) -> None:
    session = planned()
    path = f"/admin/streaming/sessions/{session.id}/edit"
    as_ada.get(path, status=200)
    form = a_form("", title="Renamed")
    del form["course_id"]
    page = as_ada.post(path, form, status=303)
    assert "Renamed" in as_ada.get(page.location, status=200).words
    as_ada.post(path, {**form, "title": ""}, status=422)


def test_sessions_edit__of_somebody_elses_class_is_refused(as_ada: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(a_course("Chemistry", by=an_instructor()))
        sam()
    as_sam.get(f"/admin/streaming/sessions/{session.id}/edit", status=403)
    as_ada.get(f"/admin/streaming/sessions/{session.id}/edit", status=200) if session.host_id == as_ada.person.user_id else as_ada.get(
        f"/admin/streaming/sessions/{session.id}/edit", status=403
    )
