"""Notices by machine: one's own alone."""

from uuid import uuid4

from lms.core import db
from lms.core.mail import newest
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.machine import Machine


def test_index__is_mine_and_seen_once(api_sam: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        an_enrollment(api_sam.person, a_course(published=True))
    run_jobs()
    page = api_sam.get("/notifications?unseen=1")
    (notice,) = page["rows"]
    assert notice["kind"] == "enrolled" and page["unseen"] == 1 and page["before"] is None
    assert api_ada.post(f"/notifications/{notice['id']}/seen", status=403)["rule"] == "own_notice"
    api_sam.post(f"/notifications/{notice['id']}/seen", status=204)
    assert api_sam.get("/notifications?unseen=1")["rows"] == []
    api_sam.post("/notifications/all/seen", status=204)
    api_sam.post(f"/notifications/{uuid4()}/seen", status=404)


def test_preferences_edit__keeps_what_is_said_of_the_kinds_named(api_sam: Machine) -> None:
    before = {row["kind"]: row for row in api_sam.get("/notifications/preferences")["rows"]}
    assert before["enrolled"]["mail"] == "now" and before["enrolled"]["inherits"] == ["in_app", "mail"] and "approval" not in before
    wish = [{"kind": "enrolled", "in_app": True, "mail": "never"}, {"kind": "approval", "mail": "daily"}]
    after = {row["kind"]: row for row in api_sam.patch("/notifications/preferences", {"rows": wish})["rows"]}
    assert (after["enrolled"]["mail"], after["enrolled"]["inherits"]) == ("never", []) and after["lesson"]["mail"] == "now"
    api_sam.patch("/notifications/preferences", {"rows": [{"kind": "enrolled", "mail": "pigeon"}]}, status=422)
    api_sam.patch("/notifications/preferences", {"rows": [{"kind": "session_soon", "mail": "weekly"}]}, status=422)


def test_templates__are_worded_tried_and_given_back(api_root: Machine, api_sam: Machine) -> None:
    mails = {row["key"]: row for row in api_root.get("/notifications/templates")["rows"]}
    assert mails["enrolled"]["languages"] == [] and "announcement" not in mails
    before = api_root.get("/notifications/templates/enrolled")
    assert not before["is_own"] and "course" in before["variables"]
    words = {"subject": "In: {{course}}", "body": "Welcome, {{name}}."}
    after = api_root.send("PUT", "/notifications/templates/enrolled", words, status=200)
    assert after["is_own"] and after["subject"] == words["subject"] and after["preview_subject"].startswith("In: ")
    assert api_root.get("/notifications/templates")["rows"] != list(mails.values())
    assert "{{wrong}}" in str(api_root.send("PUT", "/notifications/templates/enrolled", {**words, "body": "{{wrong}}"}, status=422))
    api_root.post("/notifications/templates/enrolled/test", status=202)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert "In: " in newest(1, "root@example.org")[0].subject
    api_root.get("/notifications/templates/enrolled?language=xx", status=404)
    api_sam.get("/notifications/templates", status=403)
    api_root.delete("/notifications/templates/enrolled", status=204)
    assert api_root.get("/notifications/templates/enrolled")["subject"] == before["subject"]
