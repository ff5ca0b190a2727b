"""Search by machine."""

from lms.core import db
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.machine import Machine


def test_index__finds_published_courses_for_everybody(machine: Machine, api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("Algebra for everybody", published=True)
        a_course("Algebra in the drawer")
    run_jobs()
    assert [row["title"] for row in machine.get("/search?q=algebra")["rows"]] == ["Algebra for everybody"]
    assert [row["title"] for row in machine.get("/search?q=ada&kind=instructors")["rows"]] == ["Ada Lovelace"]
    api_sam.get("/search", status=422)
    api_sam.get("/search?q=a&kind=secrets", status=422)
