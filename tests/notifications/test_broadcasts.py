"""Messages to many: looked at before they go out, asked about anew for each person, told once whoever dies on the way."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lms.channels.models import Member
from lms.channels.queries import actor_of_user, get_member
from lms.core import clock, db, jobs, plans
from lms.core.errors import Invalid
from lms.core.mail import newest
from lms.core.models import Mail, Outbox
from lms.enrollments.models import Enrollment
from lms.enrollments.operations import end_enrollment
from lms.notifications import operations, queries
from lms.notifications.jobs import send_broadcast
from lms.notifications.models import Broadcast, Notice, Recipient
from lms.notifications.queries import Audience
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, ada, root, sam
from tests.machine import Machine

WORDS = {"subject": "Exam on Friday", "body": "Bring a **pen**.", "in_app": True, "mail": True, "send_at": None}


def a_class(count: int) -> list[Enrollment]:
    """A published course of Ada's with so many students."""
    course = a_course(published=True)
    return [an_enrollment(a_student(f"Student {number:03d}"), course) for number in range(count)]


def a_broadcast(audience: Audience, **words: object) -> Broadcast:
    """A draft of Root's."""
    return operations.write_broadcast(audience, by=root(), **{**WORDS, **words})


def outcomes(broadcast_id: UUID) -> dict[str, int]:
    """How many people stand in which state."""
    query = select(Recipient.state, func.count()).where(Recipient.broadcast_id == broadcast_id).group_by(Recipient.state)
    return {state: count for state, count in db.session().execute(query)}


def test_people_meant__are_those_of_the_condition_and_no_others(work: Session) -> None:
    made = a_class(4)
    course_id = str(made[0].course_id)
    for enrolment, progress in zip(made, (0, 40, 60, 100), strict=True):
        enrolment.progress = progress
    made[1].last_seen_at = clock.now()
    work.flush()
    work.execute(update(Enrollment).where(Enrollment.id == made[0].id).values(enrolled_at=clock.now() - timedelta(days=40)))
    get_member(made[3].user_id).status = "suspended"
    work.flush()
    meant = {
        "all": Audience("course", course_id=course_id),
        "below": Audience("course", course_id=course_id, progress="below", percent=50),
        "above": Audience("course", course_id=course_id, progress="above", percent=60),
        "away": Audience("course", course_id=course_id, unseen_days=30),
        "instructors": Audience("role", role="instructor"),
    }
    assert {name: queries.count_meant(one) for name, one in meant.items()} == {
        "all": 3, "below": 2, "above": 1, "away": 1, "instructors": work.scalar(select(func.count()).where(Member.role == "instructor")),
    }  # fmt: skip


def test_send_broadcast__asks_about_each_person_anew_and_says_why_not(work: Session) -> None:
    """gocodebox/lifterlms#839: mails went on after a refund; here whoever left meanwhile gets nothing, and the list says so."""
    made = a_class(4)
    broadcast = a_broadcast(Audience("course", course_id=str(made[0].course_id)))
    operations.send_broadcast(broadcast, by=root())
    assert broadcast.person_count == 4
    end_enrollment(made[0], reason="left", by=root())
    get_member(made[1].user_id).status = "suspended"
    silent = queries.find_reader(made[2].user_id)
    assert silent is not None
    operations.unsubscribe(silent, "announcement")
    operations.set_wishes(made[2].user_id, {"announcement": (False, "never")}, by=actor_of_user(made[2].user_id))
    with db.unit_of_work(CHANNEL):
        row_id = send_broadcast.put({"broadcast_id": broadcast.id})
    assert jobs.perform(row_id)
    work.expire_all()
    reasons = dict(work.execute(select(Recipient.user_id, Recipient.reason).where(Recipient.broadcast_id == broadcast.id)).all())
    assert reasons[made[0].user_id] == "Not sent: not enrolled any more." and reasons[made[1].user_id] == "Not sent: suspended or gone."
    assert reasons[made[2].user_id] == "Not sent: wants no such messages." and reasons[made[3].user_id] == ""
    run_jobs()
    (mail,) = work.scalars(select(Mail).where(Mail.subject == "Exam on Friday")).all()
    assert "<strong>pen</strong>" in mail.body_html and mail.state == "sent" and "List-Unsubscribe" in mail.headers


def test_send_some__tells_each_person_once_when_workers_die(work: Session) -> None:
    made = a_class(7)
    broadcast = a_broadcast(Audience("course", course_id=str(made[0].course_id)))
    operations.send_broadcast(broadcast, by=root())
    while operations.collect_some(broadcast.id):
        pass
    assert operations.begin_sending(broadcast.id)
    assert operations.send_some(broadcast.id, limit=3) == pytest.approx(3 / 7)
    with pytest.raises(RuntimeError), work.begin_nested():  # the worker dies in the middle of its second batch
        operations.send_some(broadcast.id, limit=3)
        raise RuntimeError("killed")
    assert outcomes(broadcast.id) == {"told": 3, "waiting": 4}
    operations.pause_broadcast(broadcast, by=root())
    assert operations.send_some(broadcast.id) is None and outcomes(broadcast.id)["waiting"] == 4
    operations.resume_broadcast(broadcast, by=root())
    for _ in range(2):  # the next one goes on, and another that thought the same finds nothing
        with db.unit_of_work(CHANNEL):
            row_id = send_broadcast.put({"broadcast_id": broadcast.id})
        assert jobs.perform(row_id)
    assert outcomes(broadcast.id) == {"told": 7} and queries.get_broadcast(broadcast.id).state == "sent"
    assert work.scalar(select(func.count()).where(Notice.event_id == broadcast.id)) == 7
    assert work.scalar(select(func.count()).where(Mail.subject == "Exam on Friday")) == 7


