"""What films cost: told by workers and players, weighed once a day, at the academy's own prices."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from lms.channels.queries import this_channel
from lms.content import jobs
from lms.content import operations as content
from lms.content.models import Asset
from lms.core import db
from lms.core.clock import local_day, now
from lms.courses.models import Lesson
from lms.enrollments import operations
from lms.enrollments.operations import Played
from lms.enrollments.operations.watching import read_pass
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import sam
from tests.machine import Machine

GB = 10**9


def a_watched_film() -> Lesson:
    """A film of 2 GB, 10 GB made of it, prepared in half an hour of processor time; Sam watches ten minutes of it, 300 MB."""
    with db.unit_of_work(CHANNEL) as session:
        course = a_course(title="Sailing", lessons=0)
        film = a_lesson(course, title="Wind", kind="video")
        enrolled = an_enrollment(sam(), course)
        asset = session.get_one(Asset, film.asset_id)
        asset.size, asset.made_bytes, asset.state, asset.original_key = 2 * GB, 10 * GB, "ready", f"{CHANNEL}/uploads/{asset.id}/original"
        content.note_spent(asset.id, cpu_ms=1_800_000, made_ms=3_600_000)
        opened = now() - timedelta(minutes=20)
        signed = operations.begin_watching(enrolled, film, duration_ms=3_600_000, at=opened)
        report: dict[str, Any] = {"position_ms": 0, "by": sam(), "given": 300 * 10**6}
        operations.record_beat(read_pass(signed), [Played(0, 600_000)], **report, at=now())
        for _again in range(2):
            jobs.weigh_files.run()
        return film


def test_costs__are_what_was_used_at_the_prices_that_were_said(as_root: Browser, api_root: Machine) -> None:
    film = a_watched_film()
    page = as_root.get("/admin/reporting/reports/enrollments.costs", status=200)
    assert "Sailing" in page.words and "Cost" not in [cell.text for cell in page.all("//th")]
    with db.unit_of_work(CHANNEL):
        day = local_day(now(), this_channel().zone)
    days = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
    prices = {"price_hour": "0.04", "price_stored": "0.023", "price_cold": None, "price_given": "0.09"}
    assert api_root.send("PUT", "/api/v1/content/room", prices, status=200)["price_hour"] == "0.040000"
    (row,) = api_root.get("/api/v1/reporting/reports/enrollments.costs")["rows"]
    assert (row["course"], row["cpu"], row["watched"], row["prepared"]) == ("Sailing", 1800, 600, 3600)
    assert (row["originals"], row["made"], row["cold"]) == (round(2 * GB / days), round(10 * GB / days), 0)
    assert row["given"] == 256 << 20, "a report is believed so far and no further"
    assert row["cost_making"]["minor"] == 2 and row["cost_stored"]["minor"] == round(12 / days * 2.3)
    assert row["cost"]["minor"] == 2 + round(12 / days * 2.3) + 2 and row["cost_hour"]["minor"] >= row["cost"]["minor"]
    as_root.get("/admin/reporting/reports/enrollments.costs?group=month", status=200)
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE content.spent SET weighed_on = weighed_on - 1"))
        asset = session.get_one(Asset, film.asset_id)
        asset.original_key = f"cold/{asset.original_key}"
        session.flush()
        jobs.weigh_files.run()
    (row,) = api_root.get("/api/v1/reporting/reports/enrollments.costs")["rows"]
    assert (row["originals"], row["made"], row["cold"]) == (round(2 * GB / days), round(20 * GB / days), round(2 * GB / days))
