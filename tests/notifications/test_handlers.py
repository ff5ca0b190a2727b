"""Facts become notices and mails: for the right people, once, on the ways they wish, and not when it is not so any more."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from lms.channels import operations as channels
from lms.channels import queries as members
from lms.content.events import AssetFailed
from lms.core import clock, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.events import emit
from lms.core.mail import newest
from lms.core.models import Mail
from lms.courses import operations as courses
from lms.courses.queries import get_course, get_lesson
from lms.enrollments import operations as enrollments
from lms.enrollments.queries import active_enrollment
from lms.notifications import jobs, operations, queries
from lms.notifications.models import Notice
from lms.streaming import operations as streaming
from lms.streaming.queries import get_session
from tests.conftest import CHANNEL, OTHER_CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course, a_file, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_person, a_student, ada, root, sam
from tests.factories.streaming import a_session
from tests.factories.vouchers import a_batch


def titles(person: Actor) -> list[str]:
    """What the person was told, oldest first."""
    with db.unit_of_work(CHANNEL, read_only=True):
        assert person.user_id is not None
        return [notice.title for notice in reversed(queries.notices_of(person.user_id))]


def mails(address: str) -> list[Mail]:
    with db.unit_of_work(CHANNEL, read_only=True):
        return [mail for mail in newest(50, address) if mail.template == "notifications/mail/notice"]


@pytest.fixture
def crowd(connection: object) -> tuple[Actor, Actor, UUID]:
    """Sam learns Ada's published course; what enrolling told is over and done."""
    with db.unit_of_work(CHANNEL):
        student, teacher, course = sam(), ada(), a_course(published=True)
        an_enrollment(student, course)
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("DELETE FROM notifications.notices"))
        session.execute(text("DELETE FROM notifications.announcements"))
        session.execute(text("DELETE FROM core.mails"))
    return student, teacher, course.id


def test_tell_of_enrolment__reaches_student_and_instructor_once(connection: object) -> None:
    with clock.at(clock.now() - timedelta(minutes=10)), db.unit_of_work(CHANNEL):
        student, teacher = sam(), ada()
        enrollment = an_enrollment(student, a_course(published=True))
    run_jobs()
    assert titles(student) == ["You are enrolled in Algebra for everybody"]
    assert "Sam Student enrolled in Algebra for everybody" in titles(teacher)
    assert len(mails("sam@example.org")) == 1 and not any("enrolled in" in mail.subject for mail in mails("ada@example.org"))
    with db.unit_of_work(CHANNEL):
        until = operations.tell_of_enrolment(enrollment.id)
        assert until is not None and enrollment.enrolled_at < until <= enrollment.enrolled_at + timedelta(minutes=2)
        operations.tell_of_students(enrollment.course_id, until)
    run_jobs()
    assert len(titles(student)) == len([one for one in titles(teacher) if "enrolled" in one]) == 1 and len(mails("sam@example.org")) == 1
    assert not outbox_errors()


def test_tell_of_students__who_come_at_once_are_one_notice(connection: object) -> None:
    begin = datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC)
    with clock.at(begin), db.unit_of_work(CHANNEL):
        teacher, course = ada(), a_course(published=True)
        crowd = [a_person(f"Student {number:02}", "student", f"s{number}@example.org") for number in range(13)]
        for person in crowd[:12]:
            an_enrollment(person, course)
        enrollments.end_enrollment(an_enrollment(ada(), course), reason="Only looked", by=teacher)
    with clock.at(begin + timedelta(minutes=3)), db.unit_of_work(CHANNEL):
        an_enrollment(crowd[12], course)
    run_jobs()
    assert teacher.user_id is not None
    with db.unit_of_work(CHANNEL):
        one, several = (notice for notice in queries.notices_of(teacher.user_id) if notice.kind == "new_student")
    assert (several.title, one.title) == ("12 people enrolled in Algebra for everybody", "Student 12 enrolled in Algebra for everybody")
    assert "Student 00 · Student 01" in several.body and several.body.endswith("Student 09 and 2 more. 13 people learn it now.")
    assert not outbox_errors()