def test_send_broadcast__waits_for_its_time_and_refuses_nobody(work: Session) -> None:
    made = a_class(1)
    with pytest.raises(Invalid):
        operations.send_broadcast(a_broadcast(Audience("course", course_id=str(a_course("Empty").id))), by=root())
    at = clock.now() + timedelta(hours=3)
    broadcast = a_broadcast(Audience("course", course_id=str(made[0].course_id)), send_at=at)
    operations.send_broadcast(broadcast, by=root())
    with db.unit_of_work(CHANNEL):
        row_id = send_broadcast.put({"broadcast_id": broadcast.id})
    assert jobs.perform(row_id)
    assert queries.get_broadcast(broadcast.id).state == "scheduled" and outcomes(broadcast.id) == {"waiting": 1}
    assert work.scalar(select(Outbox.run_at).where(Outbox.key.startswith(f"broadcast:{broadcast.id}"))) == at
    operations.cancel_broadcast(broadcast, by=root())
    assert not operations.begin_sending(broadcast.id)


def test_messages_new__shows_who_will_get_it_then_sends(as_root: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        an_enrollment(as_sam.person, course)
    said = {"subject": "Exam", "body": "Bring a *pen*.", "to": "course", "course_id": str(course.id), "progress": "", "percent": "50",
            "role": "student", "in_app": "y", "mail": "y", "unseen_days": "", "send_at": ""}  # fmt: skip
    page = as_root.post("/admin/notifications/messages/new", {**said, "subject": ""}, status=422)
    assert "Bring a *pen*." in page.body
    as_root.post("/admin/notifications/messages/new", {**said, "in_app": "", "mail": ""}, status=422)
    where = as_root.post("/admin/notifications/messages/new", said, status=303).location
    page = as_root.get(where, status=200)
    assert "Who will get it: 1 person" in page.words and "sam@example.org" in page.words and "App and mail" in page.words
    as_root.post(f"{where}/edit", {**said, "subject": "Exam on Friday"}, status=303)
    as_root.post(f"{where}/send", status=303)
    as_root.get(f"{where}/status", htmx=True, status=200, check=False)
    assert "Being made ready" in as_root.get(where, status=200).words
    assert "past that point" in as_root.post(f"{where}/edit", said, status=422).words
    run_jobs()
    page = as_root.get(where, status=200)
    assert "1 of 1 people" in page.words and "Exam on Friday" in as_root.get("/admin/notifications/messages", status=200).words
    as_root.post(f"{where}/pause", status=409, check=False)
    as_root.post(f"{where}/resume", status=409, check=False)
    as_root.post(f"{where}/cancel", status=409, check=False)
    mine = "/" + where.removeprefix("/admin/")
    assert "Bring a pen." in as_sam.get(mine, status=200).words
    as_root.get(mine, status=403)


def test_messages_new__lets_instructors_write_to_their_own_courses_only(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        own, others = a_course(published=True), a_course("Botany", by=root())
        theirs = a_broadcast(Audience("everybody"))
    said = {"subject": "Exam", "body": "Words", "to": "course", "course_id": str(own.id), "progress": "", "percent": "50",
            "role": "student", "in_app": "y", "unseen_days": "", "send_at": ""}  # fmt: skip
    as_ada.post("/admin/notifications/messages/new", said, status=303)
    as_ada.post("/admin/notifications/messages/new", {**said, "course_id": str(others.id)}, status=422)
    as_ada.post("/admin/notifications/messages/new", {**said, "to": "everybody"}, status=422)
    as_ada.get(f"/admin/notifications/messages/{theirs.id}", status=403)
    as_ada.get("/admin/notifications/messages", status=200)


def test_message_students__goes_to_chosen_rows_once_and_is_taken_back_from_the_unread(work: Session) -> None:
    made = a_class(3)
    get_member(made[2].user_id).status = "suspended"
    work.flush()
    plan = plans.make_from_ids("notifications.message_students", [one.id for one in made], by=ada())
    run_jobs()
    plans.replan(plan, params={"subject": "Exam", "body": "Words", "ways": "app"}, by=ada())
    run_jobs()
    work.expire_all()
    plan = plans.get_plan(plan.id)
    assert (plan.state, plan.new_count, plan.refused_count) == ("planned", 2, 1)
    plans.apply(plan, by=ada())
    run_jobs()
    work.expire_all()
    assert plans.get_plan(plan.id).applied_count == 2 and outcomes(plan.id) == {"told": 2}
    notice = queries.notices_of(made[0].user_id, size=1)[0]
    operations.mark_seen(notice)
    plans.undo(plans.get_plan(plan.id), by=ada())
    run_jobs()
    work.expire_all()
    assert plans.get_plan(plan.id).undone_count == 1 and outcomes(plan.id) == {"told": 1}
    assert not newest(5, "student.000@example.org") or all(mail.subject != "Exam" for mail in newest(5, "student.000@example.org"))


def test_messages_create__is_a_draft_until_it_is_sent(api_root: Machine, api_sam: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        sam()
    wish = {"subject": "Exam", "body": "Words", "audience": {"to": "role", "role": "student"}}
    api_sam.post("/notifications/messages", wish, status=403)
    api_ada.post("/notifications/messages", wish, status=403)
    api_root.post("/notifications/messages", {**wish, "audience": {"to": "course"}}, status=422)
    made = api_root.post("/notifications/messages", wish, status=201)
    assert made["state"] == "draft" and made["people"] == 1
    api_ada.get(f"/notifications/messages/{made['id']}", status=403)
    for _ in range(2):
        api_root.post(f"/notifications/messages/{made['id']}/send", status=200)
    run_jobs()
    assert api_root.get(f"/notifications/messages/{made['id']}")["told"] == 1
