"""A live class of one batch: its people alone see it, join it, hear of it and stand on its sheet."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as Work

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.courses.models import Course
from lms.enrollments import operations as enrollments
from lms.enrollments.events import EnrollmentMoved
from lms.enrollments.models import CourseBatch
from lms.notifications.models import Notice
from lms.streaming import operations, policies, queries
from lms.streaming.errors import NoSuchBatch
from lms.streaming.handlers import take_the_picture_of_the_batch_away
from lms.streaming.models import Session
from lms.streaming.reports import Sheet
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.batches import a_batch
from tests.factories.courses import a_course
from tests.factories.people import a_student, ada, root, sam
from tests.factories.streaming import bring_to
from tests.machine import Machine


def a_class_of(batch: CourseBatch, course: Course) -> Session:
    starts_at = now() + timedelta(hours=3)
    ends_at = starts_at + timedelta(hours=1)
    return operations.schedule_session(course, title="Group hour", starts_at=starts_at, ends_at=ends_at, by=ada(), batch_id=batch.id)


def two_batches() -> tuple[Course, CourseBatch, Actor, Session]:
    """Sam is in spring, Nia in autumn, and the class is spring's."""
    course = a_course(published=True)
    spring, autumn, nia = a_batch(course), a_batch(course, "Autumn 2027"), a_student()
    enrollments.enroll_by_hand(sam().user_id, course, note="x", by=root(), batch_id=spring.id)  # type: ignore[arg-type]
    enrollments.enroll_by_hand(nia.user_id, course, note="x", by=root(), batch_id=autumn.id)  # type: ignore[arg-type]
    return course, autumn, nia, a_class_of(spring, course)


def test_schedule_session__of_a_batch_is_for_its_people_alone__take_the_picture_of_the_batch_away(work: Work) -> None:
    course, autumn, nia, session = two_batches()
    with pytest.raises(NoSuchBatch):
        a_class_of(a_batch(a_course("Botany", published=True)), course)
    for person, may in ((sam(), True), (nia, False)):
        standing = queries.get_standing(session.id, person.user_id)
        assert bool(policies.can_see(person, standing.session, standing.instructor_id, enrolled=standing.enrolled)) is may
        assert queries.standings_of(session.id, [person.user_id])[person.user_id].enrolled is may  # type: ignore[index, list-item]
        assert bool(queries.upcoming_sessions(person.user_id)) is may  # type: ignore[arg-type]
        assert bool(queries.calendar_of(person.user_id, "https://learn.example")) is may  # type: ignore[arg-type]
    assert queries.upcoming_sessions(ada().user_id)  # type: ignore[arg-type]
    bring_to(session, "live")
    assert [name for _id, name in queries.absentees_of(session)] == ["Sam Student"]
    sheet = Sheet()
    assert sheet.count(sheet.read_view({}), root()) == 1
    enrollment = enrollments.enroll_by_hand(sam().user_id, course, note="x", by=root())  # type: ignore[arg-type]
    assert queries.running_ids(sam().user_id, course.id) == []  # type: ignore[arg-type]
    enrollments.move_enrollment(enrollment, autumn.id, reason="Asked for it", by=root())
    assert queries.running_ids(sam().user_id, course.id) == [session.id]  # type: ignore[arg-type]
    fact = EnrollmentMoved(enrollment_id=enrollment.id, user_id=enrollment.user_id, course_id=course.id, batch_id=autumn.id)
    take_the_picture_of_the_batch_away(fact)
    assert not queries.get_standing(session.id, sam().user_id).enrolled


def test_batches_show__plans_a_class_its_people_hear_of(as_root: Browser, as_sam: Browser, api_sam: Machine, api_root: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course, _autumn, nia, session = two_batches()
        batch_id, nia_id = session.batch_id, nia.user_id
    page = f"/admin/enrollments/batches/{batch_id}"
    assert as_root.get(page, status=200).all('//*[@id="batch-classes"]')
    piece = as_root.get(f"/admin/streaming/batches/{batch_id}", htmx=True, status=200)
    assert "Group hour" in piece.words
    [new] = piece.all("//a[contains(@href, 'sessions/new')]/@href")
    assert as_root.get(str(new), status=200).all(f'//option[@selected and @value="{course.id}:{batch_id}"]')
    starts = (now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    form = {
        "course_id": f"{course.id}:{batch_id}",
        "title": "Second hour",
        "starts_at": starts,
        "minutes": "60",
        "provider": "link",
        "every": "",
    }
    where = as_root.post("/admin/streaming/sessions/new", form, status=303).location
    assert "Spring 2027" in as_root.get(where, status=200).words and "Spring 2027" in as_sam.get("/streaming/", status=200).words
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL) as work:
        told = set(work.scalars(select(Notice.user_id).where(Notice.href.startswith("/streaming/sessions/"))))
        assert as_sam.person.user_id in told and nia_id not in told
    assert {one["batch_id"] for one in api_sam.get("/streaming/mine")["rows"]} == {str(batch_id)}
    at = now() + timedelta(days=3)
    body = {
        "course_id": str(course.id),
        "batch_id": str(course.id),
        "title": "Third",
        "starts_at": at.isoformat(),
        "ends_at": (at + timedelta(hours=1)).isoformat(),
    }
    api_root.post("/streaming/sessions", body, status=422)
    assert api_root.post("/streaming/sessions", body | {"batch_id": str(batch_id)}, status=201)["batch_id"] == str(batch_id)
