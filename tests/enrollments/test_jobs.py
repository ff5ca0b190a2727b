"""The night's count."""

from sqlalchemy import text

from lms.core import db
from lms.enrollments import jobs, queries
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import sam


def test_recount_all__mends_a_figure_that_went_wrong_and_recount_course_leaves_right_ones(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        enrollment_id = an_enrollment(sam(), a_course(lessons=2, published=True), progress=50).id
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE enrollments.enrollments SET progress = 3"))
        jobs.recount_all()
        jobs.recount_all()
    assert run_jobs() == 1
    assert outbox_errors() == []
    with db.unit_of_work(CHANNEL):
        assert queries.get_enrollment(enrollment_id).progress == 50
