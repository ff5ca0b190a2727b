"""Who may open, enrol, record and see; each with its rule and its sentence."""

from typing import Any

import pytest

from lms.core.clock import now
from lms.core.decisions import STRANGER, Actor, the_platform
from lms.core.ids import uuid7
from lms.courses.models import Course, Lesson
from lms.enrollments import policies
from lms.enrollments.models import Enrollment

TEACHER, STUDENT = uuid7(), uuid7()
ADA = Actor(user_id=TEACHER, role="instructor")
IVO = Actor(user_id=uuid7(), role="instructor")
SAM = Actor(user_id=STUDENT, role="student")
ROOT = Actor(user_id=uuid7(), role="admin")
GUEST = Actor(user_id=uuid7(), role="")


def a_lesson(**values: Any) -> Lesson:
    return Lesson(**{"kind": "text", "status": "published", "is_preview": False, **values})


def a_course(**values: Any) -> Course:
    return Course(**{"instructor_id": TEACHER, "status": "published", **values})


def an_enrollment(status: str = "active", **values: Any) -> Enrollment:
    return Enrollment(user_id=STUDENT, status=status, ended_reason=values.pop("ended_reason", ""), **values)


@pytest.mark.parametrize(
    ("person", "lesson", "course", "enrollment", "rule", "allowed"),
    [
        (SAM, a_lesson(), a_course(), an_enrollment(), "enrolled", True),
        (SAM, a_lesson(), a_course(), an_enrollment("completed"), "enrolled", True),
        (SAM, a_lesson(), a_course(status="archived"), an_enrollment(), "enrolled", True),
        (SAM, a_lesson(), a_course(), None, "enrolled", False),
        (SAM, a_lesson(), a_course(), an_enrollment("ended"), "ended", False),
        (SAM, a_lesson(status="draft"), a_course(), an_enrollment(), "published", False),
        (SAM, a_lesson(), a_course(status="deleted"), an_enrollment(), "published", False),
        (STRANGER, a_lesson(), a_course(), None, "enrolled", False),
        (STRANGER, a_lesson(is_preview=True), a_course(), None, "preview", True),
        (STRANGER, a_lesson(is_preview=True), a_course(status="draft"), None, "enrolled", False),
        (STRANGER, a_lesson(is_preview=True, status="draft"), a_course(), None, "published", False),
        (SAM, a_lesson(is_preview=True), a_course(), an_enrollment("ended"), "preview", True),
        (ADA, a_lesson(status="draft"), a_course(), None, "staff", True),
        (IVO, a_lesson(), a_course(), None, "enrolled", False),
        (ROOT, a_lesson(status="draft"), a_course(), None, "staff", True),
    ],
)
def test_can_open__decides_by_the_first_rule_that_fits(
    person: Actor, lesson: Lesson, course: Course, enrollment: Enrollment | None, rule: str, allowed: bool
) -> None:
    decision = policies.can_open(person, lesson, enrollment, at=now(), course=course)
    assert (decision.rule, decision.allowed) == (rule, allowed)
    assert allowed or decision.sentence.endswith(".")


def test_can_open__tells_why_an_enrolment_ended() -> None:
    decision = policies.can_open(SAM, a_lesson(), an_enrollment("ended", ended_reason="Refunded."), at=now())
    assert decision.sentence == "Your enrolment in this course ended: Refunded."


@pytest.mark.parametrize(
    ("person", "course", "enrollment", "rule"),
    [
        (SAM, a_course(), None, "open"),
        (SAM, a_course(), an_enrollment("ended"), "open"),
        (SAM, a_course(), an_enrollment(), "enrolled_already"),
        (SAM, a_course(status="archived"), None, "published"),
        (SAM, a_course(status="draft"), None, "published"),
        (STRANGER, a_course(), None, "sign_in"),
        (GUEST, a_course(), None, "member"),
    ],
)
def test_can_enroll__is_for_members_of_published_courses(person: Actor, course: Course, enrollment: Enrollment | None, rule: str) -> None:
    decision = policies.can_enroll(person, course, enrollment)
    assert (decision.rule, decision.allowed) == (rule, rule == "open")


def test_can_learn__asks_for_a_sign_in() -> None:
    assert policies.can_learn(SAM) and not policies.can_learn(STRANGER)


def test_can_record__is_for_oneself() -> None:
    assert policies.can_record(SAM, STUDENT)
    assert policies.can_record(ROOT, STUDENT).rule == "own" and policies.can_record(STRANGER, STUDENT).rule == "sign_in"


def test_can_mark_done__is_for_texts_of_ones_own_courses() -> None:
    moment = now()
    assert policies.can_mark_done(SAM, a_lesson(), an_enrollment(), at=moment)
    assert policies.can_mark_done(SAM, a_lesson(kind="video"), an_enrollment(), at=moment).rule == "watched"
    assert policies.can_mark_done(SAM, a_lesson(), an_enrollment("ended"), at=moment).rule == "enrolled"
    assert policies.can_mark_done(SAM, a_lesson(status="draft"), an_enrollment(), at=moment).rule == "published"
    assert policies.can_mark_done(STRANGER, a_lesson(), None, at=moment).rule == "sign_in"


def test_can_manage__is_for_admins() -> None:
    assert policies.can_manage(ROOT) and not policies.can_manage(ADA) and not policies.can_manage(SAM)


def test_can_see_students__is_for_admins_and_the_instructor() -> None:
    assert policies.can_see_students(ROOT, a_course()) and policies.can_see_students(ADA, a_course())
    assert policies.can_see_students(IVO, None) and not policies.can_see_students(IVO, a_course())
    assert not policies.can_see_students(SAM, None) and policies.can_see_students(STRANGER, None).rule == "sign_in"
    assert policies.can_see_students(the_platform(), a_course())
