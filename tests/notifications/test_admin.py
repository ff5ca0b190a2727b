"""The academy's own word: how news comes to whoever said nothing."""

from lms.core import db
from lms.notifications import queries
from tests.client import Browser
from tests.conftest import CHANNEL


def test_defaults__hold_for_those_who_said_nothing(as_root: Browser, as_sam: Browser, as_ada: Browser) -> None:
    as_ada.get("/admin/notifications/defaults", status=403)
    page = as_root.get("/admin/notifications/defaults", status=200)
    held = {box.get("name"): str(box.xpath("string(option[@selected]/@value)")) for box in page.all("//main//select")}
    assert held["lesson_mail"] == "now" and "approval_mail" in held
    as_root.post("/admin/notifications/defaults", {**held, "lesson_mail": "hourly"}, status=422)
    as_root.post("/admin/notifications/defaults", {**held, "lesson_mail": "weekly", "refund_app": "off"}, status=303)
    with db.unit_of_work(CHANNEL, read_only=True):
        found = queries.choices_of(as_sam.person.user_id)
        assert found["lesson"].said_mail is None and found["lesson"].holds.mail_word == "weekly" and not found["refund"].holds.in_app
    assert "Academy: Once a week" in as_sam.get("/notifications/preferences", status=200).words
