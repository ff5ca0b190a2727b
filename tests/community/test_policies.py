"""Who may review and who may moderate."""

import pytest
from sqlalchemy.orm import Session

from lms.community import policies
from lms.core.decisions import STRANGER
from lms.enrollments.models import Enrollment
from tests.factories.courses import a_course
from tests.factories.people import ada, an_instructor, root, sam


@pytest.mark.parametrize(("progress", "allowed"), [(0, False), (19, False), (20, True), (100, True)])
def test_can_review__begins_at_a_fifth_of_the_course(work: Session, progress: int, allowed: bool) -> None:
    decision = policies.can_review(sam(), a_course(published=True), Enrollment(progress=progress))
    assert decision.allowed is allowed
    assert allowed or f"You are at {progress}%." in decision.sentence


def test_can_review__is_for_students_of_the_course(work: Session) -> None:
    course = a_course(published=True)
    assert policies.can_review(STRANGER, course, None).rule == "sign_in"
    assert policies.can_review(sam(), course, None).rule == "enrolled"
    assert policies.can_review(ada(), course, Enrollment(progress=100)).rule == "own_course"


def test_can_read_reviews__goes_with_the_course_page(work: Session) -> None:
    draft, published = a_course("Draft"), a_course("Published", published=True)
    assert policies.can_read_reviews(STRANGER, published, None)
    assert not policies.can_read_reviews(STRANGER, draft, None)
    assert policies.can_read_reviews(sam(), draft, Enrollment(progress=0))


def test_can_moderate__is_for_admins(work: Session) -> None:
    assert policies.can_moderate(root()) and not policies.can_moderate(ada()) and not policies.can_moderate(sam())


def test_can_list__and_can_see_are_for_staff_and_their_own(work: Session) -> None:
    course = a_course(published=True)
    assert policies.can_list(ada()) and not policies.can_list(sam())
    assert policies.can_see(ada(), course) and policies.can_see(root(), course)
    assert not policies.can_see(an_instructor(), course)
