"""Reviews: one for each person and course, figures that agree, hiding and showing."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.channels.queries import actor_of_user
from lms.community import operations, queries
from lms.community.models import Review
from lms.core import db
from lms.core.errors import Invalid
from lms.core.models import AuditRow, EventRow
from lms.courses import queries as courses
from tests.conftest import CHANNEL
from tests.factories.community import a_review
from tests.factories.courses import a_course
from tests.factories.people import a_student, root, sam


def figures(course_id: UUID) -> tuple[int, float | None]:
    db.session().expire_all()
    found = queries.rating_of(course_id)
    return (found.review_count, found.average) if found else (0, None)


def events() -> list[str]:
    return [row.name for row in db.session().scalars(select(EventRow)) if row.name.startswith("Review")]


def test_post_review__counts_at_once_and_is_announced(work: Session) -> None:
    course = a_course(published=True)
    a_review(sam(), course, rating=5)
    a_review(a_student(), course, rating=2, body="")
    assert figures(course.id) == (2, 3.5)
    assert events() == ["ReviewPosted", "ReviewPosted"]


def test_post_review__twice_changes_the_one_review(work: Session) -> None:
    course, person = a_course(published=True), sam()
    first = a_review(person, course, rating=5)
    again = operations.post_review(course, rating=3, body="On second thought.", by=person)
    assert again.id == first.id and again.edited_at is not None
    operations.post_review(course, rating=3, body="On second thought.", by=person)
    assert figures(course.id) == (1, 3.0)
    assert len(events()) == 2
    actions = work.scalars(select(AuditRow.action).where(AuditRow.action.like("community.%")).order_by(AuditRow.id)).all()
    assert actions == ["community.review", "community.edit_review"]


@pytest.mark.parametrize(("rating", "body"), [(0, ""), (6, ""), (5, "x" * 4001)])
def test_post_review__refuses_what_is_no_review(work: Session, rating: int, body: str) -> None:
    with pytest.raises(Invalid):
        operations.post_review(a_course(published=True), rating=rating, body=body, by=sam())


def test_hide_review__takes_it_out_of_the_figures_with_a_reason(work: Session) -> None:
    course = a_course(published=True)
    rude = a_review(sam(), course, rating=1, body="Rude words")
    a_review(a_student(), course, rating=5)
    with pytest.raises(Invalid):
        operations.hide_review(rude, reason=" ", by=root())
    operations.hide_review(rude, reason="Insults the teacher.", by=root())
    operations.hide_review(rude, reason="Twice.", by=root())
    assert figures(course.id) == (1, 5.0)
    assert [review.body for review in queries.visible_reviews(course.id)] == ["Clear and short."]
    assert queries.get_review(rude.id).hidden_reason == "Insults the teacher."
    assert events().count("ReviewHidden") == 1


def test_show_review__puts_it_back(work: Session) -> None:
    course = a_course(published=True)
    review = a_review(sam(), course, rating=4)
    operations.hide_review(review, reason="Checking.", by=root())
    operations.show_review(review, by=root())
    operations.show_review(review, by=root())
    assert figures(course.id) == (1, 4.0)
    assert events().count("ReviewShown") == 1


def test_recount__gives_the_same_figures(work: Session) -> None:
    course = a_course(published=True)
    a_review(sam(), course, rating=4)
    kept = figures(course.id)
    operations.recount(course.id)
    assert figures(course.id) == kept


def test_post_review__by_many_at_once_loses_none(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        course_id = a_course(published=True).id
        people = [a_student(f"Student {number}").user_id for number in range(8)]
    barrier = Barrier(16)

    def post(number: int) -> None:
        with db.unit_of_work(CHANNEL):
            user_id = people[number % 8]
            assert user_id is not None
            course, by = courses.get_course(course_id), actor_of_user(user_id)
            barrier.wait(20)
            operations.post_review(course, rating=number % 5 + 1, body="", by=by)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(post, range(16)))
    with db.unit_of_work(CHANNEL) as session:
        count, total = session.execute(select(func.count(), func.sum(Review.rating))).one()
        rating = queries.rating_of(course_id)
        assert rating is not None and (rating.review_count, rating.rating_sum) == (count, total) == (8, total)
