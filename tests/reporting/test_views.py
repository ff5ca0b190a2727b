"""What a report's mail links to: the file while it is kept, and the way out, for people without an account."""

from sqlalchemy import text

from lms.channels.reports import People
from lms.core import db
from lms.core.mail import newest
from lms.reporting import jobs, operations, queries
from lms.reporting.operations import Timetable
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import root


def sent() -> None:
    """A report goes to the board, which is outside."""
    with db.unit_of_work(CHANNEL) as session:
        by = root()
        operations.add_schedule(operations.save_view(People(), "", "Everybody", by=by), Timetable(), ["board@elsewhere.example"], by=by)
        session.execute(text("UPDATE reporting.schedules SET next_run_at = now() - interval '1 minute'"))
    with db.unit_of_work(CHANNEL):
        jobs.start_due_runs()
    run_jobs()


def stop_link() -> str:
    with db.unit_of_work(CHANNEL, read_only=True):
        return "/" + str(newest(1, "board@elsewhere.example")[0].headers["List-Unsubscribe"]).strip("<>").split("/", 3)[3]


def test_files_show__gives_the_file_to_whoever_holds_the_link(client: Browser) -> None:
    sent()
    with db.unit_of_work(CHANNEL):
        run = queries.runs_of(queries.schedules_for(root())[0].id)[0]
        link = f"/reporting/files/{operations.file_token(run)}"
    assert client.get(link, status=302, check=False).location
    client.get(link[:-4] + "AAAA", status=403)
    assert Browser(client.app, host="beta.example").get(link, check=False).status in (403, 404)


def test_unsubscribe_show__asks_on_get_and_stops_on_post(client: Browser) -> None:
    sent()
    link = stop_link()
    assert "Stop these mails" in client.get(link, status=200).words
    for _ in range(2):
        page = client.post(link, {"List-Unsubscribe": "One-Click"}, token=False, status=200, headers={"Sec-Fetch-Site": "cross-site"})
        assert "no more" in page.words
    with db.unit_of_work(CHANNEL):
        (schedule,) = queries.schedules_for(root())
        assert schedule.recipients == [] and not schedule.is_on and schedule.stopped_because


def test_unsubscribe_show__refuses_links_nobody_made_or_of_another_channel(client: Browser) -> None:
    sent()
    link = stop_link()
    client.get(link[:-4] + "AAAA", status=403)
    assert Browser(client.app, host="beta.example").get(link, check=False).status == 403
