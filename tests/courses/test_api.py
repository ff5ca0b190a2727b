"""Courses by machine: the same rules as on the pages."""

from typing import Any
from uuid import uuid4

from flask import Flask

from tests.conftest import machine_of
from tests.factories import people
from tests.machine import Machine


def a_course(ada: Machine, **more: Any) -> dict[str, Any]:
    """A draft of Ada's with one section and one written lesson."""
    course = ada.post("/courses", {"title": "Logic", **more}, status=201)
    section = ada.post(f"/courses/{course['id']}/sections", {"title": "One"}, status=201)
    lesson = ada.post(f"/courses/sections/{section['id']}/lessons", {"title": "And", "body": "Words"}, status=201)
    return {**course, "section": section, "lesson": lesson}


def test_index_create__makes_one_course_however_often_it_is_sent(api_ada: Machine, api_sam: Machine) -> None:
    sent = {"id": str(uuid4()), "title": "Logic", "price": {"minor": 1200, "currency": "EUR"}}
    first = api_ada.post("/courses", sent, status=201)
    assert api_ada.post("/courses", sent, status=201) == first
    assert first["price"] == {"minor": 1200, "currency": "EUR"} and first["status"] == "draft"
    answer = api_ada.open("POST", "/courses", {"title": "More"})
    assert answer.headers["Location"].endswith(answer.get_json()["id"])
    api_sam.post("/courses", sent, status=403)


def test_index_create__never_shows_anothers_course(api_ada: Machine, app: Flask) -> None:
    sent = {"id": str(uuid4()), "title": "Secret plan"}
    api_ada.post("/courses", sent, status=201)
    ivo = machine_of(app, people.an_instructor)
    assert ivo.post("/courses", sent, status=403)["rule"] == "own_course"
    assert ivo.post("/courses", {"title": "Mine", "instructor_id": str(api_ada.person.user_id)}, status=403)["rule"] == "admin"


def test_show__hides_drafts_from_all_but_their_people(api_ada: Machine, api_sam: Machine, machine: Machine, api_root: Machine) -> None:
    course = a_course(api_ada)
    path = f"/courses/{course['id']}"
    assert api_ada.get(path)["title"] == api_root.get(path)["title"] == "Logic"
    api_sam.get(path, status=403)
    machine.get(path, status=403)
    api_sam.get(f"{path}/outline", status=403)
    api_sam.get(f"/courses/lessons/{course['lesson']['id']}", status=403)
    machine.get(f"/courses/{uuid4()}", status=404)


def test_show_edit__saves_what_was_sent_and_loses_nothing(api_ada: Machine, api_root: Machine) -> None:
    course = a_course(api_ada, summary="Short")
    path = f"/courses/{course['id']}"
    shelf = api_root.post("/courses/categories", {"name": "Mathematics"}, status=201)
    changed = api_ada.patch(path, {"title": "Logic, again", "category_id": shelf["id"], "version": course["version"]})
    assert (changed["title"], changed["summary"], changed["category_id"]) == ("Logic, again", "Short", shelf["id"])
    assert api_ada.patch(path, {"summary": "Mine", "version": course["version"]}, status=409)["rule"] == "version"
    assert api_ada.patch(path, {"category_id": None})["category_id"] is None
    assert "category_id" in api_ada.patch(path, {"category_id": str(uuid4())}, status=422)["fields"]
    assert api_ada.patch(path, {"instructor_id": str(api_root.person.user_id)}, status=403)["rule"] == "admin"
    assert "price" in api_ada.patch(path, {"price": {"minor": 5, "currency": "USD"}}, status=422)["fields"]
    assert "status" in api_ada.patch(path, {"status": "published"}, status=422)["fields"]


