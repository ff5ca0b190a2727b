"""Leaving a course by oneself and coming back; a code whose place went to somebody else; a request that leads to a batch."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms.admin import queries as frame
from lms.auth.models import SignInSession
from lms.core import db
from lms.core.clock import now
from lms.core.errors import Conflict, Invalid
from lms.core.money import Money
from lms.courses import operations as courses
from lms.courses.models import Course
from lms.courses.operations import Entry
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import BatchIsFull
from lms.enrollments.models import CourseBatch, Enrollment, MissedPlace
from lms.enrollments.operations import Settlement
from lms.notifications.models import Notice
from lms.wallet.queries import balance_of
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.batches import a_batch
from tests.factories.courses import a_course
from tests.factories.people import a_student, root, sam
from tests.factories.vouchers import a_batch as a_voucher_batch
from tests.factories.wallet import a_topped_up_student, euros
from tests.machine import Machine


def test_leave_course__frees_the_place_and_moves_no_money__come_back__while_there_is_one(work: Session) -> None:
    course = a_course(published=True, price=euros(30))
    batch, student = a_batch(course, seats=1), a_topped_up_student(euros(50))
    enrollment = operations.enroll_by_wallet(course, by=student, batch_id=batch.id)
    nia = a_student()
    wait = operations.join_waitlist(batch, nia.user_id, by=nia)  # type: ignore[arg-type]
    operations.leave_course(enrollment, by=student)
    operations.leave_course(enrollment, by=student)
    assert enrollment.was_left and balance_of(student.user_id, "EUR") == euros(20)  # type: ignore[arg-type]
    assert [of.id for _one, of in queries.left_lately(student.user_id)] == [course.id]
    operations.offer_places(batch.id, by=root())
    work.refresh(wait)
    assert wait.state == "offered"
    with pytest.raises(BatchIsFull):
        operations.come_back(enrollment, by=student)
    operations.leave_waitlist(wait, by=nia)
    back = operations.come_back(enrollment, by=student)
    assert back.id == enrollment.id and back.is_open and back.batch_id == batch.id and not back.was_left
    assert operations.come_back(enrollment, by=student).id == back.id and balance_of(student.user_id, "EUR") == euros(20)  # type: ignore[arg-type]


def test_can_return__is_for_what_one_left_oneself_and_not_for_long(work: Session) -> None:
    course, day = a_course(published=True), operations.today()
    enrollment = operations.enroll_by_wallet(course, by=sam())
    operations.end_enrollment(enrollment, reason="Over", by=root())
    assert policies.can_return(sam(), course, enrollment, at=now(), day=day, refunded=False).rule == "own"
    operations.restore_enrollment(enrollment, by=root())
    operations.leave_course(enrollment, by=sam())
    assert policies.can_return(sam(), course, enrollment, at=now(), day=day, refunded=False)
    assert policies.can_return(a_student(), course, enrollment, at=now(), day=day, refunded=False).rule == "own"
    late = now() + timedelta(days=15)
    assert policies.can_return(sam(), course, enrollment, at=late, day=day, refunded=False).rule == "late"
    assert policies.can_return(sam(), course, enrollment, at=now(), day=day, refunded=True).rule == "refunded"
    enrollment.until_on = day - timedelta(days=1)
    assert policies.can_return(sam(), course, enrollment, at=now(), day=day, refunded=False).rule == "ended"


def test_courses_leave__says_what_becomes_of_it__courses_return__takes_it_back(as_sam: Browser, as_eve: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        operations.enroll_by_wallet(course, by=sam())
    path = f"/enrollments/courses/{course.id}"
    as_eve.post(f"{path}/leave", status=401)
    offer = as_sam.get(f"{path}/offer", htmx=True, status=200)
    assert "Leave this course" in offer.words
    page = as_sam.get(f"{path}/leave", status=200)
    assert "Your progress" in page.words and "no money moves" in page.words
    as_sam.post(f"{path}/leave", status=303)
    as_sam.post(f"{path}/leave", status=303)
    mine = as_sam.get("/enrollments/", status=200)
    assert f"You left {course.title}" in mine.words and mine.all("//*[contains(@class, 'toast')]//form")
    lesson = str(courses_lessons(course))
    assert "Come back" in as_sam.get(f"{path}/lessons/{lesson}", status=403).words
    assert "Come back" in as_sam.get(f"{path}/offer", htmx=True, status=200).words
    assert as_sam.post(f"{path}/return", status=303).location.endswith("/continue")
    as_sam.post(f"{path}/return", status=303)
    as_sam.get(f"{path}/lessons/{lesson}", status=200)


def courses_lessons(course: Course) -> UUID:
    with db.unit_of_work(CHANNEL, read_only=True):
        return queries.outline_of(course.id, None).parts[0].lessons[0].id


def test_courses_leave_api__courses_return(api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
    api_sam.post(f"/enrollments/courses/{course.id}/leave", status=409)
    with db.unit_of_work(CHANNEL):
        operations.enroll_by_wallet(course, by=sam())
    assert api_sam.post(f"/enrollments/courses/{course.id}/leave")["status"] == "ended"
    assert api_sam.post(f"/enrollments/courses/{course.id}/return")["status"] == "active"


# --- a code whose place is gone ----------------------------------------------------------------------------------------


def a_missed_place(price: int = 0) -> tuple[Course, CourseBatch, Enrollment]:
    """Sam's voucher gives a place in a batch of one, which Nia has by the time it is opened."""
    course = a_course(published=True, price=euros(price))
    batch = a_batch(course, seats=1)
    codes = a_voucher_batch(1, kind="course", course_ids=[course.id])
    operations.bind_vouchers(batch, [codes.batch.id], by=root())
    operations.enroll_by_hand(a_student().user_id, course, note="x", by=root(), batch_id=batch.id)  # type: ignore[arg-type]
    for _twice in (1, 2):
        made = operations.open_by_voucher(sam().user_id, course.id, voucher_batch_id=codes.batch.id, redemption_id=None, by=root())  # type: ignore[arg-type]
    return course, batch, made


