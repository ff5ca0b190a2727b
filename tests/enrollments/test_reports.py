"""Lists about learners: people by courses, and who may need help, each for admins and for the teacher of some of it."""

from datetime import timedelta

from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.clock import now
from lms.enrollments.reports import AtRisk, Matrix
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, ada, an_instructor, root, sam


def test_at_risk__says_why_in_words_and_from_when_on(work: Session) -> None:
    by, course = root(), a_course(lessons=4, published=True)
    with clock.at(now() - timedelta(days=20, hours=1)):
        an_enrollment(a_student("Slow Sally"), course, progress=25)
        an_enrollment(a_student("Never Ned"), course)
        an_enrollment(a_student("Done Dora"), course, progress=100)
    an_enrollment(sam(), course)
    report = AtRisk()
    found = {row["name"]: row["reasons"] for row in report.page(report.read_view({}), by).rows}
    assert found == {
        "Slow Sally": "Not here for 20 days",
        "Never Ned": "Has not begun in 20 days; 0% done 20 days after enrolling",
    }
    for given, count in (
        ({"away": ["30"]}, 1),
        ({"behind": ["50"], "away": ["30"]}, 2),
        ({"away": ["30"], "behind": ["10"], "why": ["behind"]}, 1),
    ):
        assert report.count(report.read_view(given), by) == count, given
    assert report.count(report.read_view({}), ada()) == 2 and report.count(report.read_view({}), an_instructor()) == 0


def test_matrix__has_a_column_for_each_course_and_a_row_for_each_student(work: Session) -> None:
    by, one, other = root(), a_course("Algebra", lessons=2, published=True), a_course("Biology", published=True)
    an_enrollment(sam(), one, progress=50)
    an_enrollment(a_student("Nobody Yet"), other)
    report, keys = Matrix(), [f"course_{course.id.hex}" for course in (one, other)]
    rows = {row["name"]: row for row in report.page(report.read_view({}), by).rows}
    assert [rows["Sam Student"][key] for key in keys] == [50, None] and rows["Sam Student"]["courses"] == 1
    assert [rows["Nobody Yet"][key] for key in keys] == [None, 0]
    only = report.read_view({"columns": ["name", keys[0]], "course": [str(one.id)]})
    assert [row["name"] for row in report.page(only, by).rows] == ["Sam Student"]
    assert keys[1] not in report.page(only, by).rows[0], "a course that is not shown is not read"
    assert report.count(report.read_view({}), ada()) == 2 and report.count(report.read_view({}), an_instructor()) == 0
