"""The waitlist: who is next gets a place held for a day, takes it or lets it pass on; twice, late and at once changes nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms.core import clock, db
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Conflict, Invalid
from lms.core.models import EventRow
from lms.courses.models import Course
from lms.enrollments import jobs, operations, queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody
from lms.enrollments.events import EnrollmentEnded
from lms.enrollments.handlers import offer_the_place
from lms.enrollments.models import CourseBatch, Wait
from lms.notifications.models import Notice
from tests.conftest import CHANNEL, run_jobs
from tests.factories.batches import a_batch
from tests.factories.courses import a_course
from tests.factories.people import a_student, root, sam


def a_full_batch(waiting: int = 2) -> tuple[Course, CourseBatch, list[Actor]]:
    """A batch of one place that Sam has, and so many who wait for it."""
    course = a_course(published=True)
    batch = a_batch(course, seats=1)
    operations.enroll_by_wallet(course, by=sam(), batch_id=batch.id)
    people = [a_student(f"Nia {number}") for number in range(1, waiting + 1)]
    for one in people:
        operations.join_waitlist(batch, one.user_id, by=one)  # type: ignore[arg-type]
    return course, batch, people


def sams_seat_is_free(course: Course) -> None:
    enrollment = queries.active_enrollment(sam().user_id, course.id)
    assert enrollment is not None
    operations.end_enrollment(enrollment, reason="Left", by=root())
    offer_the_place(
        EnrollmentEnded(enrollment_id=enrollment.id, user_id=enrollment.user_id, course_id=course.id, batch_id=enrollment.batch_id)
    )


def states(batch: CourseBatch) -> list[str]:
    db.session().flush()
    db.session().expire_all()
    found = db.session().scalars(select(Wait.state).where(Wait.batch_id == batch.id).order_by(Wait.place, Wait.id)).all()
    assert not queries.batch_faults()
    return list(found)


def test_join_waitlist__once_and_only_where_one_must_wait(work: Session) -> None:
    course, batch, (nia, _other) = a_full_batch()
    again = operations.join_waitlist(batch, nia.user_id, by=nia)  # type: ignore[arg-type]
    assert (again.place, states(batch)) == (1, ["waiting", "waiting"])
    with pytest.raises(Conflict):
        operations.join_waitlist(batch, sam().user_id, by=sam())  # type: ignore[arg-type]
    with pytest.raises(Conflict) as refusal:
        operations.join_waitlist(a_batch(course, "Free", seats=3), nia.user_id, by=nia)  # type: ignore[arg-type]
    assert refusal.value.rule == "place_free"
    operations.cancel_batch(batch, reason="Too few", by=root())
    assert states(batch) == ["removed", "removed"]
    with pytest.raises(BatchTakesNobody):
        operations.join_waitlist(batch, nia.user_id, by=nia)  # type: ignore[arg-type]


def test_offer_the_place__holds_it_for_the_next_and_for_nobody_else(work: Session) -> None:
    course, batch, (first, second) = a_full_batch()
    sams_seat_is_free(course)
    assert states(batch) == ["offered", "waiting"] and work.get_one(CourseBatch, batch.id).held == 1
    for one in (second, a_student("Eve Quick")):
        with pytest.raises(BatchIsFull):
            operations.enroll_by_wallet(course, by=one, batch_id=batch.id)
    with pytest.raises(BatchIsFull):
        operations.enroll_by_hand(a_student("Eve Quick").user_id, course, note="x", by=root(), batch_id=batch.id)  # type: ignore[arg-type]
    made = operations.enroll_by_wallet(course, by=first, batch_id=batch.id)
    assert operations.enroll_by_wallet(course, by=first, batch_id=batch.id).id == made.id
    assert states(batch) == ["taken", "waiting"]
    offered = work.scalars(select(EventRow).where(EventRow.name == "PlaceOffered")).all()
    assert [one.payload["user_id"] for one in offered] == [str(first.user_id)]


def test_pass_on_offers__when_the_day_is_over_and_not_before(work: Session) -> None:
    course, batch, (first, _second) = a_full_batch()
    sams_seat_is_free(course)
    assert operations.pass_on_offers(by=root()) == 0
    with clock.at(clock.now() - timedelta(days=3)):  # a clock that is wrong by days passes nothing on
        jobs.pass_on_offers()
    assert states(batch) == ["offered", "waiting"]
    work.execute(update(Wait).where(Wait.state == "offered").values(offered_until=clock.now() - timedelta(seconds=1)))
    work.expire_all()
    with pytest.raises(BatchIsFull) as refusal:
        operations.enroll_by_wallet(course, by=first, batch_id=batch.id)
    assert refusal.value.rule == "late"
    jobs.pass_on_offers()
    jobs.pass_on_offers()
    assert states(batch) == ["passed", "offered"]


def test_edit_batch__with_more_places_offers_them_at_once(work: Session) -> None:
    _course, batch, _people = a_full_batch(3)
    operations.edit_batch(batch, operations.BatchSheet(name="Spring", seats=3), version=1, by=root())
    assert states(batch) == ["offered", "offered", "waiting"]
    with pytest.raises(Invalid):
        operations.edit_batch(batch, operations.BatchSheet(name="Spring", seats=2), version=2, by=root())


def test_leave_waitlist__passes_a_held_place_on_and_twice_is_once(work: Session) -> None:
    course, batch, (first, _second) = a_full_batch()
    sams_seat_is_free(course)
    wait = queries.wait_of(batch.id, first.user_id)
    assert wait is not None
    operations.leave_waitlist(wait, by=first)
    operations.leave_waitlist(wait, by=first)
    assert states(batch) == ["left", "offered"]


def test_pass_on_offers__ends_the_waiting_of_those_who_are_in_by_now(work: Session) -> None:
    course, batch, (first, _second) = a_full_batch()
    operations.enroll_by_hand(first.user_id, course, note="x", by=root(), batch_id=a_batch(course, "Other").id)  # type: ignore[arg-type]
    operations.pass_on_offers(by=the_platform(CHANNEL))
    assert states(batch) == ["left", "waiting"]


def test_move_wait__and_offer_by_hand_and_remove_wait__need_a_reason(work: Session) -> None:
    _course, batch, people = a_full_batch(3)
    waits = {one.user_id: queries.wait_of(batch.id, one.user_id) for one in people}
    last = waits[people[2].user_id]
    assert last is not None
    with pytest.raises(Invalid):
        operations.move_wait(last, "first", reason=" ", by=root())
    operations.move_wait(last, "first", reason="Ill last year", by=root())
    assert [one.user_id for one in queries.waiting_in(batch.id)] == [people[2].user_id, people[0].user_id, people[1].user_id]
    with pytest.raises(BatchIsFull):
        operations.offer_by_hand(last, reason="Now", by=root())
    work.execute(update(CourseBatch).values(seats=2))
    operations.offer_by_hand(last, reason="Now", by=root())
    operations.offer_by_hand(last, reason="Now", by=root())
    assert sorted(states(batch)) == ["offered", "waiting", "waiting"]
    operations.remove_wait(last, reason="Asked by mail", by=root())
    operations.remove_wait(last, reason="Asked by mail", by=root())
    assert states(batch) == ["removed", "offered", "waiting"]


def test_a_held_place__is_told_by_mail_and_bell_and_its_end_too(work: Session) -> None:
    course, batch, (first, second) = a_full_batch()
    sams_seat_is_free(course)
    run_jobs()
    work.execute(update(Wait).where(Wait.state == "offered").values(offered_until=clock.now() - timedelta(seconds=1)))
    work.expire_all()
    jobs.pass_on_offers()
    wait = queries.wait_of(batch.id, second.user_id)
    assert wait is not None
    operations.remove_wait(wait, reason="Asked by mail", by=root())
    run_jobs()
    told = work.execute(select(Notice.user_id, Notice.title).where(Notice.kind == "place").order_by(Notice.id)).all()
    assert {(one.user_id, one.title) for one in told} == {
        (first.user_id, "A place in Spring 2027 is held for you"),
        (first.user_id, "The place in Spring 2027 passed on"),
        (second.user_id, "You are off the waitlist of Spring 2027"),
    }