def test_tell_of_enrolment__the_mail_says_why_and_how_to_stop(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        an_enrollment(sam(), a_course(published=True))
    run_jobs()
    (mail,) = mails("sam@example.org")
    assert "You get this because you are enrolled in Algebra for everybody." in mail.body_text
    assert "/notifications/unsubscribe/" in mail.body_text and "/notifications/unsubscribe/" in mail.body_html
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and mail.headers["List-Unsubscribe"].startswith("<http")
    assert mail.state == "sent"


def test_tell_of_enrolment__is_silent_once_the_enrolment_ended(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        student = sam()
        enrollment = an_enrollment(student, a_course(published=True))
        enrollments.end_enrollment(enrollment, reason="Asked for it.", by=root())
    run_jobs()
    assert titles(student) == []


def test_announce_the_lesson__one_at_once_and_the_rest_of_the_hour_together(crowd: tuple[Actor, Actor, UUID]) -> None:
    student, _teacher, course_id = crowd
    with db.unit_of_work(CHANNEL):
        a_lesson(get_course(course_id), title="Fractions")
    run_jobs()
    assert titles(student) == ["New lesson in Algebra for everybody: Fractions"]
    with db.unit_of_work(CHANNEL):
        for name in ("Roots", "Powers", "Logarithms"):
            a_lesson(get_course(course_id), title=name)
    run_jobs()
    assert len(titles(student)) == 1
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE notifications.announcements SET announced_at = announced_at - interval '2 hours'"))
        session.execute(text("UPDATE core.outbox SET run_at = now() WHERE done_at IS NULL"))
    run_jobs()
    assert titles(student)[1:] == ["3 new lessons in Algebra for everybody"]
    assert len(mails("sam@example.org")) == 2
    assert not outbox_errors()


def test_announce_the_lesson__not_for_drafts_nor_twice(crowd: tuple[Actor, Actor, UUID]) -> None:
    student, _teacher, course_id = crowd
    with db.unit_of_work(CHANNEL):
        lesson = a_lesson(get_course(course_id), title="Fractions")
        courses.unpublish_lesson(lesson, by=root())
    run_jobs()
    assert titles(student) == []
    with db.unit_of_work(CHANNEL):
        courses.publish_lesson(get_lesson(lesson.id), by=root())
    run_jobs()
    assert len(titles(student)) == 1
    with db.unit_of_work(CHANNEL):
        courses.unpublish_lesson(get_lesson(lesson.id), by=root())
        courses.publish_lesson(get_lesson(lesson.id), by=root())
    run_jobs()
    assert len(titles(student)) == 1


def test_tell_course__reaches_everybody_once_in_chunks(crowd: tuple[Actor, Actor, UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    _student, _teacher, course_id = crowd
    monkeypatch.setattr(operations, "CHUNK", 3)
    with db.unit_of_work(CHANNEL) as session:
        people = [a_student(f"Student {number}") for number in range(10)]
        for person in people:
            session.execute(
                text(
                    "INSERT INTO enrollments.enrollments (channel_id, id, user_id, course_id, source)"
                    " VALUES (:channel, gen_random_uuid(), :user, :course, 'free')"
                ),
                {"channel": CHANNEL, "user": person.user_id, "course": course_id},
            )
        payload = {
            "message": "lesson",
            "event_id": operations.occasion("test"),
            "course_id": course_id,
            "href": "/courses/",
            "values": {"course": "Algebra", "lesson": "Sums"},
        }
        jobs.tell_course.put(payload)
        jobs.tell_course.put(payload)
    run_jobs()
    assert all(titles(person) == ["New lesson in Algebra: Sums"] for person in people)
    with db.unit_of_work(CHANNEL) as session:
        told = session.scalars(select(Notice).where(Notice.event_id == operations.occasion("test"))).all()
        assert len(told) == 11 == len({notice.user_id for notice in told}) == len({notice.mail_id for notice in told})
    assert not outbox_errors()


def test_remind_of_sessions__once_an_hour_before_in_the_readers_zone_and_latecomers_too(crowd: tuple[Actor, Actor, UUID]) -> None:
    student, teacher, course_id = crowd
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE auth.users SET zone = 'Asia/Kathmandu' WHERE id = :id"), {"id": student.user_id})
        live = a_session(get_course(course_id), starts_at=now() + timedelta(minutes=90))
        starts_at = live.starts_at
    run_jobs()
    with db.unit_of_work(CHANNEL):
        jobs.remind_of_sessions()
    run_jobs()
    assert not any("begins soon" in title for title in titles(student))
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE streaming.sessions SET starts_at = starts_at - interval '45 minutes'"))
    for _ in range(3):
        with db.unit_of_work(CHANNEL):
            jobs.remind_of_sessions()
        run_jobs()
    reminders = [mail for mail in mails("sam@example.org") if "begins soon" in mail.subject]
    assert len(reminders) == 1
    local = starts_at - timedelta(minutes=45) + timedelta(hours=5, minutes=45)
    assert f"{local:%H:%M}" in reminders[0].body_text
    assert "You teach Questions and answers soon" in titles(teacher)
    with db.unit_of_work(CHANNEL):
        late = a_student("Late Comer")
        an_enrollment(late, get_course(course_id))
        jobs.remind_of_sessions()
    run_jobs()
    assert "Questions and answers begins soon" in titles(late)
    assert not outbox_errors()


def test_tell_of_new_time__and_of_a_class_called_off(crowd: tuple[Actor, Actor, UUID]) -> None:
    student, _teacher, course_id = crowd
    with db.unit_of_work(CHANNEL):
        live = a_session(get_course(course_id), starts_at=now() + timedelta(days=3))
    run_jobs()
    with db.unit_of_work(CHANNEL):
        streaming.cancel_session(get_session(live.id), by=root())
    run_jobs()
    assert titles(student) == ["Live class planned: Questions and answers", "Questions and answers is called off"]
    assert [mail.subject for mail in mails("sam@example.org")] == ["Questions and answers is called off"]


def test_tell_of_batch__reaches_admins_alone(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        admin, teacher, student = root(), ada(), sam()
        a_batch(3, by=admin)
    run_jobs()
    assert titles(admin) == ["3 voucher codes created: Spring"] and titles(teacher) == titles(student) == []
    (mail,) = mails("root@example.org")
    assert "€30.00" in mail.body_text and "Root Admin" in mail.body_text


def test_tell_of_approval__and_of_the_answer(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        admin, teacher = root(), ada()
        course = a_course(lessons=0)
        a_lesson(course)
        courses.submit_for_approval(course, by=teacher)
    run_jobs()
    assert titles(admin) == ["Algebra for everybody waits for approval"]
    with db.unit_of_work(CHANNEL):
        courses.send_back(get_course(course.id), "The sound is missing.", by=admin)
    run_jobs()
    assert titles(teacher) == ["Algebra for everybody came back to you"]


def test_tell_of_failed_file__reaches_the_owner(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        teacher = ada()
        asset = a_file(state="failed", owner=teacher)
        emit(AssetFailed(asset_id=asset.id, reason="This is no video."))
        emit(AssetFailed(asset_id=asset.id, reason="This is no video."))
    run_jobs()
    assert titles(teacher) == ["talk.mp4 could not be used"]


@pytest.mark.parametrize("stop", ["suspended", "unsubscribed", "ended", "late"])
def test_why_not__asks_again_in_the_moment_of_sending(crowd: tuple[Actor, Actor, UUID], stop: str) -> None:
    student, _teacher, course_id = crowd
    assert student.user_id is not None
    with db.unit_of_work(CHANNEL):
        values = {"course": "Algebra", "session": "Q", "starts_at": now().isoformat()}
        stale_at = now() - timedelta(minutes=1) if stop == "late" else None
        args = {"href": "/", "values": values, "course_id": course_id, "stale_at": stale_at}
        assert operations.tell("session_soon", [student.user_id], event_id=operations.occasion(stop), **args) == 1
        if stop == "suspended":
            channels.suspend(members.get_member(student.user_id), by=root())
        elif stop == "unsubscribed":
            reader = queries.find_reader(student.user_id)
            assert reader is not None
            operations.unsubscribe(reader, "session_soon")
        elif stop == "ended":
            enrollment = active_enrollment(student.user_id, course_id)
            assert enrollment is not None
            enrollments.end_enrollment(enrollment, reason="x", by=root())
    run_jobs()
    (mail,) = mails("sam@example.org")
    assert mail.state == "withheld" and mail.error


def test_tell__says_nothing_to_the_suspended_and_writes_in_the_readers_language(crowd: tuple[Actor, Actor, UUID]) -> None:
    student, _teacher, _course_id = crowd
    assert student.user_id is not None
    with db.unit_of_work(CHANNEL):
        channels.suspend(members.get_member(student.user_id), by=root())
        values = {"course": "", "instructor": ""}
        assert operations.tell("approval", [student.user_id], event_id=operations.occasion("x"), href="/", values=values) == 0


def test_tell__stays_in_its_channel(crowd: tuple[Actor, Actor, UUID]) -> None:
    student, _teacher, _course_id = crowd
    assert student.user_id is not None
    with db.unit_of_work(OTHER_CHANNEL):
        values = {"course": "x", "instructor": "y"}
        assert operations.tell("approval", [student.user_id], event_id=operations.occasion("x"), href="/", values=values) == 0
    assert titles(student) == []


def test_forget_old__keeps_what_is_news(crowd: tuple[Actor, Actor, UUID]) -> None:
    student, _teacher, _course_id = crowd
    assert student.user_id is not None
    with db.unit_of_work(CHANNEL) as session:
        for name in ("old", "new"):
            values = {"course": name, "instructor": ""}
            operations.tell("approval", [student.user_id], event_id=operations.occasion(name), href="/", values=values)
        session.execute(text("UPDATE notifications.notices SET created_at = now() - interval '200 days' WHERE title LIKE 'old%'"))
        jobs.forget_old_notices()
    assert titles(student) == ["new waits for approval"]
