"""Door 2 of enrollments: the list, enrolling by hand, ending, restoring, and why a lesson does not open."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.core import db
from lms.core.ids import uuid7
from lms.core.models import AuditRow
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, queries
from lms.enrollments.reports import SOURCES
from lms.vouchers import operations as vouchers
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, an_instructor, root, sam
from tests.factories.vouchers import a_batch


def made(title: str = "Algebra", *, progress: int = 0, foreign: bool = False, **options: Any) -> tuple[Course, UUID]:
    """A published course with Sam in it: Ada's, or another instructor's."""
    with db.unit_of_work(CHANNEL):
        course = a_course(title, published=True, by=an_instructor() if foreign else None, **options)
        return course, an_enrollment(sam(), course, progress=progress).id


def test_index__lists_everybody_for_admins_and_ones_own_for_instructors(as_root: Browser, as_ada: Browser) -> None:
    made("Algebra")
    made("Botany", foreign=True)
    page = as_root.get("/admin/enrollments/", status=200)
    assert "Algebra" in page.words and "Botany" in page.words and "Enrol somebody" in page.words
    page = as_ada.get("/admin/enrollments/", status=200)
    assert "Sam Student" in page.words and "Botany" not in page.text("//table") and "Enrol somebody" not in page.words


def test_index__filters_by_course_status_and_period_and_gives_files(as_root: Browser) -> None:
    course, _enrollment_id = made("Algebra")
    made("Botany", progress=100)
    assert "Botany" not in as_root.get(f"/admin/enrollments/?course={course.id}", status=200).text("//table")
    assert "Algebra" not in as_root.get("/admin/enrollments/?status=completed&enrolled=7d", status=200).text("//table")
    rows = as_root.get("/admin/enrollments/?format=csv&q=botany", status=200).body.strip().splitlines()
    assert len(rows) == 2 and "Sam Student" in rows[1]
    as_root.get("/admin/enrollments/?course=nothing", status=422, check=False)


def test_index__is_for_staff(as_sam: Browser, as_eve: Browser) -> None:
    for path in ("/admin/enrollments/", "/admin/enrollments/why"):
        as_sam.get(path, status=403)
        assert as_eve.get(path, status=303).location.startswith("/auth/sign-in")


def test_index__of_many_courses_takes_as_many_queries_as_of_one(as_root: Browser) -> None:
    made("Algebra")
    few = len([query for query in as_root.get("/admin/enrollments/").queries if "courses." in query])
    for number in range(5):
        made(f"Course {number}")
    assert len([query for query in as_root.get("/admin/enrollments/").queries if "courses." in query]) == few


def test_new__enrols_with_a_reason_and_only_once(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course, person = a_course(published=True), a_student("Nia Newcomer")
    page = as_root.get(f"/admin/enrollments/new?course={course.id}", status=200)
    assert page.all(f'//option[@value="{course.id}"][@selected]')
    data = {"email": person.email.upper(), "course_id": course.id, "note": "Won the raffle."}
    first = as_root.post("/admin/enrollments/new", data, status=303).location
    assert as_root.post("/admin/enrollments/new", data, status=303).location == first
    page = as_root.get(first, status=200)
    assert "Nia Newcomer" in page.text("//h1") and "Won the raffle." in page.words


def test_new__says_what_is_missing_beside_the_field(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
    page = as_root.post("/admin/enrollments/new", {"email": "", "course_id": course.id, "note": ""}, status=422)
    assert "Say why" in page.words and "signs in with" in page.words
    page = as_root.post("/admin/enrollments/new", {"email": "nobody@example.org", "course_id": course.id, "note": "x"}, status=422)
    assert "Invite them first" in page.words
    as_root.post("/admin/enrollments/new", {"email": "sam@example.org", "course_id": uuid7(), "note": "x"}, status=422)


def test_new__is_for_admins(as_ada: Browser, as_sam: Browser) -> None:
    for browser in (as_ada, as_sam):
        browser.get("/admin/enrollments/new", status=403)
        browser.post("/admin/enrollments/new", {"email": "sam@example.org"}, status=403)


def test_show__tells_the_progress_in_each_lesson(as_root: Browser, as_ada: Browser) -> None:
    _course, enrollment_id = made(lessons=3, progress=33)
    for browser in (as_root, as_ada):
        page = browser.get(f"/admin/enrollments/{enrollment_id}", status=200)
        assert "Lesson 1" in page.words and "Done" in page.words and "Not begun" in page.words
    for source, how in SOURCES:
        with db.unit_of_work(CHANNEL):
            queries.get_enrollment(enrollment_id).source = source
        assert str(how) in as_root.get(f"/admin/enrollments/{enrollment_id}", status=200).words
    as_root.get(f"/admin/enrollments/{uuid7()}", status=404)


def test_show__is_closed_to_other_instructors_students_and_channels(as_ada: Browser, as_sam: Browser, as_root: Browser) -> None:
    _course, enrollment_id = made(foreign=True)
    as_ada.get(f"/admin/enrollments/{enrollment_id}", status=403)
    as_sam.get(f"/admin/enrollments/{enrollment_id}", status=403)
    with db.unit_of_work(OTHER_CHANNEL):
        elsewhere = an_enrollment(sam(), a_course(published=True)).id
    for path in ("", "/end"):
        as_root.get(f"/admin/enrollments/{elsewhere}{path}", status=404)
    as_root.post(f"/admin/enrollments/{elsewhere}/restore", status=404)


def test_end__closes_the_course_with_a_reason_and_can_be_undone(as_root: Browser, as_sam: Browser) -> None:
    course, enrollment_id = made(progress=50)
    path = f"/admin/enrollments/{enrollment_id}"
    assert "close at once" in as_root.get(f"{path}/end", status=200).words
    assert "the person reads it" in as_root.post(f"{path}/end", {"reason": " "}, status=422).words
    assert as_root.post(f"{path}/end", {"reason": "Asked to leave."}, status=303).location == path
    page = as_root.get(path, status=200)
    assert "Asked to leave." in page.words and page.all(f'//form[@action="{path}/restore"]')
    with db.unit_of_work(CHANNEL):
        lesson = courses.lessons_of(course.id)[0]
    as_sam.get(f"/enrollments/courses/{course.id}/lessons/{lesson.id}", status=403)
    as_root.post(f"{path}/restore", status=303)
    as_sam.get(f"/enrollments/courses/{course.id}/lessons/{lesson.id}", status=200)
    with db.unit_of_work(CHANNEL) as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.target_id == enrollment_id).order_by(AuditRow.id)).all()
        assert actions[-2:] == ["enrollments.end", "enrollments.restore"]
        assert queries.get_enrollment(enrollment_id).progress == 50


def test_restore__and_end_are_for_admins(as_ada: Browser) -> None:
    _course, enrollment_id = made()
    as_ada.get(f"/admin/enrollments/{enrollment_id}/end", status=403)
    as_ada.post(f"/admin/enrollments/{enrollment_id}/end", {"reason": "x"}, status=403)
    as_ada.post(f"/admin/enrollments/{enrollment_id}/restore", status=403)


def test_courses_students__is_a_piece_of_the_course_page(as_root: Browser, as_ada: Browser) -> None:
    course, _enrollment_id = made(progress=50)
    foreign, _other = made("Botany", foreign=True)
    path = f"/admin/enrollments/courses/{course.id}/students"
    piece = as_ada.get(path, htmx=True, status=200)
    assert piece.all('//*[@id="course-students"]') and "Sam Student" in piece.words and "50%" in piece.words
    assert as_root.get(path, status=303).location.endswith(f"?course={course.id}")
    as_ada.get(f"/admin/enrollments/courses/{foreign.id}/students", htmx=True, status=403, check=False)
    with db.unit_of_work(CHANNEL):
        empty = a_course("Empty")
    assert "Nobody is enrolled yet" in as_root.get(f"/admin/enrollments/courses/{empty.id}/students", htmx=True, status=200).words


def test_people_show__is_a_piece_of_the_persons_page(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    made("Algebra")
    made("Botany", foreign=True)
    path = f"/admin/enrollments/people/{as_sam.person.user_id}"
    piece = as_root.get(path, htmx=True, status=200)
    assert piece.all('//*[@id="person-learning"]') and "Algebra" in piece.words and "Botany" in piece.words
    piece = as_ada.get(path, htmx=True, status=200)
    assert "Algebra" in piece.words and "Botany" not in piece.words
    as_sam.get(path, htmx=True, status=403, check=False)
    as_root.get(f"/admin/enrollments/people/{uuid7()}", htmx=True, status=404, check=False)
    assert as_root.get(path, status=303).location == f"/admin/enrollments/?person={as_sam.person.user_id}"
    page = as_root.get(f"/admin/enrollments/?person={as_sam.person.user_id}", status=200)
    assert "Algebra" in page.words and page.all("//*[@class='chip']//b[text()='Sam Student']")


def test_why__names_the_rule_and_what_changes_it(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", published=True)
        ana = a_student("Ana Able")
        draft = a_lesson(course, title="Draft", published=False)
        a_lesson(course, title="A taste", is_preview=True)
    path = f"/admin/enrollments/why?user={ana.user_id}&lesson={draft.id}"
    page = as_root.get(path, status=200)
    assert "You are not enrolled in this course." in page.words and "Enrol by hand" in page.words
    assert "not published" in page.words and "Publish the lesson" in page.words and "A free preview" in page.words
    assert page.all("//tr[@aria-current]")
    with db.unit_of_work(CHANNEL):
        enrollment = an_enrollment(ana, course)
        operations.end_enrollment(enrollment, reason="Refunded.", by=root())
    page = as_ada.get(f"/admin/enrollments/why?user=ana.able@example.org&course={course.id}", status=200)
    assert "Refunded." in page.words and "Restore the enrolment" in page.words


def test_why__of_a_foreign_course_is_refused(as_ada: Browser, as_sam: Browser) -> None:
    course, _enrollment_id = made(foreign=True)
    as_ada.get(f"/admin/enrollments/why?user={as_sam.person.user_id}&course={course.id}", status=403)
    as_ada.get(f"/admin/enrollments/why?user=x&course={course.id}", status=404)
    assert "E-mail of the person" in as_ada.get("/admin/enrollments/why", status=200).words


def test_lessons__lists_what_was_completed_to_staff_of_the_course(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    as_root.get("/admin/enrollments/lessons", status=200)
    assert "No lesson was completed yet" in as_ada.get("/admin/enrollments/lessons", status=200).words
    as_sam.get("/admin/enrollments/lessons", status=403)


def test_redemptions_show__says_what_a_course_code_opened(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student, course = sam(), a_course("Opened by code", published=True)
        assert student.user_id is not None
        code = a_batch(1, kind="course", course_ids=[course.id]).codes[0]
        redemption = vouchers.redeem(code, by=student)
        operations.enroll_by_voucher(student.user_id, course.id, redemption_id=redemption.id, by=student)
    path = f"/admin/enrollments/redemptions/{redemption.id}"
    page = as_root.get(path, htmx=True, status=200)
    assert "Opened by code" in page.words and "0 lessons done" in page.words
    assert as_root.get(path, status=303).location == f"/admin/vouchers/codes/{redemption.code_id}"
    assert as_ada.get(path, htmx=True).status == 403
