"""The pages of reports: each works, each refuses whom it must, with htmx and without."""

from urllib.parse import urlencode
from uuid import UUID

import pytest
from sqlalchemy import text

from lms.channels.reports import People
from lms.core import bin, db
from lms.core import plans as bulk
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.storage import storage
from lms.enrollments.reports import Enrollments
from lms.reporting import operations, queries
from lms.reporting.operations import Timetable
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL, outbox_errors, run_jobs
from tests.factories.people import a_student, root
from tests.reporting.world import busy


def a_view(report: object = None, query: str = "role=student", *, shared: bool = False) -> UUID:
    with db.unit_of_work(CHANNEL):
        return operations.save_view(report or People(), query, "Students", is_shared=shared, by=root()).id  # type: ignore[arg-type]


def a_schedule(query: str = "") -> UUID:
    view_id = a_view(query=query)
    with db.unit_of_work(CHANNEL):
        return operations.add_schedule(queries.get_view(view_id), Timetable(zone="Europe/Paris"), ["root@example.org"], by=root()).id


ADMIN_PAGES = ["/admin/reporting/usage", "/admin/reporting/reports/channels.people", "/admin/reporting/reports/reporting.sign_ins"]
STAFF_PAGES = [
    "/admin/reporting/",
    "/admin/reporting/reports/reporting.revenue",
    "/admin/reporting/schedules",
    "/admin/reporting/downloads",
]


@pytest.mark.parametrize("path", [*ADMIN_PAGES, *STAFF_PAGES])
def test_index__and_all_pages_open_for_whom_they_are(
    path: str, as_root: Browser, as_ada: Browser, as_sam: Browser, client: Browser
) -> None:
    as_root.get(path, status=200)
    as_ada.get(path, status=403 if path in ADMIN_PAGES else 200)
    as_sam.get(path, status=403)
    assert client.get(path, check=False).location.startswith("/auth/sign-in")


def test_index__shows_instructors_their_lists_alone(as_ada: Browser) -> None:
    page = as_ada.get("/admin/reporting/", status=200)
    assert "Enrolments" in page.words and "Sign-ins" not in page.words and "Figures day by day" not in page.words


