"""Links and keys into courses: every rule at the moment of enrolling, one place at a time, shown once, withdrawn and replaced."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from lms.channels import queries as channels
from lms.core import audit, db, deeds
from lms.core.clock import now
from lms.core.decisions import STRANGER, Actor
from lms.core.errors import Invalid
from lms.core.money import Money
from lms.courses import operations as courses
from lms.courses.models import Course
from lms.courses.operations import Entry
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import BatchIsFull, LinkRefused, NoLink
from lms.enrollments.models import Link
from lms.enrollments.operations import Terms
from lms.enrollments.operations.links import digest_of_key
from lms.enrollments.queries import Way
from tests.client import Browser
from tests.conftest import CHANNEL, newest_code, run_jobs
from tests.factories.batches import a_batch
from tests.factories.courses import a_course
from tests.factories.people import a_student, root, sam
from tests.factories.wallet import a_topped_up_student, euros
from tests.machine import Machine

KEY = "SPRING-27"


def a_link(*opened: Course, key: str = "", **terms: Any) -> tuple[Way, str]:
    """A link, or a key, with what is handed out."""
    made, held = operations.make_link(Terms(label="Spring", course_ids=[one.id for one in opened], **terms), by=root(), key=key)
    return queries.get_way(made.id), held


def refused(way: Way, course: Course, by: Actor) -> str:
    with pytest.raises(LinkRefused) as refusal:
        operations.enroll_through(way.link.id, course, by=by)
    return refusal.value.rule


def test_enroll_through__lets_in_freely_once_and_gives_the_tag(work: db.Session) -> None:
    course, other = a_course("Algebra", published=True, price=euros(30)), a_course("Botany", published=True)
    way, _held = a_link(course, other, tag="Spring 27")
    nia = a_student()
    made = operations.join_courses(way, by=nia)
    assert [one.source for one in made] == ["link", "link"] and not operations.join_courses(way, by=nia)
    assert operations.enroll_through(way.link.id, course, by=nia).id == made[0].id
    work.flush()
    work.refresh(way.link)
    assert way.link.uses == 1 and nia.user_id is not None
    assert channels.tags_of([nia.user_id]) == {nia.user_id: ["Spring 27"]}


def test_enroll_through__asks_every_rule_again(work: db.Session) -> None:
    course, other = a_course("Algebra", published=True), a_course("Botany", published=True)
    way, _held = a_link(course, seats=1, starts_at=now() - timedelta(hours=2), ends_at=now() + timedelta(hours=1), domains=["example.org"])
    assert refused(way, other, sam()) == "other_course"
    way.link.domains = ["school.example"]
    assert refused(way, course, sam()) == "domain"
    way.link.domains = []
    way.link.starts_at = now() + timedelta(minutes=30)
    assert refused(way, course, sam()) == "not_started"
    way.link.starts_at, way.link.ends_at = now() - timedelta(hours=2), now() - timedelta(minutes=1)
    assert refused(way, course, sam()) == "ended"
    way.link.ends_at = None
    operations.revoke_link(way.link, by=root())
    assert refused(way, course, sam()) == "revoked"
    operations.restore_link(way.link, by=root())
    operations.enroll_through(way.link.id, course, by=a_student())
    assert refused(way, course, sam()) == "full"


def test_enroll_through__at_the_price_pays_from_the_wallet(work: db.Session) -> None:
    course = a_course("Algebra", published=True, price=euros(30))
    courses.set_entry(course, Entry(entry="key"), by=root())
    way, _held = a_link(course, is_free=False)
    student = a_topped_up_student(euros(50))
    assert operations.join_courses(way, by=student) == []
    made = operations.enroll_through(way.link.id, course, by=student, agreed=euros(30))
    assert made.source == "wallet" and made.order_id is not None
    assert queries.came_through(way.link.id, student.user_id)


def test_enroll_through__gives_the_last_place_to_one_of_many(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", published=True)
        way, _held = a_link(course, seats=1)
        people = [a_student(f"Student {number}") for number in range(8)]

    def come(by: Actor) -> bool:
        with db.unit_of_work(CHANNEL):
            try:
                operations.enroll_through(way.link.id, course, by=by)
            except LinkRefused:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(come, people)) == 1
    with db.unit_of_work(CHANNEL):
        assert queries.get_link(way.link.id).uses == 1 and queries.count_students(course.id) == 1


def test_make_link__keeps_digests_alone_and_refuses_what_does_not_fit(work: db.Session) -> None:
    course = a_course("Algebra", published=True)
    way, held = a_link(course)
    assert held not in str(vars(way.link)) and queries.find_way(operations.digest_of(held)) is not None
    a_link(course, key=KEY)
    for terms, field in (
        ({"key": "spring 27"}, "key"),
        ({"key": "AB-1"}, "key"),
        ({"seats": 0}, "seats"),
        ({"ends_at": now() - timedelta(days=1)}, "ends_at"),
        ({"domains": ["no domain"]}, "domains"),
    ):
        with pytest.raises(Invalid) as refusal:
            a_link(course, **terms)
        assert field in refusal.value.fields
    with pytest.raises(Invalid):
        a_link()


def test_replace_link__ends_the_one_before_and_keeps_who_came(work: db.Session) -> None:
    course = a_course("Algebra", published=True)
    way, held = a_link(course, key=KEY)
    operations.enroll_through(way.link.id, course, by=sam())
    operations.replace_link(way.link, by=root(), key="AUTUMN-27")
    assert queries.find_way(digest_of_key(KEY)) is None
    found = queries.find_way(digest_of_key(" autumn 27 "))
    assert found is not None and found.link.uses == 1 and found.link.hint == "27" and held == KEY


def test_edit_link__keeps_places_for_those_who_came_and_can_be_taken_back(work: db.Session) -> None:
    course, other = a_course("Algebra", published=True), a_course("Botany", published=True)
    way, _held = a_link(course, seats=5)
    for number in range(2):
        operations.enroll_through(way.link.id, course, by=a_student(f"Student {number}"))
    with pytest.raises(Invalid):
        operations.edit_link(way.link, Terms(label="Spring", course_ids=[course.id], seats=1), by=root())
    assert operations.edit_link(way.link, Terms(label="Spring", course_ids=[course.id, other.id], seats=2), by=root())
    assert [one.title for one in queries.courses_of_link(way.link.id)] == ["Algebra", "Botany"]
    row = next(one for one in audit.written() if one.action == "enrollments.edit_link" and "seats" in (one.after or {}))
    deeds.revert(row, by=root())
    work.flush()
    work.refresh(way.link)
    assert way.link.seats == 5
    assert not operations.edit_link(way.link, Terms(label="Spring", course_ids=[course.id, other.id], seats=5), by=root())


def test_revoke_link__is_taken_back_by_one_click(work: db.Session) -> None:
    way, _held = a_link(a_course("Algebra", published=True))
    operations.revoke_link(way.link, by=root())
    operations.revoke_link(way.link, by=root())
    [row] = [one for one in audit.written() if one.action == "enrollments.revoke_link"]
    deeds.revert(row, by=root())
    work.flush()
    work.refresh(way.link)
    assert way.link.revoked_at is None


def test_can_enroll__says_what_opens_the_course(work: db.Session) -> None:
    course = a_course("Algebra", published=True)
    for entry, rule in (("open", "open"), ("key", "key"), ("request", "request"), ("closed", "closed")):
        course.entry = entry
        assert policies.can_enroll(sam(), course, None).rule == rule
        assert policies.can_enroll(sam(), course, None, let_in=True)
    assert policies.can_join(STRANGER, Link(kind="link", uses=0), at=now()).rule == "sign_in"
    with pytest.raises(NoLink):
        queries.get_link(course.id)


# --- doors -------------------------------------------------------------------------------------------------------------


def made(*titles: str, key: str = "", price: Money | None = None, entry: str = "open", **terms: Any) -> tuple[list[Course], Way, str]:
    with db.unit_of_work(CHANNEL):
        opened = [a_course(title, published=True, price=price or Money(0, "EUR")) for title in titles]
        for course in opened:
            courses.set_entry(course, Entry(entry=entry), by=root())
        way, held = a_link(*opened, key=key, **terms)
        return opened, way, held


def test_join_show__leads_a_stranger_through_registering_back_and_in(client: Browser) -> None:
    _courses, _way, held = made("Algebra", price=euros(40), entry="closed")
    path = f"/enrollments/join/{held}"
    page = client.get(path, status=200)
    assert "Algebra" in page.words and "Free with this link" in page.words
    register = page.all("//a[contains(@href, '/auth/register')]/@href")[0]
    client.get(str(register), status=200)
    data = {"name": "Nia", "email": "nia@example.org", "password": "correct horse battery"}
    code = client.post(str(register), data, status=303).location
    back = client.post(code, {"code": newest_code("nia@example.org")}, status=303).location
    assert back == path
    assert "Join the course" in client.get(path, status=200).words
    assert "/continue" in client.post(path, status=303).location
    assert "You are enrolled" in client.get(path, status=200).words
    client.post(path, status=303)


def test_join_show__of_a_link_that_ended_lets_nobody_in_even_if_sign_up_was_begun(client: Browser, as_sam: Browser) -> None:
    [course], way, held = made("Algebra", ends_at=now() + timedelta(hours=1))
    path = f"/enrollments/join/{held}"
    client.get(f"/auth/register?next={path}", status=200)
    with db.unit_of_work(CHANNEL):
        queries.get_link(way.link.id).ends_at = now() - timedelta(seconds=1)
    data = {"name": "Nia", "email": "nia@example.org", "password": "correct horse battery"}
    assert "until" in client.post(f"/auth/register?next={path}", data, status=422).words
    assert "does not let you in" in client.get(path, status=200).words
    as_sam.post(path, status=403)
    as_sam.get("/enrollments/join/" + "x" * 43, status=404)
    with db.unit_of_work(CHANNEL):
        assert not queries.count_students(course.id)


def test_courses_key__enrols_and_counts_wrong_keys_like_guesses(as_sam: Browser) -> None:
    [course], _way, _held = made("Algebra", key=KEY, price=euros(40), entry="key")
    offer = as_sam.get(f"/enrollments/courses/{course.id}/offer", htmx=True, status=200)
    assert "opens with a key" in offer.words and "I have a key" in offer.words
    as_sam.get(f"/enrollments/courses/{course.id}/enroll", status=403)
    path = f"/enrollments/courses/{course.id}/key"
    as_sam.get(path, status=200)
    assert "do not know this key" in as_sam.post(path, {"key": "WRONG-KEY"}, status=422).words
    assert "Type the key" in as_sam.post(path, {"key": ""}, status=422).words
    assert "/continue" in as_sam.post(path, {"key": "spring27"}, status=303).location
    assert "/continue" in as_sam.get(path, status=303).location
    [other], _way, _held = made("Botany", key="BOTANY-1", entry="key")
    assert "opens other courses" in as_sam.post(f"/enrollments/courses/{other.id}/key", {"key": KEY}, status=422).words
    for _number in range(9):
        as_sam.post(f"/enrollments/courses/{other.id}/key", {"key": "WRONG-KEY"}, check=False)
    as_sam.post(f"/enrollments/courses/{other.id}/key", {"key": "BOTANY-1"}, status=429, check=False)


def test_courses_enroll__by_a_key_at_the_price_keeps_the_key_along(as_sam: Browser) -> None:
    [course], way, _held = made("Algebra", key=KEY, price=euros(40), entry="key", is_free=False)
    bill = as_sam.post(f"/enrollments/courses/{course.id}/key", {"key": KEY}, status=303).location
    page = as_sam.get(bill, status=200)
    assert "Not enough for this course" in page.words and "way%3D" in page.body
    signed = bill.partition("way=")[2]
    with db.unit_of_work(CHANNEL):
        operations.revoke_link(queries.get_link(way.link.id), by=root())
    as_sam.get(bill, status=403)
    as_sam.post(f"/enrollments/courses/{course.id}/enroll", {"agreed": "4000 EUR", "way": signed}, status=403)


def test_links__are_made_shown_once_changed_withdrawn_and_replaced(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", published=True)
    as_root.get("/admin/enrollments/links", status=200)
    as_root.get("/admin/enrollments/links/new", status=200)
    page = as_root.post("/admin/enrollments/links/new", {"label": "", "kind": "key", "price": "free"}, status=422)
    assert "Give it a name." in page.words and "Choose at least one course." in page.words
    data = {"label": "Spring", "kind": "link", "course_ids": str(course.id), "price": "free", "seats": "3", "domains": "@Example.org"}
    where = as_root.post("/admin/enrollments/links/new", data, status=303).location
    page = as_root.get(where, status=200)
    assert "/enrollments/join/" in page.body and "data:image/svg" in page.body and "example.org" in page.words
    as_root.post(f"{where}/kept", status=303)
    assert "/enrollments/join/" not in as_root.get(where, status=200).body
    as_root.get(f"{where}/edit", status=200)
    as_root.post(f"{where}/edit", {**data, "seats": "x"}, status=422)
    as_root.post(f"{where}/edit", {**data, "seats": "4"}, status=303)
    assert "0 of 4" in as_root.get(where, status=200).words
    as_root.post(f"{where}/revoke", status=303)
    page = as_root.get(where, status=200)
    assert "Withdrawn" in page.words and page.all("//*[contains(@class, 'toast')]//form") and "Let people in again" in page.words
    as_root.post(f"{where}/restore", status=303)
    as_root.get(f"{where}/replace", status=200)
    as_root.post(f"{where}/replace", status=303)
    assert "/enrollments/join/" in as_root.get(where, status=200).body
    as_root.post(f"{where}/revoke", status=303)
    assert "/enrollments/join/" not in as_root.get(where, status=200).body, "nobody hands out what lets nobody in"
    as_root.post(f"{where}/restore", status=303)
    assert "Spring" in as_root.get("/admin/enrollments/links?state=open", status=200).text("//table")
    as_ada.get("/admin/enrollments/links", status=403)


def test_links_replace__asks_for_another_key(as_root: Browser) -> None:
    _courses, way, _held = made("Algebra", key=KEY)
    path = f"/admin/enrollments/links/{way.link.id}/replace"
    as_root.get(path, status=200)
    assert "in use already" in as_root.post(path, {"key": "spring27"}, status=422).words
    as_root.post(path, {"key": "AUTUMN-27"}, status=303)


def test_links_api__makes_shows_changes_and_joins(api_root: Machine, api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course, dear = a_course("Algebra", published=True), a_course("Botany", published=True, price=euros(40))
    terms = {"label": "Spring", "course_ids": [str(course.id), str(dear.id)], "is_free": False}
    told = api_root.post("/enrollments/links", terms, status=201)
    token, where = told["held"].rpartition("/")[2], f"/enrollments/links/{told['link']['id']}"
    assert api_root.get("/enrollments/links")["rows"][0]["label"] == "Spring"
    answer = api_sam.money("/enrollments/join", {"link": token})
    assert [one["course_id"] for one in answer["enrollments"]] == [str(course.id)] and answer["to_pay"] == [str(dear.id)]
    price = {"minor": 4000, "currency": "EUR"}
    api_sam.money("/enrollments/join", {"link": token, "course_id": str(dear.id), "price": price}, status=409)
    assert api_root.get(where)["uses"] == 1 and len(api_root.get(f"{where}/uses")["rows"]) == 1
    assert api_root.send("PUT", where, {**terms, "seats": 2}, status=200)["seats"] == 2
    assert api_root.post(f"{where}/revoke")["state"] == "revoked" and api_root.post(f"{where}/restore")["state"] == "open"
    assert api_root.post(f"{where}/replace", {})["held"] != told["held"]
    api_sam.money("/enrollments/join", {"link": token}, status=409)
    api_sam.money("/enrollments/join", {"key": "NO-SUCH-KEY"}, status=409)
    api_sam.post("/enrollments/links", terms, status=403)


def test_entry__is_said_on_the_course(as_ada: Browser, as_root: Browser, api_root: Machine) -> None:
    [course], _way, _held = made("Algebra")
    path = f"/admin/courses/{course.id}/entry"
    as_ada.get(path, status=200)
    as_ada.post(path, {"entry": "nobody"}, status=422)
    as_ada.post(path, {"entry": "request", "domains": "no domain"}, status=422)
    as_ada.post(path, {"entry": "closed"}, status=303)
    assert "Nobody by themselves" in as_ada.get(f"/admin/courses/{course.id}/settings", status=200).words
    assert "An admin of the academy" in as_root.get(f"/enrollments/courses/{course.id}/offer", htmx=True).words
    assert api_root.post(f"/courses/{course.id}/entry", {"entry": "key"})["entry"] == "key"
    run_jobs()


def test_enroll_through__takes_a_place_of_the_batch_it_names_and_goes_round_no_seats(work: db.Session) -> None:
    course, other = a_course("Algebra", published=True, price=euros(30)), a_course("Botany", published=True)
    plain, _held = a_link(course, other)
    batch = a_batch(course, seats=1)
    assert refused(plain, course, sam()) == "batch"
    assert [one.course_id for one in operations.join_courses(plain, by=sam())] == [other.id]
    for chosen, batches in (([course], []), ([other], [batch.id]), ([course], [batch.id, batch.id])):
        with pytest.raises(Invalid):
            a_link(*chosen, batch_ids=batches)
    way, _held = a_link(course, other, batch_ids=[batch.id])
    assert {one.course_id: one.batch_id for one in operations.join_courses(way, by=a_student())} == {course.id: batch.id, other.id: None}
    with pytest.raises(BatchIsFull):
        operations.enroll_through(way.link.id, course, by=sam())
    work.refresh(way.link)
    assert way.link.uses == 1  # whoever got no seat took no place of the link either
    assert operations.edit_link(way.link, Terms(label="Spring", course_ids=[other.id]), by=root())
    assert not operations.edit_link(way.link, Terms(label="Spring", course_ids=[other.id]), by=root())


def test_join_show__names_the_batch_and_says_when_it_is_full(as_sam: Browser, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", published=True)
        batch = a_batch(course, seats=1)
    data = {"label": "Spring", "kind": "link", "course_ids": f"{course.id}:{batch.id}", "price": "free"}
    where = as_root.post("/admin/enrollments/links/new", data, status=303).location
    held = as_root.get(where, status=200).all("//input[@id='held']")[0].get("value").rpartition("/")[2]
    assert as_root.get(f"{where}/edit", status=200).all("//input[@name='course_ids'][@checked]")[0].get("value") == data["course_ids"]
    assert "Spring 2027" in as_sam.get(f"/enrollments/join/{held}", status=200).words
    with db.unit_of_work(CHANNEL):
        operations.enroll_by_hand(a_student().user_id, course, note="first", by=root(), batch_id=batch.id)
    as_sam.post(f"/enrollments/join/{held}", status=303)
    assert "All 1 places of Spring 2027 are taken" in as_sam.get(f"/enrollments/join/{held}", status=200).words
