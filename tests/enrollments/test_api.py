"""Enrolling and learning by machine."""

from typing import Any
from uuid import uuid4

from lms.core import db
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses.queries import lessons_of
from lms.wallet import operations as wallet
from tests.conftest import CHANNEL
from tests.factories import people
from tests.factories.courses import a_course
from tests.machine import Machine

FREE = {"price": {"minor": 0, "currency": "EUR"}}


def made(price: int = 0) -> tuple[str, list[str]]:
    """A published course with two text lessons: its id and theirs."""
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True, price=Money(price, "EUR"))
        return str(course.id), [str(lesson.id) for lesson in lessons_of(course.id)]


def test_courses_enroll__takes_the_price_agreed_to_or_nothing(api_sam: Machine, api_root: Machine) -> None:
    course_id, _ = made(1000)
    path = f"/enrollments/courses/{course_id}/enroll"
    price = {"price": {"minor": 1000, "currency": "EUR"}}
    assert api_sam.money(path, price, status=409)["title"]
    with db.unit_of_work(CHANNEL):
        wallet.credit(api_sam.person.user_id, Money(1500, "EUR"), source="adjustment", reference_id=uuid7(), by=people.root())
    api_sam.money(path, FREE, status=409)
    first = api_sam.money(path, price, key="key-of-sam")
    assert api_sam.money(path, price, key="key-of-sam") == first == api_sam.money(path, price)
    assert api_sam.get("/wallet")["balance"]["minor"] == 500
    order = api_root.get("/payments/orders")["rows"][0]
    assert api_sam.get(f"/payments/orders/{order['id']}")["amount"]["minor"] == 1000


def test_courses_price__says_what_a_coupon_leaves_and_courses_enroll_takes_it(api_sam: Machine, api_root: Machine) -> None:
    course_id, _ = made(1000)
    wish = {"label": "Launch", "kind": "percent", "percent": 100, "count": 1, "word": "LAUNCH", "uses_per_code": 9}
    assert api_root.money("/vouchers/batches", wish, status=201)["codes"] == ["LAUNCH"]
    path = f"/enrollments/courses/{course_id}"
    assert api_sam.post(f"{path}/price", {"coupon": "NOTHING"}, status=404)["title"]
    seen = api_sam.post(f"{path}/price", {"coupon": "launch"})
    assert (seen["price"]["minor"], seen["off"]["minor"], seen["left"]["minor"]) == (1000, 1000, 0)
    api_sam.money(f"{path}/enroll", {"price": seen["price"], "coupon": "LAUNCH"}, status=409)
    made_ = api_sam.money(f"{path}/enroll", {"price": seen["left"], "coupon": "LAUNCH"})
    assert api_sam.money(f"{path}/enroll", {"price": seen["left"], "coupon": "LAUNCH"}) == made_
    order = api_root.get("/payments/orders")["rows"][0]
    assert api_sam.get(f"/payments/orders/{order['id']}")["discount_minor"] == 1000


def test_lessons_show__opens_for_those_enrolled(api_sam: Machine, api_ada: Machine, machine: Machine) -> None:
    course_id, (lesson_id, other_id) = made()
    assert api_sam.get(f"/enrollments/lessons/{lesson_id}", status=403)["rule"] == "enrolled"
    machine.get(f"/enrollments/lessons/{lesson_id}", status=401)
    api_sam.money(f"/enrollments/courses/{course_id}/enroll", FREE)
    assert "<em>words</em>" in api_sam.get(f"/enrollments/lessons/{lesson_id}")["body_html"]
    assert api_sam.post(f"/enrollments/lessons/{lesson_id}/done")["progress"] == 50
    mine = api_sam.get("/enrollments/mine")["rows"][0]
    assert (mine["lessons_done"], mine["lessons"], mine["next_lesson_id"]) == (1, 2, other_id)
    assert api_sam.get(f"/enrollments/courses/{course_id}/progress")["lessons"][0]["completed_at"]
    api_ada.get(f"/enrollments/lessons/{lesson_id}")
    machine.get(f"/enrollments/lessons/{uuid4()}", status=404)


def test_lessons_heartbeat__wants_the_pass_of_the_lesson(api_sam: Machine) -> None:
    _, (lesson_id, _) = made()
    path = f"/enrollments/lessons/{lesson_id}/heartbeat"
    api_sam.post(path, {"pass": "x" * 40, "played": []}, status=403)
    wrong: Any
    for wrong in ({}, {"pass": "x" * 40, "played": [{"from": -1, "to": 2}]}, {"pass": "x" * 40, "watched": 100}):
        api_sam.post(path, wrong, status=422)


def test_index_create__end_and_restore_are_the_admins(api_root: Machine, api_sam: Machine, api_ada: Machine) -> None:
    course_id, (lesson_id, _) = made()
    by_hand = {"user_id": str(api_sam.person.user_id), "course_id": course_id, "note": "A guest"}
    api_ada.post("/enrollments", by_hand, status=403)
    enrollment = api_root.post("/enrollments", by_hand, status=201)
    api_root.post("/enrollments", {**by_hand, "user_id": str(uuid4())}, status=404)
    path = f"/enrollments/{enrollment['id']}"
    assert api_sam.get(path)["enrollment"]["source"] == "manual"
    assert api_ada.get(path) == api_root.get(path)
    assert api_root.post(f"{path}/end", {"reason": "Moved away"})["status"] == "ended"
    assert "Moved away" in api_sam.get(f"/enrollments/lessons/{lesson_id}", status=403)["title"]
    assert api_root.post(f"{path}/restore")["status"] == "active"
    assert api_root.get("/enrollments?status=active")["count"] == api_ada.get("/enrollments")["count"] == 1
    api_sam.get("/enrollments", status=403)


def test_lessons_notes_create__are_their_writers_alone(api_root: Machine, api_sam: Machine, api_ada: Machine) -> None:
    course_id, (lesson_id, _) = made()
    path = f"/enrollments/lessons/{lesson_id}/notes"
    api_sam.post(path, {"body": "Look up"}, status=403)
    api_root.post("/enrollments", {"user_id": str(api_sam.person.user_id), "course_id": course_id, "note": "A guest"}, status=201)
    note = api_sam.post(path, {"body": "Look up", "at": 12.5}, status=201)
    assert [(row["body"], row["at_seconds"]) for row in api_sam.get(path)["rows"]] == [("Look up", 12.5)]
    for other in (api_ada, api_root):
        other.patch(f"/enrollments/notes/{note['id']}", {"body": "x"}, status=403)
        other.delete(f"/enrollments/notes/{note['id']}", status=403)
    assert api_sam.patch(f"/enrollments/notes/{note['id']}", {"body": "Looked up"})["body"] == "Looked up"
    api_sam.delete(f"/enrollments/notes/{note['id']}", status=204)
    assert api_sam.get(path)["rows"] == []
