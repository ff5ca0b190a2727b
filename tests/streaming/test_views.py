"""Door 1 of live classes: who sees a class, when Join is there, and what a sign of life writes."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import db
from lms.core.clock import now
from lms.streaming.models import Session, Visit
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.people import sam
from tests.factories.streaming import a_session, enrol

LINK = "https://meet.example/secret-room"


def planned(state: str = "scheduled", *, minutes: int = 60, enrolled: bool = True) -> Session:
    """A class that starts in so many minutes, with Sam in its course or not."""
    with db.unit_of_work(CHANNEL):
        session = a_session(state=state, starts_at=now() + timedelta(minutes=minutes), join_url=LINK)
        if enrolled:
            enrol(sam(), session)
        return session


def test_index__shows_what_is_to_come_in_my_zone(as_sam: Browser) -> None:
    session = planned()
    page = as_sam.get("/streaming/", status=200)
    assert session.title in page.words and "UTC" in page.words


def test_index__says_what_to_do_when_nothing_is_planned(as_sam: Browser) -> None:
    planned(enrolled=False)
    assert "No live class is planned" in as_sam.get("/streaming/", status=200).words


def test_index__sends_strangers_to_sign_in(client: Browser) -> None:
    assert "/auth/sign-in" in client.get("/streaming/").location


def test_upcoming__is_a_piece_of_other_pages(as_sam: Browser) -> None:
    session = planned()
    assert session.title in as_sam.get("/streaming/upcoming", htmx=True, status=200).words
    assert as_sam.get("/streaming/upcoming").location == "/streaming/"


@pytest.mark.parametrize(
    ("state", "minutes", "joins"),
    [("scheduled", 60, False), ("open", 60, False), ("open", 14, True), ("live", 60, True), ("ended", 60, False), ("cancelled", 10, False)],
)
def test_sessions_show__has_join_only_while_it_is_open(as_sam: Browser, state: str, minutes: int, joins: bool) -> None:
    session = planned(state, minutes=minutes)
    page = as_sam.get(f"/streaming/sessions/{session.id}", status=200)
    assert ("Join the class" in page.words) is joins
    assert LINK not in page.body
    join = as_sam.post(f"/streaming/sessions/{session.id}/join", check=False)
    assert (join.location == LINK) is joins
    assert join.status == (303 if joins else 403)


def test_sessions_show__is_closed_to_those_outside_the_course(as_sam: Browser, as_ada: Browser, as_root: Browser) -> None:
    session = planned("live", enrolled=False)
    path = f"/streaming/sessions/{session.id}"
    assert "not enrolled" in as_sam.get(path, status=403).words
    as_sam.post(f"{path}/join", status=403, check=False)
    as_ada.get(path, status=200)
    as_root.get(path, status=200)


def test_sessions_show__sends_strangers_to_sign_in(client: Browser) -> None:
    session = planned("live", enrolled=False)
    assert "/auth/sign-in" in client.get(f"/streaming/sessions/{session.id}").location


def test_sessions_show__of_nothing_is_not_found(as_sam: Browser) -> None:
    as_sam.get("/streaming/sessions/01a1f95e-9f0b-7c80-8ea7-76d7ea8d02e8", status=404)


def test_sessions_heartbeat__writes_attendance_and_answers_the_state(as_sam: Browser) -> None:
    session = planned("live")
    path = f"/streaming/sessions/{session.id}/heartbeat"
    assert "Live" in as_sam.post(path, htmx=True, status=200).words
    assert as_sam.post(path).location == f"/streaming/sessions/{session.id}"
    with db.unit_of_work(CHANNEL) as work:
        assert [visit.source for visit in work.scalars(select(Visit))] == ["page"]


def test_sessions_heartbeat__before_the_room_opens_writes_nothing(as_sam: Browser) -> None:
    session = planned()
    as_sam.post(f"/streaming/sessions/{session.id}/heartbeat", htmx=True, status=200)
    with db.unit_of_work(CHANNEL) as work:
        assert work.scalars(select(Visit)).all() == []


def test_sessions_join__writes_attendance(as_sam: Browser) -> None:
    session = planned("live")
    as_sam.post(f"/streaming/sessions/{session.id}/join", status=303, check=False)
    with db.unit_of_work(CHANNEL) as work:
        assert len(work.scalars(select(Visit)).all()) == 1
