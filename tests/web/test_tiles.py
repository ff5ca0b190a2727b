"""Why 312? Every figure of a tile opens a list with as many rows, or the same sum, and says above them what it counts."""

import csv
import html
import io
import re
from datetime import timedelta

from sqlalchemy import text

from lms.core import db
from lms.core.clock import now
from lms.reporting import jobs, operations, queries
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.reporting.world import busy

USAGE = "/admin/reporting/usage"
TILE = re.compile(
    r'<span class="stat-label"><a href="([^"]+)">[^<]+</a></span><span class="stat-value">([^<]+)</span>(.*?)</div>', re.DOTALL
)


def figure_of(value: str, note: str) -> str:
    """The number that is held against the rows: of a share its count, which stands beside it."""
    said = re.search(r"([\d,]+) of [\d,]+", note) if value.endswith("%") else None
    return re.sub(r"[^\d.]", "", said[1] if said else value)


def rows_of(browser: Browser, href: str) -> tuple[int, str]:
    """How many rows the list has, and the sum of the money that was paid."""
    body = browser.get(href + "&format=csv", status=200).body.removeprefix("\\ufeff")
    rows = list(csv.DictReader(io.StringIO(body)))
    paid = sum(float(row.get("Amount") or row.get("Left") or 0) for row in rows if "Amount" in row or "Orders" in row)
    return len(rows), f"{paid:.2f}"


def test_a_tile__opens_as_many_rows_as_it_says(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        busy()
        session.execute(text("UPDATE channels.channels SET zone = 'Pacific/Auckland'"))
        session.execute(text("UPDATE enrollments.enrollments SET enrolled_at = now() - interval '3 days' WHERE progress = 50"))
        session.execute(
            text(
                "UPDATE payments.orders SET paid_at = paid_at - interval '40 days' WHERE id = (SELECT id FROM payments.orders ORDER BY id LIMIT 1)"
            )
        )
    run_jobs()
    for counted in (False, True):
        if counted:
            with db.unit_of_work(CHANNEL):
                today = queries.channel_today()
                operations.recount(today - timedelta(days=60), today - timedelta(days=1))
        for browser, page in ((as_root, "/admin/"), (as_ada, "/admin/"), (as_root, USAGE), (as_root, f"{USAGE}?days=90")):
            agree(browser, page)


def agree(browser: Browser, page: str) -> None:
    """Each of the four tiles of a page opens as many rows, or the same sum, as it says."""
    browser.get(page, status=200)  # who looks is here, from the first page on
    tiles = TILE.findall(browser.get(page, status=200).body)
    assert len(tiles) == 4
    for href, value, note in tiles:
        figure, (count, paid) = figure_of(value, note), rows_of(browser, html.unescape(href))
        assert figure in (str(count), paid), (page, href, value, count, paid)
        said = browser.get(html.unescape(href), status=200).words
        assert "Why " in said and (value.endswith("%") or f"Why {value}?" in said or figure == "0"), value


def test_count_days__leaves_every_figure_as_it_was(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        busy()
        session.execute(text("UPDATE enrollments.enrollments SET enrolled_at = now() - interval '3 days' WHERE progress = 50"))
    run_jobs()
    with db.unit_of_work(CHANNEL):
        known = queries.standing()
        live = queries.day_series(known.today - timedelta(days=9), known.today, currency="EUR")
        ever = queries.sums_ever(("enrolments", "courses_completed"))
    with db.unit_of_work(CHANNEL):
        jobs.count_days.later()
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert queries.standing().uncounted == known.today
        counted = queries.day_series(known.today - timedelta(days=9), known.today, currency="EUR")
        assert {name: line.values for name, line in counted.items() if name != "active"} == {
            name: line.values for name, line in live.items() if name != "active"
        }
        assert queries.sums_ever(("enrolments", "courses_completed")) == ever
        assert now() > known.begins(known.today)
