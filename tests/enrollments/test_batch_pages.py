"""Batches on pages and by machine: made, copied, cancelled, deleted and back; a place taken, waited for, offered, left."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from lms.core import db
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses.models import Course
from lms.courses.queries import lessons_of
from lms.enrollments import operations, queries
from lms.enrollments.models import CourseBatch
from lms.vouchers import operations as vouchers
from lms.vouchers.errors import CodeRefused
from lms.wallet import operations as wallet
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs, signed_in
from tests.factories.batches import a_batch
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, an_instructor, root, sam
from tests.factories.vouchers import a_batch as a_voucher_batch
from tests.machine import Machine

ADMIN = "/admin/enrollments"


def made(*, price: int = 0, full: bool = False, **about: Any) -> tuple[Course, CourseBatch]:
    """A published course of Ada's with one batch, whose only place Nia has when it is full."""
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True, price=Money(price, "EUR"))
        batch = a_batch(course, seats=1 if full else about.pop("seats", 5), **about)
        if full:
            operations.enroll_by_hand(a_student().user_id, course, note="x", by=root(), batch_id=batch.id)  # type: ignore[arg-type]
        return course, batch


def standing(batch: CourseBatch) -> CourseBatch:
    with db.unit_of_work(CHANNEL, read_only=True):
        return queries.get_batch(batch.id)


def in_days(count: int) -> str:
    with db.unit_of_work(CHANNEL, read_only=True):
        return (operations.today() + timedelta(days=count)).isoformat()


