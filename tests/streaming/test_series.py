"""Classes that repeat, and calendars of them: the clock of the series, this one or those that follow, private addresses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as Work

from lms.core import db
from lms.core.clock import now
from lms.core.models import EventRow
from lms.streaming import operations
from lms.streaming.errors import BadTimes
from lms.streaming.models import Session
from lms.streaming.operations.planning import Plan, occurrences
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import ada, sam
from tests.factories.streaming import a_session, enrol


def a_series(every: str = "week", times: int = 4) -> list[Session]:
    """Classes of Ada's course, the first tomorrow."""
    begin = (now() + timedelta(days=1)).replace(microsecond=0)
    plan = Plan("Question hour", begin, begin + timedelta(hours=1))
    return operations.schedule_series(a_course(published=True), plan, every=every, times=times, zone_name="Europe/Berlin", by=ada())


def quiet(name: str) -> list[bool]:
    """Which facts of that name follow another that tells of all."""
    rows = db.session().scalars(select(EventRow).where(EventRow.name == name).order_by(EventRow.id))
    return [bool(row.payload.get("is_quiet")) for row in rows]


@pytest.mark.parametrize(
    ("every", "days"),
    [
        ("day", ["03-28T18:00+01:00", "03-29T18:00+02:00", "03-30T18:00+02:00"]),
        ("week", ["03-28T18:00+01:00", "04-04T18:00+02:00", "04-11T18:00+02:00"]),
        ("fortnight", ["03-28T18:00+01:00", "04-11T18:00+02:00", "04-25T18:00+02:00"]),
    ],
)
def test_occurrences__keep_the_time_of_day_over_a_change_of_the_clocks(every: str, days: list[str]) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 3, 28, 18, tzinfo=berlin).astimezone(UTC)
    found = [moment.astimezone(berlin).isoformat(timespec="minutes") for moment in occurrences(first, every, 3, "Europe/Berlin")]
    assert found == [f"2026-{day}" for day in days]


def test_occurrences__of_a_month_without_that_day_take_its_last() -> None:
    found = occurrences(datetime(2026, 12, 31, 9, tzinfo=UTC), "month", 3, "UTC")
    assert [str(moment.date()) for moment in found] == ["2026-12-31", "2027-01-31", "2027-02-28"]


def test_schedule_series__tells_once_and_knows_its_bounds(work: Work) -> None:
    made = a_series()
    assert [one.series_number for one in made] == [1, 2, 3, 4] and len({one.series_id for one in made}) == 1
    assert quiet("SessionScheduled") == [False, True, True, True]
    for times in (1, 53):
        with pytest.raises(BadTimes):
            a_series(times=times)


def test_edit_following__moves_those_after_it_alike_and_leaves_those_before(work: Work) -> None:
    first, second, third, fourth = a_series()
    before = {one.id: one.starts_at for one in (first, second, third, fourth)}
    operations.open_session(third, by=ada())
    begin = second.starts_at + timedelta(hours=2)
    words = {"title": "Renamed", "description": "", "join_url": ""}
    assert operations.edit_following(second, starts_at=begin, ends_at=begin + timedelta(minutes=30), by=ada(), **words) == 2
    moved = [one.starts_at - before[one.id] for one in (first, second, third, fourth)]
    assert moved == [timedelta(0), timedelta(hours=2), timedelta(0), timedelta(hours=2)]
    assert [one.title for one in (first, second, third, fourth)] == ["Question hour", "Renamed", "Question hour", "Renamed"]
    assert fourth.ends_at - fourth.starts_at == timedelta(minutes=30) and quiet("SessionMoved") == [False, True]


def test_cancel_following__leaves_those_before(work: Work) -> None:
    first, second, third, fourth = a_series()
    assert operations.cancel_following(third, by=ada(), reason="Holiday") == 2
    assert [one.state for one in (first, second, third, fourth)] == ["scheduled", "scheduled", "cancelled", "cancelled"]
    assert quiet("SessionCancelled") == [False, True]


def test_sessions_new__plans_a_series_and_sessions_edit_asks_which(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course()
    begin = (now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    form = {"title": "Office hour", "starts_at": begin, "minutes": "45", "join_url": "", "description": ""}
    wish = {**form, "course_id": str(course.id), "every": "week"}
    as_ada.post("/admin/streaming/sessions/new", {**wish, "times": "1"}, status=422)
    page = as_ada.post("/admin/streaming/sessions/new", {**wish, "times": "3"}, status=303)
    assert "2 more classes" in as_ada.get(f"{page.location}/edit", status=200).words
    as_ada.post(f"{page.location}/edit", {**form, "title": "Renamed", "following": "1"}, status=303)
    as_ada.post(f"{page.location}/cancel", {"reason": "", "following": "1"}, status=303)
    with db.unit_of_work(CHANNEL) as work:
        rows = work.execute(select(Session.title, Session.state)).all()
    assert {(row.title, row.state) for row in rows} == {("Renamed", "cancelled")} and len(rows) == 3


def test_calendar__shows_the_month_to_those_who_run_classes(as_ada: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(starts_at=now() + timedelta(days=40))
    month = f"{session.starts_at:%Y-%m}"
    assert session.title in as_ada.get(f"/admin/streaming/calendar?month={month}", status=200).words
    assert session.title not in as_ada.get("/admin/streaming/calendar?month=nonsense", status=200).words
    as_sam.get("/admin/streaming/calendar", status=403)


def test_feed__is_a_private_address_that_can_be_closed(as_sam: Browser, client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        mine = a_session(a_course("Physics"))
        enrol(sam(), mine)
        other = a_session(a_course("Chemistry"))
    as_sam.post("/streaming/feed", {"wish": "first"}, status=303)
    page = as_sam.get("/streaming/feed", status=200)
    (address,) = page.all("//input[@id='feed-address']/@value")
    path = "/streaming/" + str(address).split("/streaming/", 1)[1]
    text = client.get(path, status=200).body.replace("\r\n ", "")
    assert f"UID:{mine.id}@" in text and str(other.id) not in text
    client.get(path.replace(path.split("/")[3], path.split("/")[3][:-1] + "_"), status=404)
    as_sam.post("/streaming/feed", {"wish": "new"}, status=303)
    client.get(path, status=404)
    as_sam.post("/streaming/feed", {"wish": "none"}, status=303)
    assert "no address yet" in as_sam.get("/streaming/feed", status=200).words


def test_sessions_calendar__is_for_those_who_see_the_class(as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        mine, other = a_session(a_course("Physics")), a_session(a_course("Chemistry"))
        enrol(sam(), mine)
    assert "BEGIN:VEVENT" in as_sam.get(f"/streaming/sessions/{mine.id}/calendar.ics", status=200).body
    as_sam.get(f"/streaming/sessions/{other.id}/calendar.ics", status=403)
