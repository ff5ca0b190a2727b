"""Reviews by machine."""

from lms.core import db
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.machine import Machine


def test_courses_reviews__are_written_by_students_hidden_by_admins_and_read_by_all(
    api_sam: Machine, api_ada: Machine, api_root: Machine, machine: Machine
) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
    path = f"/community/courses/{course.id}/reviews"
    assert api_sam.post(path, {"rating": 5}, status=403)["rule"] == "enrolled"
    with db.unit_of_work(CHANNEL):
        an_enrollment(api_sam.person, course, progress=50)
    review = api_sam.post(path, {"rating": 4, "body": "Good"})
    assert api_sam.post(path, {"rating": 5, "body": "Better"})["id"] == review["id"]
    api_sam.post(path, {"rating": 6}, status=422)
    api_ada.post(path, {"rating": 5}, status=403)
    shown = machine.get(path)
    assert (shown["count"], shown["average"], shown["rows"][0]["body"], shown["after"]) == (1, 5.0, "Better", None)
    api_sam.post(f"/community/reviews/{review['id']}/hide", {"reason": "Mine"}, status=403)
    assert api_root.post(f"/community/reviews/{review['id']}/hide", {"reason": "Rude"})["status"] == "hidden"
    assert machine.get(path)["rows"] == []
    assert api_root.post(f"/community/reviews/{review['id']}/unhide")["status"] == "visible"
    assert api_root.get("/community/reviews")["count"] == api_ada.get("/community/reviews")["count"] == 1
    api_sam.get("/community/reviews", status=403)
