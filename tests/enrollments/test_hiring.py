"""Links that give a role: who may make them, staff rules from the first page on, and nothing that outlives a withdrawal unconfirmed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from lms.auth import queries as accounts
from lms.channels import operations as people
from lms.channels import queries as channels
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.courses import queries as courses
from lms.enrollments import operations, queries
from lms.enrollments.errors import LinkRefused
from lms.enrollments.models import Link
from lms.enrollments.operations import Terms
from tests.client import Browser
from tests.conftest import CHANNEL, newest_code, run_jobs
from tests.factories.batches import a_batch
from tests.factories.courses import a_course
from tests.factories.people import PASSWORD, a_student, an_instructor, root, sam
from tests.machine import Machine


def a_hiring_link(*course_ids: Any, by: Actor | None = None, **terms: Any) -> tuple[Link, str]:
    """A link that makes one person an instructor, with what is handed out."""
    given = {"seats": 1, "ends_at": now() + timedelta(days=14), **terms}
    return operations.make_link(Terms(label="Teachers", role="instructor", course_ids=list(course_ids), **given), by=by or root())


def refused(link: Link, by: Actor) -> str:
    with pytest.raises(LinkRefused) as refusal:
        operations.take_work(link.id, by=by)
    return refusal.value.rule


def test_take_work__gives_the_role_at_once_and_what_is_taught_with_the_proof(work: db.Session) -> None:
    course, mine = a_course("Algebra", published=True), a_course("Botany", published=True)
    batch = a_batch(course)
    link, _held = a_hiring_link(course.id, mine.id, batch_ids=[batch.id])
    nia = a_student()
    assert nia.user_id is not None
    hire = operations.take_work(link.id, by=nia)
    member = channels.get_member(nia.user_id)
    assert (member.role, hire.confirmed_at) == ("instructor", None) and courses.get_course(mine.id).instructor_id != nia.user_id
    now_staff = channels.actor_of_user(nia.user_id)
    assert operations.take_work(link.id, by=now_staff).id == hire.id and refused(link, a_student("Olu Other")) == "full"
    operations.confirm_hires(nia.user_id)
    operations.confirm_hires(nia.user_id)
    assert hire.confirmed_at is not None and courses.get_course(mine.id).instructor_id == nia.user_id
    assert list(queries.instructor_ids_of(batch.id)) == [nia.user_id] and courses.get_course(course.id).instructor_id != nia.user_id
    assert [one.action for one in audit.written()].count("enrollments.confirm_hire") == 1
    operations.revoke_link(link, by=root())
    assert member.role == "instructor" and hire.withdrawn_at is None
    people.change_role(member, "student", by=root())
    operations.restore_link(link, by=root())
    assert refused(link, channels.actor_of_user(nia.user_id)) == "role_changed"


def test_revoke_link__takes_back_a_role_that_was_never_confirmed(work: db.Session) -> None:
    link, _held = a_hiring_link(seats=2)
    nia, ivo = a_student(), an_instructor()
    assert nia.user_id is not None and ivo.user_id is not None
    hire, at_once = operations.take_work(link.id, by=nia), operations.take_work(link.id, by=ivo)
    assert at_once.confirmed_at is not None  # works here already
    operations.revoke_link(link, by=root())
    operations.revoke_link(link, by=root())
    assert channels.get_member(nia.user_id).role == "student" and not hire.stands and queries.get_link(link.id).uses == 1
    operations.confirm_hires(nia.user_id)
    assert hire.confirmed_at is None and channels.get_member(ivo.user_id).role == "instructor"
    run_jobs()
    operations.restore_link(link, by=root())
    assert operations.take_work(link.id, by=channels.actor_of_user(nia.user_id)).stands


def test_may_take_work__asks_who_made_the_link_and_who_takes_it(work: db.Session) -> None:
    boss = people.join(a_student("Bo Boss").user_id, "Bo Boss", "", by=root())  # type: ignore[arg-type]
    people.change_role(boss, "admin", by=root())
    link, _held = a_hiring_link(by=channels.actor_of_user(boss.id), domains=["school.example"])
    assert operations.may_take_work(link, by=root()).rule == "domain"
    link.domains = []
    assert operations.may_take_work(link, by=root()).rule == "admin"
    assert operations.may_take_work(link, by=sam())
    people.change_role(boss, "student", by=root())
    assert operations.may_take_work(link, by=sam()).rule == "maker"
    for wrong, field in (({"seats": None}, "seats"), ({"ends_at": None}, "ends_at"), ({"seats": 51}, "seats")):
        with pytest.raises(Invalid) as refusal:
            a_hiring_link(**wrong)
        assert field in refusal.value.fields
    with pytest.raises(Invalid) as refusal:
        a_hiring_link(a_course("Algebra").id, seats=2)
    assert "course_ids" in refusal.value.fields
    with pytest.raises(Invalid):
        operations.edit_link(link, Terms(label="Spring", course_ids=[a_course("Botany").id]), by=root())


def test_take_work__gives_the_last_place_to_one_of_many(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        link, _held = a_hiring_link()
        students = [a_student(f"Student {number}") for number in range(6)]

    def take(by: Actor) -> bool:
        with db.unit_of_work(CHANNEL):
            try:
                operations.take_work(link.id, by=by)
            except LinkRefused:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, students)) == 1
    with db.unit_of_work(CHANNEL):
        assert len(channels.members_with_role("instructor")) == 1


# --- doors -------------------------------------------------------------------------------------------------------------


def test_work_show__leads_from_the_link_over_a_staff_sign_in_into_the_back_office(
    as_root: Browser, as_ada: Browser, as_sam: Browser
) -> None:
    as_ada.get("/admin/enrollments/links/hire", status=403)
    form = "/admin/enrollments/links/hire"
    assert "gives a role" in as_root.get(form, status=200).words
    assert "Say for how many people." in as_root.post(form, {"label": "Teachers", "seats": "", "ends_at": ""}, status=422).words
    until = (now() + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")
    where = as_root.post(form, {"label": "Teachers", "seats": "2", "ends_at": until}, status=303).location
    page = as_root.get(where, status=200)
    path = "/enrollments/work/" + page.body.partition("/enrollments/work/")[2].partition('"')[0]
    as_root.get(f"{where}/edit", status=200)
    as_root.post(f"{where}/edit", {"label": "Teachers of spring", "seats": "2", "ends_at": until}, status=303)
    as_sam.get(path.replace("work", "join"), status=404)
    assert "Become an instructor" in as_sam.get(path, status=200).words
    assert "/auth/sign-in" in as_sam.post(path, status=303).location
    as_sam.get("/admin/", status=303)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        user_id = accounts.user_id_of("sam@example.org")
        assert user_id is not None
    assert "Sam Student took your link Teachers of spring" in as_root.get("/notifications/", status=200).words
    assert "Has not signed in with it" in as_root.get(where, status=200).words
    code = as_sam.post("/auth/sign-in", {"email": "sam@example.org", "password": PASSWORD}, status=303).location
    assert code.startswith("/auth/code")  # as staff: a code by mail beside the password
    as_sam.post(code, {"code": newest_code("sam@example.org")}, status=303)
    as_sam.get("/admin/", status=200)
    assert "Works here by it" in as_root.get(where, status=200).words
    as_root.post(f"{where}/revoke", status=303)
    as_sam.get("/admin/", status=200)


def test_links_hires__and_making_such_a_link_by_the_api(api_root: Machine, api_sam: Machine) -> None:
    terms = {"label": "Teachers", "role": "instructor", "seats": 1, "ends_at": (now() + timedelta(days=7)).isoformat()}
    api_sam.post("/enrollments/links", terms, status=403)
    told = api_root.post("/enrollments/links", terms, status=201)
    assert "/enrollments/work/" in told["held"] and told["link"]["role"] == "instructor"
    api_sam.money("/enrollments/join", {"link": told["held"].rpartition("/")[2]}, status=409)
    assert api_root.get(f"/enrollments/links/{told['link']['id']}/hires")["rows"] == []
    api_sam.get(f"/enrollments/links/{told['link']['id']}/hires", status=403)
