"""Digests and quiet hours: one mail a person and period, by the clock of their zone, of what may still be sent."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms.auth.models import User
from lms.core import clock, db, jobs
from lms.core.ids import uuid7
from lms.core.mail import newest
from lms.core.models import Mail, Outbox
from lms.enrollments.operations import end_enrollment
from lms.notifications import operations, queries
from lms.notifications.jobs import send_digests
from lms.notifications.models import Notice
from lms.notifications.operations.timing import held_until, next_digest
from lms.notifications.queries import Reader, Ways
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, root, sam

CAIRO = Reader(uuid7(), "Nia", "nia@example.org", "en", "Africa/Cairo", digest_hour=8, digest_day=0, quiet_from=22, quiet_to=7)


def test_next_digest__is_by_the_clock_of_the_readers_zone() -> None:
    friday = datetime(2026, 11, 20, 5, 30, tzinfo=UTC)  # 7:30 in Cairo
    assert next_digest(CAIRO, "daily", friday) == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert next_digest(CAIRO, "daily", friday + timedelta(hours=1)) == datetime(2026, 11, 21, 6, tzinfo=UTC)
    assert next_digest(CAIRO, "weekly", friday) == datetime(2026, 11, 23, 6, tzinfo=UTC)
    before_winter = datetime(2026, 10, 29, 12, tzinfo=UTC)  # the clocks go back in the night to Friday the 30th
    assert next_digest(CAIRO, "daily", before_winter) == datetime(2026, 10, 30, 6, tzinfo=UTC)


def test_held_until__is_the_end_of_the_quiet_hours() -> None:
    assert held_until(CAIRO, datetime(2026, 11, 20, 21, tzinfo=UTC)) == datetime(2026, 11, 21, 5, tzinfo=UTC)
    assert held_until(CAIRO, datetime(2026, 11, 20, 3, tzinfo=UTC)) == datetime(2026, 11, 20, 5, tzinfo=UTC)
    assert held_until(CAIRO, datetime(2026, 11, 20, 12, tzinfo=UTC)) is None


def test_send_digests__writes_one_mail_of_what_may_still_be_sent(work: Session) -> None:
    person, other, boss = sam(), a_student(), root()
    assert person.user_id and other.user_id
    enrolment = an_enrollment(other, a_course(published=True))
    operations.set_defaults({kind: Ways(True, True, "daily") for kind in ("lesson", "enrolled")}, by=boss)
    with clock.at(clock.now() - timedelta(days=2)):
        for number in range(3):
            values = {"course": "Algebra", "lesson": f"Lesson {number}"}
            operations.tell("lesson", [person.user_id], event_id=uuid7(), href="/", values=values)
        values = {"course": "Algebra", "lesson": "Left"}
        operations.tell("lesson", [other.user_id], event_id=uuid7(), href="/", values=values, course_id=enrolment.course_id)
    end_enrollment(enrolment, reason="left", by=boss)
    assert set(queries.due_people(clock.now(), limit=10)) == {person.user_id, other.user_id}
    for _ in range(2):
        with db.unit_of_work(CHANNEL):
            row_id = send_digests.put({})
        assert jobs.perform(row_id)
    run_jobs()
    (mail,) = [one for one in newest(20, person.email) if one.template == "notifications/mail/digest"]
    assert mail.subject == "3 pieces of news from Ada Academy" and mail.state == "sent" and "Lesson 2" in mail.body_text
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert not [one for one in newest(20, other.email) if one.template == "notifications/mail/digest"]
    assert set(work.scalars(select(Notice.mail_id).where(Notice.user_id == person.user_id))) == {mail.id}


def test_tell__holds_mails_in_quiet_hours_but_not_urgent_ones(work: Session) -> None:
    person = sam()
    assert person.user_id is not None
    hour = clock.now().hour
    work.execute(update(User).where(User.id == person.user_id).values(zone="UTC"))
    operations.set_habit(person.user_id, by=person, quiet_from=hour, quiet_to=(hour + 2) % 24)
    values = {"course": "Algebra", "lesson": "Sums", "session": "Class", "starts_at": clock.now()}
    operations.tell("lesson", [person.user_id], event_id=uuid7(), href="/", values=values)
    operations.tell("session_soon", [person.user_id], event_id=uuid7(), href="/", values=values)
    run_jobs()
    held, urgent = work.scalars(select(Mail).where(Mail.to_address == person.email).order_by(Mail.created_at)).all()
    assert held.state == "queued" and held.held_until is not None and held.held_until > clock.now() and urgent.state == "sent"
    waiting = work.scalars(select(Outbox).where(Outbox.payload["mail_id"].astext == str(held.id))).one()
    assert waiting.run_at == held.held_until
