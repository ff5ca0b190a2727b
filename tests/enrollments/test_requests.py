"""Asking to be let into a course: by a rule at once, by a person in words, by nobody in time; one at a time, and taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.admin import queries as frame
from lms.channels import operations as channels
from lms.channels.queries import tag_names
from lms.core import db, plans
from lms.core.clock import now
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Invalid
from lms.core.models import Mail
from lms.courses import operations as courses
from lms.courses.models import Course
from lms.courses.operations import Entry
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import RequestIsOver
from lms.enrollments.models import Request
from lms.notifications.models import Notice
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course
from tests.factories.people import a_student, an_instructor, root, sam
from tests.factories.wallet import a_topped_up_student, euros
from tests.machine import Machine

APPROVE, REFUSE = "enrollments.approve_requests", "enrollments.refuse_requests"


def on_request(title: str = "Algebra", *, price: int = 0, by: Actor | None = None, **rule: object) -> Course:
    course = a_course(title, published=True, price=euros(price), by=by)
    courses.set_entry(course, Entry(entry="request", **rule), by=root())  # type: ignore[arg-type]
    return course


def asked(course: Course, by: Actor | None = None, reason: str = "I teach there.") -> Request:
    return operations.ask_to_enroll(course, reason, by=by or sam())


def test_ask_to_enroll__is_one_at_a_time_and_can_be_taken_back(work: db.Session) -> None:
    course = on_request()
    first = asked(course)
    assert asked(course, reason="Again.").id == first.id and first.reason == "I teach there."
    operations.withdraw_request(first, by=sam())
    operations.withdraw_request(first, by=sam())
    assert first.state == "withdrawn" and asked(course).id != first.id
    with pytest.raises(RequestIsOver):
        operations.approve_request(first, answer="", by=root())
    with pytest.raises(Invalid):
        asked(course, reason=" ")


def test_ask_to_enroll__lets_in_at_once_whom_the_rule_fits(work: db.Session) -> None:
    tagged, nia = a_student("Tara Tagged"), a_student()
    assert tagged.user_id is not None
    channels.give_tag(tagged.user_id, "Partner", by=root())
    segment = channels.add_segment("Partners", {"tag": str(tag_names()[0][0])}, by=root())
    rules = ({"domains": ["example.org"]}, sam()), ({"tag": "partner"}, tagged), ({"segment_id": segment.id}, tagged)
    for number, (rule, person) in enumerate(rules):
        made = asked(on_request(f"Course {number}", **rule), person)
        assert made.state == "approved" and made.is_by_rule and made.used_at and queries.is_enrolled(person.user_id, made.course_id)
    assert asked(on_request("Botany", domains=["school.example"], tag="partner", segment_id=segment.id), nia).state == "waiting"


def test_approve_request__enrols_or_opens_the_payment(work: db.Session) -> None:
    free, dear = on_request(), on_request("Botany", price=30)
    student = a_topped_up_student(euros(50))
    made = asked(free, student)
    assert operations.approve_request(made, answer="Welcome.", by=root()) and not operations.approve_request(made, answer="", by=root())
    assert made.used_at is not None and queries.active_enrollment(student.user_id, free.id) is not None
    paying = asked(dear, student)
    operations.approve_request(paying, answer="", by=root())
    assert paying.used_at is None and queries.lets_in(student.user_id, dear)
    assert policies.can_enroll(student, dear, None, let_in=True) and not policies.can_enroll(student, dear, None)
    operations.enroll_by_wallet(dear, by=student, agreed=euros(30))
    operations.settle_requests(student.user_id, dear.id, by=student.user_id)  # type: ignore[arg-type]
    assert paying.used_at is not None and not queries.lets_in(student.user_id, dear)


def test_refuse_request__needs_words_and_a_while_until_the_next(work: db.Session) -> None:
    course = on_request()
    made = asked(course)
    with pytest.raises(Invalid):
        operations.refuse_request(made, answer=" ", by=root())
    assert operations.refuse_request(made, answer="Full this year.", by=root())
    assert not operations.refuse_request(made, answer="Again.", by=root())
    assert policies.can_ask(sam(), course, None, made, at=now()).rule == "refused"
    assert policies.can_ask(sam(), course, None, made, at=now() + timedelta(days=8))


def test_expire_requests__closes_old_ones_once(work: db.Session) -> None:
    course, dear = on_request(), on_request("Botany", price=30)
    old, unused, fresh = asked(course), asked(dear), asked(course, a_student())
    operations.approve_request(unused, answer="", by=root())
    old.asked_at, unused.answered_at = now() - timedelta(days=31), now() - timedelta(days=15)
    assert operations.expire_requests(by=the_platform(CHANNEL)) == 2 and not operations.expire_requests(by=the_platform(CHANNEL))
    assert (old.state, unused.state, fresh.state) == ("expired", "expired", "waiting")


def test_approve_requests__as_a_plan_and_taken_back_but_for_those_who_began(work: db.Session) -> None:
    course = on_request()
    people = [a_student(f"Student {number}") for number in range(3)]
    made = [asked(course, one) for one in people]
    operations.withdraw_request(made[2], by=people[2])
    work.flush()
    plan = plans.make_from_ids(APPROVE, [one.id for one in made], by=root(), params={"answer": "Welcome."})
    assert (plan.to_apply, plan.refused_count) == (2, 1)
    plans.apply(plan, by=root())
    assert queries.count_students(course.id) == 2
    began = queries.active_enrollment(people[0].user_id, course.id)
    assert began is not None
    began.last_seen_at = now()
    work.flush()
    plans.undo(plan, by=root())
    assert (plan.undone_count, plan.conflict_count, queries.count_students(course.id)) == (1, 1, 1)
    work.refresh(made[1])
    assert made[1].state == "waiting"


def test_refuse_requests__are_the_own_courses_alone_for_an_instructor(work: db.Session) -> None:
    ivo = an_instructor()
    mine, foreign = asked(on_request("Mine", by=ivo)), asked(on_request("Foreign"))
    work.flush()
    plan = plans.make_from_ids(REFUSE, [mine.id, foreign.id], by=ivo, params={"answer": "Full."})
    assert (plan.to_apply, plan.refused_count) == (1, 1)
    with pytest.raises(Invalid):
        plans.make_from_ids(REFUSE, [mine.id], by=ivo, params={"answer": " "})


def test_requests__stand_in_the_inbox_once_for_each_course_and_are_told(work: db.Session) -> None:
    course = on_request()
    first = asked(course)
    work.flush()
    [line] = [one for one in frame.waiting() if one.kind == "request"]
    assert line.title == "Algebra" and line.href.endswith(str(first.id)) and line.detail == "I teach there."
    asked(course, a_student())
    work.flush()
    [line] = [one for one in frame.waiting() if one.kind == "request"]
    assert line.detail == "2" and "state=waiting" in line.href
    operations.refuse_request(first, answer="Full.", by=root())
    work.flush()
    assert len([one for one in frame.waiting() if one.kind == "request"]) == 1


# --- doors -------------------------------------------------------------------------------------------------------------


def test_courses_request__asks_waits_and_is_answered_by_mail_and_bell(as_sam: Browser, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = on_request()
    offer = as_sam.get(f"/enrollments/courses/{course.id}/offer", htmx=True, status=200)
    assert "Ask to be enrolled" in offer.words
    path = f"/enrollments/courses/{course.id}/request"
    as_sam.get(path, status=200)
    assert "Say in a few words why." in as_sam.post(path, {"reason": ""}, status=422).words
    as_sam.post(path, {"reason": "I teach there."}, status=303)
    as_sam.post(path, {"reason": "I teach there."}, status=200)
    assert "Your request waits" in as_sam.get(path, status=200).words
    as_sam.get(f"/enrollments/courses/{course.id}/enroll", status=403)
    page = as_root.get("/admin/enrollments/requests?state=waiting", status=200)
    [where] = page.all("//table//a[contains(@href, '/admin/enrollments/requests/')]/@href")[:1]
    assert "I teach there." in as_root.get(str(where), status=200).words
    assert "Say why not" in as_root.post(str(where), {"answer": "", "act": "refuse"}, status=422).words
    as_root.post(str(where), {"answer": "Welcome to us.", "act": "approve"}, status=303)
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL) as session:
        titles = session.scalars(select(Notice.title).where(Notice.user_id == as_sam.person.user_id)).all()
        mails = session.scalars(select(Mail.body_text).where(Mail.to_address == as_sam.person.email)).all()
        assert titles == ["You may learn Algebra"] and any("Welcome to us." in body for body in mails)
    assert "/continue" in as_sam.get(path, status=303).location
    assert as_root.get(str(where), status=200).all("//*[contains(@class, 'toast')]//form")


def test_courses_request_withdraw__is_for_ones_own_that_waits(as_sam: Browser, as_ada: Browser, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = on_request()
        foreign = asked(on_request("Foreign", by=an_instructor())).id
    path = f"/enrollments/courses/{course.id}/request"
    as_sam.post(f"{path}/withdraw", status=303)
    as_sam.post(path, {"reason": "I teach there."}, status=303)
    as_sam.post(f"{path}/withdraw", status=303)
    as_sam.post(f"{path}/withdraw", status=403)
    as_sam.get("/admin/enrollments/requests", status=403)
    as_ada.get(f"/admin/enrollments/requests/{foreign}", status=403)
    assert "Foreign" not in as_ada.get("/admin/enrollments/requests", status=200).text("//table")
    with db.unit_of_work(CHANNEL):
        opened = a_course("Open", published=True)
    as_sam.get(f"/enrollments/courses/{opened.id}/request", status=403)


def test_requests_api__asks_answers_and_withdraws(api_sam: Machine, api_root: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course, other = on_request(), on_request("Botany")
    made = api_sam.post(f"/enrollments/courses/{course.id}/request", {"reason": "I teach there."}, status=201)
    assert api_sam.post(f"/enrollments/courses/{course.id}/request", {"reason": "Again."}, status=201)["id"] == made["id"]
    where = f"/enrollments/requests/{made['id']}"
    assert api_sam.get(where)["state"] == "waiting" and len(api_root.get("/enrollments/requests")["rows"]) == 1
    api_sam.post(f"{where}/approve", {}, status=403)
    assert api_root.post(f"{where}/approve", {"answer": "Yes."})["used_at"]
    second = api_sam.post(f"/enrollments/courses/{other.id}/request", {"reason": "Please."}, status=201)["id"]
    assert api_root.post(f"/enrollments/requests/{second}/refuse", {"answer": "Full."})["state"] == "refused"
    api_sam.post(f"/enrollments/requests/{second}/withdraw", status=403)