def test_publish__goes_by_submit_and_approval(api_ada: Machine, api_root: Machine, api_sam: Machine, machine: Machine) -> None:
    course = a_course(api_ada)
    path = f"/courses/{course['id']}"
    api_ada.post(f"{path}/submit", status=409)
    assert api_ada.post(f"{path}/publish-lessons") == {"count": 1}
    assert api_ada.post(f"{path}/submit")["status"] == "submitted"
    assert api_ada.post(f"{path}/publish", status=403)["rule"] == "approval"
    assert api_root.post(f"{path}/send-back", {"reason": "Add a summary"})["status"] == "draft"
    api_ada.post(f"{path}/submit")
    assert api_root.post(f"{path}/publish")["published_at"]
    assert [lesson["title"] for lesson in machine.get(f"{path}/outline")["sections"][0]["lessons"]] == ["And"]
    assert api_sam.get("/courses/catalogue")["count"] == 1
    assert api_ada.patch(path, {"price": {"minor": 1, "currency": "EUR"}}, status=403)["rule"] == "on_sale"
    assert api_root.post(f"{path}/archive")["status"] == "archived"
    assert api_root.post(f"{path}/unpublish")["status"] == "draft"
    api_root.delete(path)
    assert api_root.get("/courses/deleted")["count"] == 1
    assert api_root.post(f"{path}/restore")["status"] == "draft"


def test_sections__are_made_ordered_renamed_and_deleted(api_ada: Machine, app: Flask) -> None:
    course = a_course(api_ada)
    path = f"/courses/{course['id']}"
    second = api_ada.post(f"{path}/sections", {"title": "Two"}, status=201)
    outline = api_ada.post(f"{path}/order", {"ids": [second["id"], course["section"]["id"]]})
    assert [section["title"] for section in outline["sections"]] == ["Two", "One"]
    assert api_ada.patch(f"/courses/sections/{second['id']}", {"title": "Zwei"})["title"] == "Zwei"
    moved = api_ada.post(f"/courses/lessons/{course['lesson']['id']}/move", {"position": 0, "section_id": second["id"]})
    assert moved["section_id"] == second["id"]
    api_ada.post(f"/courses/sections/{course['section']['id']}/order", {"ids": [course["lesson"]["id"]]})
    api_ada.delete(f"/courses/sections/{second['id']}")
    assert len(api_ada.get(f"{path}/outline")["sections"]) == 1
    api_ada.post(f"/courses/sections/{second['id']}/restore")
    ivo = machine_of(app, people.an_instructor)
    assert ivo.post(f"{path}/sections", {"title": "Mine"}, status=403)["rule"] == "own_course"


def test_lessons__are_written_published_and_deleted(api_ada: Machine) -> None:
    lesson = a_course(api_ada)["lesson"]
    path = f"/courses/lessons/{lesson['id']}"
    changed = api_ada.patch(path, {"body": "More words", "is_preview": True, "version": lesson["version"]})
    assert (changed["title"], changed["body"], changed["is_preview"]) == ("And", "More words", True)
    assert api_ada.patch(path, {"body": "Others", "version": lesson["version"]}, status=409)["rule"] == "version"
    assert api_ada.post(f"{path}/publish")["status"] == "published"
    assert api_ada.post(f"{path}/unpublish")["status"] == "draft"
    api_ada.patch(path, {"asset_id": str(uuid4())}, status=404)
    api_ada.delete(path)
    assert api_ada.post(f"{path}/restore")["status"] == "draft"


def test_categories__are_the_admins(api_root: Machine, api_ada: Machine, machine: Machine) -> None:
    shelf = api_root.post("/courses/categories", {"name": "Music"}, status=201)
    assert api_root.patch(f"/courses/categories/{shelf['id']}", {"name": "Sound"})["name"] == "Sound"
    assert [row["name"] for row in machine.get("/courses/categories")["rows"]] == ["Sound"]
    api_ada.post("/courses/categories", {"name": "Mine"}, status=403)
    api_root.delete(f"/courses/categories/{shelf['id']}")
    api_root.delete(f"/courses/categories/{shelf['id']}", status=404)


def test_index__lists_an_instructors_own(api_ada: Machine, api_root: Machine, app: Flask) -> None:
    a_course(api_ada)
    machine_of(app, people.an_instructor).post("/courses", {"title": "Other"}, status=201)
    assert api_ada.get("/courses")["count"] == 1
    assert api_root.get("/courses?sort=-title&status=draft")["count"] == 2