def test_reports_show__opens_any_list_and_knows_none_that_is_not(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        busy()
    for name in ("reporting.revenue", "reporting.usage", "reporting.sign_ins", "payments.orders"):
        as_root.get(f"/admin/reporting/reports/{name}", status=200)
    csv = as_root.get("/admin/reporting/reports/reporting.revenue?format=csv", status=200).body
    assert "37.50" in csv and "'=Geometry" in csv
    assert "There is no list called nonsense" in as_root.get("/admin/reporting/reports/nonsense", status=404).words


def test_usage__draws_what_happened_with_the_rows_behind(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        busy()
    page = as_root.get("/admin/reporting/usage?days=90", status=200)
    assert len(page.all("//figure")) == 4 and "€37.50" in page.words and "Show the numbers" in page.words
    link = page.all("//a[contains(@href, 'reporting.revenue')]")[0].get("href")
    assert "€37.50" in as_root.get(link, status=200).words
    as_root.get("/admin/reporting/usage?days=7", status=422, check=False)


def test_usage_recount__counts_and_says_so(as_root: Browser, as_ada: Browser) -> None:
    as_root.post("/admin/reporting/usage/recount", {"days": "30"}, status=303)
    with db.unit_of_work(CHANNEL, read_only=True):
        assert queries.counted_days() is not None
    as_ada.post("/admin/reporting/usage/recount", {"days": "30"}, status=403)


def test_views_new__saves_the_view_a_list_is_shown_in(as_root: Browser) -> None:
    page = as_root.get("/admin/channels/people?role=student", status=200)
    chips = as_root.get(page.all("//*[@id='views']")[0].get("hx-get"), htmx=True, status=200, check=False)
    link = next(one.get("href") for one in chips.all("//a") if "views/new" in one.get("href"))
    form = as_root.get(link, status=200)
    assert "Role: Student" in form.words
    fields = {one.get("name"): one.get("value") for one in form.all("//form//input[@type='hidden']")}
    as_root.post(link, {**fields, "title": ""}, status=422)
    saved = as_root.post(link, {**fields, "title": "Learners", "is_shared": "y"}, status=303)
    assert saved.location == "/admin/channels/people?role=student"
    as_root.get(saved.location, status=200)
    assert "Learners" in as_root.get("/admin/reporting/", status=200).words
    again = as_root.get(page.all("//*[@id='views']")[0].get("hx-get"), htmx=True, status=200, check=False)
    assert "Learners" in again.words and again.all("//a[@aria-current='true']")


def test_views_new__refuses_wrong_filters_lists_and_foreign_addresses(as_root: Browser, as_ada: Browser) -> None:
    def link(**values: str) -> str:
        return "/admin/reporting/views/new?" + urlencode(values)

    as_root.get(link(report="channels.people", query="role=emperor"), status=422)
    as_root.get(link(report="nonsense"), status=404)
    as_ada.get(link(report="channels.people"), status=403)
    values = {"report": "channels.people", "query": "", "path": "https://evil.example/", "title": "Everybody"}
    assert as_root.post("/admin/reporting/views/new", values, status=303).location == "/admin/channels/people?view=all"


def test_views_show__opens_shared_views_for_others_and_keeps_ones_own(as_root: Browser, as_ada: Browser) -> None:
    view_id = a_view(Enrollments(), "", shared=False)
    as_ada.get(f"/admin/reporting/views/{view_id}", status=403)
    as_root.post(f"/admin/reporting/views/{view_id}/edit", {"title": "All", "is_shared": "y"}, status=303)
    assert "enrollments" in as_ada.get(f"/admin/reporting/views/{view_id}", status=302, check=False).location
    as_ada.get(f"/admin/reporting/views/{view_id}/edit", status=403)
    as_ada.post(f"/admin/reporting/views/{view_id}/delete", status=403)
    as_ada.get(f"/admin/reporting/views/{a_view()}", status=403)
    as_root.get(f"/admin/reporting/views/{uuid7()}", status=404)


def test_views_edit__renames_and_lets_the_list_open_with_it(as_root: Browser) -> None:
    view_id = a_view()
    as_root.get(f"/admin/reporting/views/{view_id}/edit", status=200)
    as_root.post(f"/admin/reporting/views/{view_id}/edit", {"title": ""}, status=422)
    as_root.post(f"/admin/reporting/views/{view_id}/edit", {"title": "Learners", "is_default": "y"}, status=303)
    assert as_root.get("/admin/channels/people", status=302, check=False).location == "/admin/channels/people?role=student"
    assert "Nothing fits" not in as_root.get("/admin/channels/people?view=all", status=200).words


def test_views_delete__and_undo(as_root: Browser) -> None:
    view_id = a_view()
    for _ in range(2):
        as_root.post(f"/admin/reporting/views/{view_id}/delete", status=303)
    as_root.get(f"/admin/reporting/views/{view_id}", status=404)
    for _ in range(2):
        as_root.post(f"/admin/reporting/views/{view_id}/restore", status=303)
    as_root.get(f"/admin/reporting/views/{view_id}", status=302, check=False)


def test_checksum__is_a_piece_that_agrees_with_the_file(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        for number in range(3):
            a_student(f"Student {number}")
        count, checksum = People().checksum(People().read_view({"role": ["student"]}), root())
    link = "/admin/reporting/checksum?" + urlencode({"report": "channels.people", "query": "role=student"})
    piece = as_root.get(link, htmx=True, status=200, check=False)
    assert f"{count} rows" in piece.words and checksum in piece.words
    assert as_root.get(link, check=False).location == "/admin/channels/people?role=student"


def test_checksum__is_refused_with_its_list(as_ada: Browser) -> None:
    as_ada.get("/admin/reporting/checksum?report=channels.people", status=403)
    as_ada.get("/admin/reporting/views/chips?report=channels.people", status=403)


SCHEDULE = {"cadence": "weekly", "days": "0", "month_day": "1", "hour": "8", "zone": "Europe/Paris", "format": "csv"}


def test_schedules_new__from_a_list_names_the_view_first(as_root: Browser) -> None:
    start = "/admin/reporting/schedules/new?" + urlencode(
        {"report": "channels.people", "query": "role=student", "path": "/admin/channels/people"}
    )
    to_name = as_root.get(start, status=303, check=False).location
    fields = {
        "report": "channels.people",
        "query": "role=student",
        "path": "/admin/channels/people",
        "then": "schedule",
        "title": "Learners",
    }
    to_time = as_root.post(to_name, fields, status=303).location
    assert to_time.startswith("/admin/reporting/schedules/new?view=")
    page = as_root.get(to_time, status=200)
    assert "root@example.org" in page.text("//textarea")
    made = as_root.post(to_time, {**SCHEDULE, "recipients": "root@example.org\nboard@elsewhere.example"}, status=303)
    shown = as_root.get(made.location, status=200)
    assert "Every Monday at 08:00, Europe/Paris" in shown.words and "board@elsewhere.example" in shown.words
    assert "Learners" in as_root.get("/admin/reporting/schedules", status=200).words


@pytest.mark.parametrize(
    ("field", "value"),
    [("zone", "Mars/Base"), ("recipients", "nobody"), ("every", "100"), ("hour", "25"), ("cadence", "yearly"), ("recipients", "")],
)
def test_schedules_new__says_what_is_wrong_beside_the_field(as_root: Browser, field: str, value: str) -> None:
    page = as_root.post(
        f"/admin/reporting/schedules/new?view={a_view()}", {**SCHEDULE, "recipients": "root@example.org", field: value}, status=422
    )
    assert page.all(f"//*[@id='{field}-error']")


def test_schedules_new__lets_instructors_write_to_members_alone(as_ada: Browser) -> None:
    view_id = a_view(Enrollments(), "", shared=True)
    page = as_ada.post(f"/admin/reporting/schedules/new?view={view_id}", {**SCHEDULE, "recipients": "x@elsewhere.example"}, status=422)
    assert "Only an admin can send lists to people outside" in page.words
    as_ada.post(f"/admin/reporting/schedules/new?view={view_id}", {**SCHEDULE, "recipients": "root@example.org"}, status=303)
    as_ada.get("/admin/reporting/schedules/new?view=nonsense", status=422)


def test_schedules_edit__pause_resume_send_delete__schedules_restore__from_the_bin(as_root: Browser, as_ada: Browser) -> None:
    path = f"/admin/reporting/schedules/{a_schedule()}"
    as_root.get(f"{path}/edit", status=200)
    as_root.post(f"{path}/edit", {**SCHEDULE, "cadence": "monthly", "month_day": "31", "recipients": "root@example.org"}, status=303)
    assert "On the last day of every month at 08:00" in as_root.get(path, status=200).words
    as_root.post(f"{path}/edit", {**SCHEDULE, "zone": "", "recipients": "root@example.org"}, status=422)
    as_root.post(f"{path}/pause", status=303)
    assert "Paused" in as_root.get(path, status=200).words
    as_root.post(f"{path}/resume", status=303)
    as_root.post(f"{path}/send", status=303)
    run_jobs()
    assert not outbox_errors() and "Sent" in as_root.get(path, status=200).words
    for act in ("edit", "pause", "resume", "send", "delete"):
        as_ada.post(f"{path}/{act}", status=403)
    as_ada.get(path, status=403)
    for _twice in (1, 2):
        as_root.post(f"{path}/delete", status=303)
    as_root.get(path, status=404)
    with db.unit_of_work(CHANNEL) as work:
        work.execute(text("UPDATE reporting.schedules SET next_run_at = now() - interval '1 hour'"))
        assert operations.start_due_runs(now()) == []
    as_ada.post(f"{path}/restore", status=403)
    for _twice in (1, 2):
        as_root.post(f"{path}/restore", status=303)
    as_root.get(path, status=200)
    as_root.post(f"{path}/delete", status=303)
    with db.unit_of_work(CHANNEL):
        assert bin.purge(bin.lying("schedule", UUID(path.rpartition("/")[2])), by=root())
    as_root.post(f"{path}/restore", status=404)


def test_schedules_show__of_another_channel_does_not_exist(as_root: Browser) -> None:
    with db.unit_of_work(OTHER_CHANNEL):
        by = root()
        schedule = operations.add_schedule(operations.save_view(People(), "", "x", by=by), Timetable(), [by.email], by=by)
    as_root.get(f"/admin/reporting/schedules/{schedule.id}", status=404)
    as_root.get(f"/admin/reporting/views/{schedule.view_id}", status=404)


def test_downloads_start__makes_a_file_and_the_page_shows_it__downloads_restore__from_the_bin(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_student("Zed")
    as_root.post("/admin/reporting/downloads/start", {"report": "channels.people", "query": "role=student", "format": "csv"}, status=303)
    assert "waiting" in as_root.get("/admin/reporting/downloads", status=200).words
    with db.unit_of_work(CHANNEL, read_only=True):
        download = queries.downloads_of(as_root.person.user_id)[0]
    path = f"/admin/reporting/downloads/{download.id}"
    as_root.get(f"{path}/file", status=404)
    assert "hx-trigger" in as_root.get(f"{path}/status", htmx=True, status=200, check=False).body
    run_jobs()
    piece = as_root.get(f"{path}/status", htmx=True, status=200, check=False)
    assert "1 row" in piece.words and "hx-trigger" not in piece.body
    assert as_root.get(f"{path}/status", check=False).location == "/admin/reporting/downloads"
    as_root.get("/admin/reporting/downloads", status=200)
    assert as_root.get(f"{path}/file", status=302, check=False).location
    for part in ("status", "file"):
        as_ada.get(f"{path}/{part}", status=403, check=False)
    as_ada.post(f"{path}/delete", status=403)
    with db.unit_of_work(CHANNEL, read_only=True):
        key = queries.get_download(download.id).key
    for _ in range(2):
        as_root.post(f"{path}/delete", status=303)
    as_root.get(f"{path}/file", status=404)
    as_ada.post(f"{path}/restore", status=403)
    as_root.post(f"{path}/restore", status=303)
    assert as_root.get(f"{path}/file", status=302, check=False).location
    as_root.post(f"{path}/delete", status=303)
    with db.unit_of_work(CHANNEL):
        assert bin.purge(bin.lying("download", download.id), by=root())
    assert not storage().exists(key)
    as_root.post(f"{path}/restore", status=409)


def test_downloads_file__goes_on_where_the_line_broke(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_student("Zed")
    as_root.post("/admin/reporting/downloads/start", {"report": "channels.people", "format": "csv"}, status=303)
    run_jobs()
    with db.unit_of_work(CHANNEL, read_only=True):
        path = f"/admin/reporting/downloads/{queries.downloads_of(as_root.person.user_id)[0].id}/file"
    link = as_root.get(path, check=False).location
    whole = as_root.raw.get(link)
    part = as_root.raw.get(link, headers={"Range": "bytes=10-", "If-Range": whole.headers["ETag"]})
    assert (whole.status_code, part.status_code) == (200, 206) and whole.data[:10] + part.data == whole.data
    assert part.headers["Content-Range"] == f"bytes 10-{len(whole.data) - 1}/{len(whole.data)}"
    again = as_root.raw.get(as_root.get(path, check=False).location, headers={"Range": "bytes=10-", "If-Range": whole.headers["ETag"]})
    assert again.status_code == 206, "a link of a later day gives the same file"


def test_downloads_cancel__stops_what_is_being_made(as_root: Browser, as_ada: Browser) -> None:
    as_root.post("/admin/reporting/downloads/start", {"report": "channels.people", "format": "csv"}, status=303)
    with db.unit_of_work(CHANNEL, read_only=True):
        download_id = queries.downloads_of(as_root.person.user_id)[0].id
    path = f"/admin/reporting/downloads/{download_id}/cancel"
    as_ada.post(path, status=403)
    for _again in range(2):
        as_root.post(path, status=303)
    run_jobs()
    assert "Called off" in as_root.get("/admin/reporting/downloads", status=200).words
    with db.unit_of_work(CHANNEL):
        made = operations.make_file(People(), People().read_view({}), root(), "csv")
        storage().put(f"{CHANNEL}/downloads/late.csv", made.file)
        operations.finish_download(queries.get_download(download_id), People(), made, f"{CHANNEL}/downloads/late.csv")
        made.close()
    assert not storage().exists(f"{CHANNEL}/downloads/late.csv")


def test_downloads__has_the_rows_that_were_left_out(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        bulk.make_from_table("channels.import_people", b"name,email\nNo Address,nonsense\n", by=root())
    run_jobs()
    page = as_root.get("/admin/reporting/downloads", status=200)
    [link] = page.all("//a[contains(@href, '/refused')]")
    assert "Rows that were left out" in page.words and "nonsense" in as_root.get(link.get("href"), status=200, check=False).body


def test_downloads_start__refuses_lists_and_formats(as_root: Browser, as_ada: Browser) -> None:
    as_ada.post("/admin/reporting/downloads/start", {"report": "channels.people"}, status=403)
    as_root.post("/admin/reporting/downloads/start", {"report": "channels.people", "format": "pdf"}, status=422)
    as_root.post("/admin/reporting/downloads/start", {"report": "channels.people", "query": "role=emperor"}, status=422)


def test_views_build__groups_computes_and_draws_what_the_list_then_shows(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        busy()
    fields = {"report": "enrollments.enrollments", "query": "status=active", "path": "/admin/enrollments/"}
    link = f"/admin/reporting/views/build?{urlencode(fields)}"
    assert "enrolled_at" in as_root.get(link, status=200).words
    as_ada.get(f"/admin/reporting/views/build?{urlencode({'report': 'channels.people'})}", status=403)
    blank = {**fields, "first": "course", "second": "", "chart": "", "drawn": "rows", "formulas-0-label": "Left"}
    wrong = as_root.post(link, {**blank, "formulas-0-formula": "100 - progres"}, status=422)
    assert "There is no figure called progres" in wrong.words and wrong.all("//input[@value='100 - progres']")
    assert "no such figure" in as_root.post(link, {**blank, "chart": "bar", "drawn": "calc_3"}, status=422).words
    made = as_root.post(link, {**blank, "formulas-0-formula": "100 - progress", "chart": "bar"}, status=303)
    shown = as_root.get(made.location, status=200)
    assert "Grouped by" in shown.words and "Left" in shown.words and shown.all("//*[@class='chart-box']")
    assert not shown.all("//input[@name='id']"), "groups are no rows to act upon"
    query = made.location.partition("?")[2]
    new = {"report": "enrollments.enrollments", "query": query, "path": "/admin/enrollments/", "title": "By course", "pin": "all"}
    assert "Only an admin can pin" in as_ada.post("/admin/reporting/views/new", new, status=422).words
    as_root.post("/admin/reporting/views/new", new, status=303)
    for reader in (as_root, as_ada):
        [tile] = reader.get("/admin/", status=200).all("//*[contains(@hx-get, '/tile')]")
        drawn = reader.get(tile.get("hx-get"), htmx=True, status=200, check=False)
        assert "By course" in drawn.words and drawn.all("//*[@class='chart-box']")


def test_views_tile__says_how_many_rows_there_are_to_whom_the_view_is(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        a_student("One"), a_student("Two")
    path = f"/admin/reporting/views/{a_view()}/tile"
    assert as_root.get(path, htmx=True, status=200, check=False).text("//*[@class='stat-value']") == "2"
    as_ada.get(path, htmx=True, status=403, check=False)
