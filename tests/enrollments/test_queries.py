"""What enrollments finds: the lesson to go on with, figures, people by address."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.clock import now
from lms.core.errors import Invalid
from lms.core.ids import uuid7
from lms.courses import queries as courses
from lms.courses.models import Lesson
from lms.enrollments import operations, queries
from tests.conftest import OTHER_CHANNEL
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, root, sam

LESSONS = [Lesson(id=uuid7(), title=str(number)) for number in range(4)]


@pytest.mark.parametrize(
    ("done", "last", "chosen"),
    [
        ([], None, 0),
        ([], 2, 2),
        ([2], 2, 3),
        ([0], None, 1),
        ([2, 3], 2, 0),
        ([0, 1, 2, 3], 1, 1),
        ([0, 1, 2, 3], None, 0),
    ],
)
def test_choose_next__goes_on_where_the_person_was(done: list[int], last: int | None, chosen: int) -> None:
    found = queries.choose_next(LESSONS, {LESSONS[number].id for number in done}, LESSONS[last].id if last is not None else None)
    assert found is LESSONS[chosen]


def test_choose_next__of_no_lessons_is_none() -> None:
    assert queries.choose_next([], set(), None) is None


def test_next_lesson__passes_over_what_was_taken_away(work: Session) -> None:
    course = a_course(lessons=2, published=True)
    draft = a_lesson(course, title="Draft", published=False)
    enrollment = an_enrollment(sam(), course)
    enrollment.last_lesson_id = draft.id
    found = queries.next_lesson(enrollment)
    assert found is not None and found.title == "Lesson 1"


def test_learning_of__is_three_queries_and_newest_first(work: Session) -> None:
    person = sam()
    first, second = a_course("First", published=True), a_course("Second", published=True)
    begun = an_enrollment(person, first)
    an_enrollment(person, second)
    operations.mark_done(begun, courses.lessons_of(first.id)[0], by=person)
    assert person.user_id is not None
    assert [one.course.title for one in queries.learning_of(person.user_id)] == ["First", "Second"]
    assert [one.course.title for one in queries.learning_of(person.user_id, limit=1)] == ["First"]


def test_latest_enrollment__prefers_the_open_one(work: Session) -> None:
    person, course = sam(), a_course(published=True)
    old = an_enrollment(person, course)
    operations.end_enrollment(old, reason="Over.", by=root())
    assert queries.latest_enrollment(person.user_id, course.id) == old
    new = operations.enroll_by_wallet(course, by=person)
    assert queries.latest_enrollment(person.user_id, course.id) == new
    assert queries.latest_enrollment(None, course.id) is None


def test_enrolled_user_ids__and_is_enrolled_leave_out_who_left(work: Session) -> None:
    course, stays, leaves = a_course(published=True), sam(), a_student()
    an_enrollment(stays, course)
    operations.end_enrollment(an_enrollment(leaves, course), reason="Over.", by=root())
    assert queries.enrolled_user_ids(course.id) == [stays.user_id]
    assert queries.is_enrolled(stays.user_id, course.id) and not queries.is_enrolled(leaves.user_id, course.id)
    assert stays.user_id is not None and queries.enrolled_course_ids(stays.user_id) == [course.id]
    assert queries.count_students(course.id) == 1


def test_figures_of__tell_how_a_course_is_doing(work: Session) -> None:
    course = a_course(lessons=2, published=True)
    an_enrollment(sam(), course, progress=50)
    an_enrollment(a_student("Done"), course, progress=100)
    operations.end_enrollment(an_enrollment(a_student("Gone"), course), reason="Over.", by=root())
    work.execute(
        text("UPDATE enrollments.enrollments SET last_seen_at = :old WHERE status = 'completed'"), {"old": now() - timedelta(days=9)}
    )
    figures = queries.figures_of(course.id)
    assert (figures.learning, figures.completed, figures.ended, figures.seen_lately, figures.average) == (1, 1, 1, 1, 75)


def test_member_by_email__knows_only_this_channel(work: Session) -> None:
    person = sam()
    assert queries.member_by_email(" SAM@example.org ").id == person.user_id
    with db.unit_of_work(OTHER_CHANNEL), pytest.raises(Invalid):
        queries.member_by_email("sam@example.org")
