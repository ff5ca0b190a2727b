"""Live classes by machine."""

from datetime import timedelta

from flask import Flask

from lms.core import db
from lms.core.clock import now
from tests.conftest import CHANNEL, machine_of
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.streaming import a_session, enrol
from tests.machine import Machine


def test_sessions_create__plans_a_class_of_ones_own_course(api_ada: Machine, api_sam: Machine, app: Flask) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
    begin = now() + timedelta(days=1)
    wish = {
        "course_id": str(course.id),
        "title": "Questions",
        "starts_at": begin.isoformat(),
        "ends_at": (begin + timedelta(hours=1)).isoformat(),
        "join_url": "https://meet.example/room",
    }
    made = api_ada.post("/streaming/sessions", wish, status=201)
    assert made["state"] == "scheduled"
    api_ada.post("/streaming/sessions", {**wish, "ends_at": wish["starts_at"]}, status=422)
    api_ada.post("/streaming/sessions", {**wish, "starts_at": "2027-01-01T10:00:00"}, status=422)
    assert machine_of(app, people.an_instructor).post("/streaming/sessions", wish, status=403)["rule"] == "instructor"
    api_sam.post("/streaming/sessions", wish, status=403)
    assert api_ada.patch(f"/streaming/sessions/{made['id']}", {"title": "Answers"})["title"] == "Answers"
    assert api_ada.get("/streaming/sessions")["count"] == 1
    assert api_ada.post(f"/streaming/sessions/{made['id']}/cancel", {"reason": "Ill"})["state"] == "cancelled"


def test_sessions_join__is_for_those_enrolled_while_the_room_is_open(api_ada: Machine, api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(join_url="https://meet.example/room")
    path = f"/streaming/sessions/{session.id}"
    assert api_sam.get(path, status=403)["rule"] == "enrolled"
    with db.unit_of_work(CHANNEL):
        enrol(api_sam.person, session)
    assert api_sam.get(path)["join_url"] == ""
    assert api_sam.post(f"{path}/join", status=403)["rule"] == "early"
    assert [row["id"] for row in api_sam.get("/streaming/mine")["rows"]] == [str(session.id)]
    api_sam.post(f"{path}/open", status=403)
    assert api_ada.post(f"{path}/open")["state"] == "open"
    assert api_ada.post(f"{path}/start")["state"] == "live"
    assert api_sam.post(f"{path}/join")["join_url"] == "https://meet.example/room"
    assert [row["name"] for row in api_ada.get(f"{path}/attendance")["rows"]] == ["Sam Student"]
    api_sam.get(f"{path}/attendance", status=403)
    assert api_ada.post(f"{path}/end")["state"] == "ended"
    assert [row["state"] for row in api_sam.get("/streaming/mine/past")["rows"]] == ["ended"]
