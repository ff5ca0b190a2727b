"""Long lists: the count comes when it is ready, exact, with script and without; words are found through an index as without one."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from lms.channels.reports import People
from lms.core import db
from lms.core.errors import Invalid
from lms.core.reports import report as reports
from lms.enrollments.reports import Enrollments
from lms.payments.reports import Orders
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.people import a_student, root
from tests.reporting.world import busy


@pytest.fixture
def long_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists count as long from the fourth row on."""
    few = reports.Report.totals_if_few
    monkeypatch.setattr(reports.Report, "totals_if_few", lambda self, view, by: few(self, view, by, most=3))


def test_list_page__of_a_long_list_answers_before_it_is_counted(as_root: Browser, long_lists: None) -> None:
    with db.unit_of_work(CHANNEL):
        busy()
    page = as_root.get("/admin/payments/orders?status=paid", status=200)
    assert "of 3" in page.words
    page = as_root.get("/admin/channels/people?role=student", status=200)
    assert 'hx-get="/admin/channels/people?role=student&amp;format=count"' in page.body and "Count them all" in page.body
    piece = as_root.get("/admin/channels/people?role=student&format=count", status=200, htmx=True)
    assert "of 12" in piece.words
    answer = as_root.get("/admin/channels/people?role=student&format=count", check=False)
    assert answer.location == "/admin/channels/people?role=student&count=1"
    assert "of 12" in as_root.get(answer.location, status=200).words


@pytest.mark.parametrize("words", ["student", "buyer 1", "example.org", "1", "zoë", "100%", "nobody-here", "geometry buyer", "st_dent"])
def test_search__finds_the_same_with_the_index_and_without(connection: object, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.unit_of_work(CHANNEL):
        by = busy()
        a_student("Zoë 100% Sure")
    with db.unit_of_work(OTHER_CHANNEL):
        a_student("Buyer 1 of another channel")
    found = {}
    for from_length in (5, 1000):
        monkeypatch.setattr(reports, "INDEXED_FROM", from_length)
        with db.unit_of_work(CHANNEL, read_only=True):
            for report in (People(), Enrollments(), Orders()):
                view = report.read_view({"q": [words]})
                assert report.totals(view, by)["count"] == len(list(report.ids(view, by)))
                found[from_length, report.name] = set(report.ids(view, by))
    assert all(found[5, report.name] == found[1000, report.name] for report in (People(), Enrollments(), Orders()))


def test_find_members__gives_ids_of_the_running_channel_alone_and_gives_up_on_many(connection: object) -> None:
    ask = text("SELECT channels.find_members(ARRAY['%finder%'], :most)")
    with db.unit_of_work(OTHER_CHANNEL):
        a_student("Finder Elsewhere")
    with db.unit_of_work(CHANNEL) as session:
        made = [a_student(f"Finder {number}").user_id for number in range(3)]
        assert set(session.execute(ask, {"most": 10}).scalar_one()) == set(made)
        assert session.execute(ask, {"most": 2}).scalar_one() is None
    with db.unit_of_work() as session:
        assert session.execute(ask, {"most": 10}).scalar_one() == []


def test_page__turns_both_ways_through_empty_cells(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        by = root()
        for number in range(7):
            a_student(f"Seen {number}")
        session.execute(text("UPDATE channels.members SET seen_at = now() WHERE name IN ('Seen 1', 'Seen 4', 'Seen 5')"))
        report = People()
        for sort in ("seen_at", "-seen_at"):
            view = report.read_view({"sort": [sort], "role": ["student"]})
            whole = [row["id"] for row in report.page(view, by, size=100).rows]
            assert [row["id"] for row in report.stream(view, by)] == whole and len(whole) >= 7
            forwards, after, page = [], "", None
            while page is None or after:
                page = report.page(view, by, after=after, size=2)
                forwards += [row["id"] for row in page.rows]
                after = page.after
            back, before = [row["id"] for row in page.rows], page.before
            while before:
                page = report.page(view, by, before=before, size=2)
                back, before = [row["id"] for row in page.rows] + back, page.before
            assert forwards == whole == back, sort


def test_period__may_name_the_zone_of_its_days() -> None:
    report = People()
    assert report.read_view({"joined": ["2026-03-28..2026-03-29@Europe/Paris"]}).filters
    for wrong in ("2026-03-28..2026-03-29@Nowhere/At_all", "2026-03-28@Europe/Paris", f"@{uuid4()}"):
        with pytest.raises(Invalid):
            report.read_view({"joined": [wrong]})
    said = str(report.filters[2].where("2026-03-29..2026-03-29@Europe/Paris", "Asia/Tokyo").compile(compile_kwargs={"literal_binds": True}))
    assert "2026-03-28 23:00:00" in said and "2026-03-29 22:00:00" in said