def case_of(enrollment: Enrollment) -> MissedPlace:
    return db.session().scalars(select(MissedPlace).where(MissedPlace.enrollment_id == enrollment.id)).one()


def in_the_inbox() -> list[str]:
    db.session().flush()
    return [one.href for one in frame.waiting() if one.kind == "place"]


def test_settle_missed_place__by_another_batch_by_money_or_without_one(work: Session) -> None:
    course, batch, enrollment = a_missed_place(price=30)
    assert enrollment.is_open and enrollment.batch_id is None
    case = case_of(enrollment)
    assert in_the_inbox() == [f"/admin/enrollments/places/{case.id}"]
    with pytest.raises(BatchIsFull):
        operations.settle_missed_place(case, Settlement("batch", batch.id), by=root())
    with pytest.raises(Invalid):
        operations.settle_missed_place(case, Settlement("money", amount=Money(0, "EUR")), by=root())
    autumn = a_batch(course, "Autumn 2027", seats=3)
    for _twice in (1, 2):
        operations.settle_missed_place(case, Settlement("batch", autumn.id), by=root())
    assert enrollment.batch_id == autumn.id and not in_the_inbox()
    with pytest.raises(Conflict):
        operations.settle_missed_place(case, Settlement("without"), by=root())


def test_settle_missed_place__gives_money_once_and_closes_the_course(work: Session) -> None:
    _course, _batch, enrollment = a_missed_place(price=30)
    case = case_of(enrollment)
    for _twice in (1, 2):
        operations.settle_missed_place(case, Settlement("money", amount=Money(3000, "EUR"), reason="No place left"), by=root())
    assert not enrollment.is_open and balance_of(sam().user_id, "EUR") == euros(30)  # type: ignore[arg-type]


def test_places_show__settles_what_stands_in_the_inbox(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course, _batch, enrollment = a_missed_place(price=30)
        path = f"/admin/enrollments/places/{case_of(enrollment).id}"
        a_batch(course, "Autumn 2027", seats=3)
    as_ada.get(path, status=403)
    page = as_root.get(path, status=200)
    assert "Autumn 2027" in page.words and page.all('//input[@name="amount"]')[0].get("value") == "30.00"
    assert path in as_root.get("/admin/inbox", status=200).body
    assert "Choose the batch." in as_root.post(path, {"act": "batch", "batch_id": ""}, status=422).words
    as_root.post(path, {"act": "without", "batch_id": ""}, status=303)
    assert "They stay in the course without a batch." in as_root.get(path, status=200).words
    assert path not in as_root.get("/admin/inbox", status=200).body
    with db.unit_of_work(CHANNEL) as session:  # money may move here, so the last proof must not be long ago
        mine = update(SignInSession).where(SignInSession.user_id == as_root.person.user_id)
        session.execute(mine.values(proved_at=now() - timedelta(minutes=11)))
    assert as_root.get(path, status=303).location == f"/auth/prove?next={path}"


def test_places_settle__by_the_api_once_and_by_admins_alone(api_root: Machine, api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course, batch, enrollment = a_missed_place(price=30)
        path = f"/enrollments/places/{case_of(enrollment).id}"
        autumn = a_batch(course, "Autumn 2027", seats=3)
    api_sam.get(path, status=403)
    api_sam.money(f"{path}/settle", {"act": "without"}, status=403)
    assert api_root.get(path)["settled_as"] == ""
    api_root.money(f"{path}/settle", {"act": "batch"}, status=422)
    api_root.money(f"{path}/settle", {"act": "batch", "batch_id": str(batch.id)}, status=409)
    for _twice in (1, 2):
        assert api_root.money(f"{path}/settle", {"act": "batch", "batch_id": str(autumn.id)})["settled_as"] == "moved"
    api_root.money(f"{path}/settle", {"act": "money", "amount": {"minor": 3000, "currency": "EUR"}, "reason": "No place"}, status=409)


# --- a granted request -------------------------------------------------------------------------------------------------


def test_courses_request__granted_leads_to_the_choice_of_a_batch(as_sam: Browser, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        courses.set_entry(course, Entry(entry="request"), by=root())
        batch = a_batch(course, seats=1)
        made = operations.ask_to_enroll(course, "I teach there.", by=sam())
    choose = f"/enrollments/courses/{course.id}/batches"
    assert "choose a batch" in as_root.get(f"/admin/enrollments/requests/{made.id}", status=200).words
    as_sam.get(f"/enrollments/batches/{batch.id}/enroll", status=403)
    as_root.post(f"/admin/enrollments/requests/{made.id}", {"answer": "", "act": "approve"}, status=303)
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL) as session:
        assert choose in session.scalars(select(Notice.href).where(Notice.user_id == as_sam.person.user_id)).all()
        assert not queries.is_enrolled(as_sam.person.user_id, course.id)
    assert as_sam.get(f"/enrollments/courses/{course.id}/request", status=200).all(f'//a[@href="{choose}"]')
    assert batch.name in as_sam.get(choose, status=200).words
    as_sam.post(f"/enrollments/batches/{batch.id}/enroll", {"agreed": "0 EUR"}, status=303)
    with db.unit_of_work(CHANNEL):
        placed = queries.active_enrollment(as_sam.person.user_id, course.id)
        assert placed is not None and placed.batch_id == batch.id