def test_batches_new__makes_one_however_often_it_is_sent_and_keeps_what_was_typed(as_root: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course, ivo = a_course(published=True, price=Money(2500, "EUR")), an_instructor()
    assert course.title in as_root.get(f"{ADMIN}/batches/new", status=200).words
    path = f"{ADMIN}/batches/new?course={course.id}"
    page = as_root.get(path, status=200)
    form = {"batch_id": page.all('//input[@name="batch_id"]')[0].get("value"), "name": "Spring", "seats": "20", "price": "12.50"}
    form |= {"starts_on": in_days(9), "ends_on": in_days(3), "instructor_ids": str(ivo.user_id)}
    refused = as_root.post(path, form, status=422)
    assert "comes after the first" in refused.words and refused.all('//input[@name="name"]')[0].get("value") == "Spring"
    form["ends_on"] = in_days(30)
    assert as_root.post(path, form, status=303).location == as_root.post(path, form, status=303).location
    page = as_root.get(f"{ADMIN}/batches?state=planned", status=200, check=False)
    page = as_root.get(f"{ADMIN}/batches", status=200)
    assert page.words.count("Spring") >= 1 and "Open for enrolment" in page.words
    assert "Spring" in as_root.get(f"{ADMIN}/courses/{course.id}/batches", htmx=True, status=200).words
    assert as_root.get(f"/admin/courses/{course.id}/batches", status=200).all('//*[@id="course-batches"]')
    as_sam.get(f"{ADMIN}/batches", status=403)
    as_sam.get(path, status=403)


def test_batches_show__for_those_who_teach_it_and_batches_edit__for_who_runs_the_course(as_root: Browser, as_ada: Browser) -> None:
    course, batch = made(starts_on=None)
    with db.unit_of_work(CHANNEL):
        an_enrollment_in(course, batch)
    path = f"{ADMIN}/batches/{batch.id}"
    page = as_ada.get(path, status=200)
    assert "Sam Student" in page.text("//table") and "Free" in page.words and "Enrol somebody" not in page.words
    assert "Enrol somebody" in as_root.get(path, status=200).words
    page = as_ada.get(f"{path}/edit", status=200)
    form = {"name": "Autumn", "seats": "3", "version": page.all('//input[@name="version"]')[0].get("value")}
    assert not page.all('//input[@name="price"]')  # the course is on sale: its price is an admin's
    as_ada.post(f"{path}/edit", form, status=303)
    assert "Somebody changed this batch" in as_ada.post(f"{path}/edit", form | {"name": "Winter"}, status=422).words
    assert (standing(batch).name, standing(batch).seats) == ("Autumn", 3)
    assert "changed the batch" in as_ada.get(f"{path}/history", status=200).words


def an_enrollment_in(course: Course, batch: CourseBatch) -> UUID:
    return operations.enroll_by_hand(sam().user_id, course, note="x", by=root(), batch_id=batch.id).id  # type: ignore[arg-type]


def test_batches_duplicate__batches_cancel__batches_delete__and_back(as_root: Browser) -> None:
    _course, batch = made(about="Tuesdays")
    path = f"{ADMIN}/batches/{batch.id}"
    page = as_root.get(f"{path}/duplicate", status=200)
    form = {"batch_id": page.all('//input[@name="batch_id"]')[0].get("value"), "name": batch.name, "starts_on": in_days(200)}
    assert "has this name" in as_root.post(f"{path}/duplicate", form, status=422).words
    copy = as_root.post(f"{path}/duplicate", form | {"name": "Autumn"}, status=303).location
    assert "Tuesdays" in as_root.get(copy, status=200).words
    as_root.get(f"{path}/cancel", status=200)
    as_root.post(f"{path}/cancel", {"reason": ""}, status=422)
    as_root.post(f"{path}/cancel", {"reason": "Too few people"}, status=303)
    assert "Too few people" in as_root.get(path, status=200).words
    assert as_root.get(f"{path}/cancel", status=303).location == path
    as_root.post(f"{path}/reopen", status=303)
    as_root.post(f"{path}/delete", status=303)
    as_root.get(path, status=404, check=False)
    as_root.post(f"{path}/restore", status=303)
    as_root.get(path, status=200)


def test_batches_enroll__takes_the_place_and_its_price(as_sam: Browser) -> None:
    course, batch = made(price=2500, price_minor=1000, seats=1, ends_on=None)
    with db.unit_of_work(CHANNEL):
        wallet.credit(as_sam.person.user_id, Money(1500, "EUR"), source="adjustment", reference_id=uuid7(), by=root())
    assert as_sam.get(f"/enrollments/courses/{course.id}/enroll", status=303).location == f"/enrollments/courses/{course.id}/batches"
    page = as_sam.get(f"/enrollments/courses/{course.id}/batches", status=200)
    assert "1 place left" in page.words and "€10.00" in page.words
    assert batch.name in as_sam.get(f"/enrollments/courses/{course.id}/offer", htmx=True, status=200).words
    path = f"/enrollments/batches/{batch.id}/enroll"
    with db.unit_of_work(CHANNEL):
        closed = a_batch(course, "Later", enrol_from=operations.today() + timedelta(days=3))
    assert as_sam.get(path.replace(str(batch.id), str(closed.id)), status=303).location == f"/enrollments/courses/{course.id}/batches"
    page = as_sam.get(path, status=200)
    assert "Enrol and pay €10.00" in page.words
    agreed = {"agreed": page.all('//input[@name="agreed"]')[0].get("value")}
    first = as_sam.post(path, agreed, status=303).location
    assert as_sam.post(path, agreed, status=303).location == first
    assert batch.name in as_sam.get(first, status=200).words
    assert batch.name in as_sam.get("/enrollments/", status=200).words and standing(batch).taken == 1


def test_batches_wait__and_batches_leave__on_the_list_of_a_full_batch(as_sam: Browser, as_eve: Browser) -> None:
    course, batch = made(full=True)
    path = f"/enrollments/batches/{batch.id}"
    assert as_sam.post(f"{path}/enroll", {"agreed": "0 EUR"}, status=303).location == f"/enrollments/courses/{course.id}/batches"
    for _twice in range(2):
        assert "the next to be offered" in as_sam.post(f"{path}/wait", htmx=True, status=200).words
    as_sam.post(f"{path}/leave", status=303)
    assert "Join the waitlist" in as_sam.get(f"/enrollments/courses/{course.id}/batches", status=200).words
    as_eve.post(f"{path}/wait", status=401, check=False)


def test_waits_show__offers_moves_and_removes_with_a_reason(as_root: Browser, as_sam: Browser) -> None:
    course, batch = made(full=True)
    as_sam.post(f"/enrollments/batches/{batch.id}/wait", status=303)
    page = as_root.get(f"{ADMIN}/waits?stands=1", status=200)
    assert "Sam Student" in page.text("//table")
    path = page.all('//table//a[contains(@href, "/waits/")]')[0].get("href")
    as_root.get(path, status=200)
    assert "No place is free" in as_root.post(path, {"act": "offer", "reason": "Ill"}, status=422).words
    as_root.post(path, {"act": "offer", "reason": ""}, status=422)
    as_root.post(path, {"act": "first", "reason": "Ill"}, status=303)
    as_root.post(f"{ADMIN}/batches/{batch.id}/edit", {"name": "Spring", "seats": "2", "version": "1"}, status=303)
    assert "held for you until" in as_sam.get(f"/enrollments/courses/{course.id}/batches", status=200).words
    assert "held for you until" in as_sam.get(f"/enrollments/batches/{batch.id}/enroll", status=200).words
    as_root.post(path, {"act": "remove", "reason": "Asked by mail"}, status=303)
    assert standing(batch).held == 0
    as_sam.get(path, status=403)


def test_move__puts_somebody_into_another_batch(as_root: Browser) -> None:
    course, batch = made()
    with db.unit_of_work(CHANNEL):
        enrollment_id, other = an_enrollment_in(course, batch), a_batch(course, "Autumn", seats=1)
    path = f"{ADMIN}/{enrollment_id}/move"
    assert "1 place left" in as_root.get(path, status=200).words
    as_root.post(path, {"batch_id": str(other.id), "reason": "Asked"}, status=303)
    assert "Autumn" in as_root.get(f"{ADMIN}/{enrollment_id}", status=200).words
    with db.unit_of_work(CHANNEL):
        an_enrollment(a_student(), course)
        another = queries.active_enrollment(a_student().user_id, course.id)
        assert another is not None
    assert "All 1 places" in as_root.post(f"{ADMIN}/{another.id}/move", {"batch_id": str(other.id), "reason": "x"}, status=422).words


def test_batches_create__and_everything_else_by_machine(api_root: Machine, api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
    batch = api_root.post("/enrollments/batches", {"course_id": str(course.id), "name": "Spring", "seats": 1}, status=201)
    path, free = f"/enrollments/batches/{batch['id']}", {"price": {"minor": 0, "currency": "EUR"}}
    api_sam.post(f"{path}/edit", {"name": "Mine", "version": 1}, status=403)
    assert api_sam.money(f"/enrollments/courses/{course.id}/enroll", free, status=409)["rule"] == "batch"
    mine = api_sam.money(f"{path}/enroll", free)
    assert mine["batch_id"] == batch["id"] and api_root.get(path)["taken"] == 1
    api_sam.post(f"{path}/wait", {}, status=403)
    other = api_root.post("/enrollments/batches", {"course_id": str(course.id), "name": "Autumn"}, status=201)
    assert api_root.post(f"/enrollments/{mine['id']}/move", {"batch_id": other["id"], "reason": "x"})["batch_id"] == other["id"]
    assert [row["name"] for row in api_root.get("/enrollments/batches")["rows"]]
    assert api_root.post(f"{path}/edit", {"name": "Spring", "seats": 4, "version": 1})["seats"] == 4
    api_root.post(f"{path}/cancel", {"reason": "Too few"}), api_root.post(f"{path}/reopen", {})
    api_root.post(f"{path}/delete", {}), api_root.post(f"/enrollments/batches/{batch['id']}/restore", {})
    assert api_root.get("/enrollments/waits")["rows"] == []


def test_waits_offer__waits_remove__and_waits_leave__by_machine(api_root: Machine, api_sam: Machine) -> None:
    _course, batch = made(full=True)
    wait = api_sam.post(f"/enrollments/batches/{batch.id}/wait", {})
    assert (wait["state"], api_sam.post(f"/enrollments/batches/{batch.id}/wait", {})["id"]) == ("waiting", wait["id"])
    assert api_root.post(f"/enrollments/waits/{wait['id']}/offer", {"reason": "x"}, status=409)["rule"] == "seats"
    api_root.post(f"/enrollments/waits/{wait['id']}/leave", {}, status=403)
    assert api_sam.post(f"/enrollments/waits/{wait['id']}/leave", {})["state"] == "left"
    assert api_root.post(f"/enrollments/waits/{wait['id']}/remove", {"reason": "x"})["state"] == "left"


def test_batches_vouchers__give_a_place_and_stay_unused_while_there_is_none(as_root: Browser, as_sam: Browser) -> None:
    course, batch = made(seats=1)
    with db.unit_of_work(CHANNEL):
        issued = a_voucher_batch(3, kind="course", course_ids=[course.id], label="School")
    path = f"{ADMIN}/batches/{batch.id}/vouchers"
    assert "School" in as_root.get(path, status=200).words
    as_root.post(path, {"voucher_batch_ids": str(issued.batch.id)}, status=303)
    with db.unit_of_work(CHANNEL):
        vouchers.redeem(issued.codes[0], by=as_sam.person)
        run_jobs()
    assert standing(batch).taken == 1
    with db.unit_of_work(CHANNEL):
        with pytest.raises(CodeRefused) as refusal:
            vouchers.redeem(issued.codes[1], by=a_student("Nia Late"))
        assert "stays unused" in refusal.value.sentence
        late = operations.open_by_voucher(
            a_student("Nia Late").user_id,
            course.id,
            voucher_batch_id=issued.batch.id,
            redemption_id=None,
            by=root(),  # type: ignore[arg-type]
        )
        assert late.batch_id is None and not queries.batch_faults()


def test_batches_show__and_its_people_and_lessons_are_open_to_who_teaches_the_batch(app: Flask, connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        course, ivo = a_course(published=True), an_instructor()
        batch = a_batch(course, instructor_ids=(ivo.user_id,))
        enrollment_id, lesson = an_enrollment_in(course, batch), lessons_of(course.id)[0]
        an_enrollment(a_student(), course)
    as_ivo = signed_in(app, an_instructor)
    assert "Sam Student" in as_ivo.get(f"{ADMIN}/batches/{batch.id}", status=200).text("//table")
    as_ivo.get(f"{ADMIN}/{enrollment_id}", status=200)
    as_ivo.get(f"/enrollments/courses/{course.id}/lessons/{lesson.id}", status=200)
    as_ivo.get(f"{ADMIN}/batches/{batch.id}/edit", status=403)
    assert "Nia Newcomer" not in as_ivo.get(f"{ADMIN}/", status=200).text("//table")
