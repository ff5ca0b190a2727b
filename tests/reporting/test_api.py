"""Every list by machine, with the figures of the screen; saved views and schedules."""

from uuid import uuid4

from lms.channels.reports import People
from lms.core import db
from lms.core.reports import every_report
from tests.conftest import CHANNEL
from tests.factories import people
from tests.machine import Machine


def test_reports_show__has_the_rows_count_and_checksum_of_the_screen(api_root: Machine, api_sam: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        for number in range(7):
            people.a_student(f"Student {number}")
        report = People()
        count, checksum = report.checksum(report.read_view({"role": ["student"], "sort": ["-email"]}), api_root.person)
    path = "/reporting/reports/channels.people?role=student&sort=-email"
    table = api_root.get(path)
    assert (table["count"], table["checksum"]) == (count, checksum) and len(table["rows"]) == count == 8
    first = api_root.get(f"{path}&size=5&checksum=0")
    assert first["checksum"] is None
    rest = api_root.get(f"{path}&size=5&after={first['next']}")
    assert first["rows"] + rest["rows"] == table["rows"] and rest["next"] is None
    api_sam.get("/reporting/reports/channels.people", status=403)


def test_reports_show__refuses_what_the_list_does_not_know(api_root: Machine) -> None:
    for wrong in ("rolle=student", "sort=colour", "columns=colour", "size=0", "role=emperor"):
        assert api_root.get(f"/reporting/reports/channels.people?{wrong}", status=422)["title"]
    api_root.get("/reporting/reports/no.such", status=404)


def test_reports__are_all_there_and_each_answers(api_root: Machine, api_sam: Machine) -> None:
    rows = api_root.get("/reporting/reports")["rows"]
    assert {row["name"] for row in rows} <= set(every_report())
    assert len(rows) > 10
    for row in rows:
        api_root.get(f"/reporting/reports/{row['name']}")
    api_sam.get("/reporting/reports", status=403)


def test_views__and_schedules_are_kept_and_taken_away(api_root: Machine, api_ada: Machine) -> None:
    new = {"report": "channels.people", "query": "role=student", "title": "Students"}
    view = api_root.post("/reporting/views", new, status=201)
    assert api_root.get("/reporting/views")["rows"] == [view]
    api_ada.post("/reporting/views", new, status=403)
    api_root.post("/reporting/views", {**new, "query": "role=emperor"}, status=422)
    when = {"view_id": view["id"], "cadence": "weekly", "weekday": 0, "hour": 8, "recipients": ["root@example.org"]}
    schedule = api_root.post("/reporting/schedules", when, status=201)
    assert api_root.get("/reporting/schedules")["rows"] == [schedule]
    api_root.post("/reporting/schedules", {**when, "zone": "Mars/Olympus"}, status=422)
    api_ada.post("/reporting/schedules", when, status=403)
    api_ada.delete(f"/reporting/schedules/{schedule['id']}", status=403)
    api_root.delete(f"/reporting/schedules/{schedule['id']}")
    api_ada.delete(f"/reporting/views/{view['id']}", status=403)
    api_root.delete(f"/reporting/views/{view['id']}")
    api_root.delete(f"/reporting/views/{uuid4()}", status=404)
