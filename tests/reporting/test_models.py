"""When a schedule comes next: each fitting day of the zone's calendar has one run, whatever its clocks do."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.reporting.models import next_run

ZONES = (
    "Europe/Paris", "America/New_York", "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca",
    "Pacific/Apia", "Asia/Beirut", "Pacific/Chatham", "America/Havana", "UTC",
)  # fmt: skip
moments = st.datetimes(datetime(2010, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def runs(cadence: str, zone: str, start: datetime, count: int, **when: int) -> list[datetime]:
    """The next runs, one after the other, as the platform computes them."""
    found, moment = [], start
    for _ in range(count):
        moment = next_run(cadence, zone_name=zone, after=moment, **when)
        found.append(moment)
    return found


def is_real(day: date, zone: str) -> bool:
    """Whether the zone's calendar has that day (Apia had no 30 December 2011)."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    return noon.astimezone(UTC).astimezone(ZoneInfo(zone)).date() == day


@settings(max_examples=300, deadline=None)
@given(start=moments, zone=st.sampled_from(ZONES), hour=st.integers(0, 23))
def test_next_run__daily_comes_once_on_every_day_and_shows_the_hour(start: datetime, zone: str, hour: int) -> None:
    place = ZoneInfo(zone)
    found = runs("daily", zone, start, 40, hour=hour)
    assert all(one > other for one, other in zip(found[1:], found, strict=False)) and found[0] > start
    days = [moment.astimezone(place).date() for moment in found]
    assert len(set(days)) == len(days), "no day twice"
    expected = [days[0] + timedelta(days=number) for number in range((days[-1] - days[0]).days + 1)]
    assert days == [day for day in expected if is_real(day, zone)], "no day left out"
    for moment, day in zip(found, days, strict=True):
        local = moment.astimezone(place)
        wanted = datetime(day.year, day.month, day.day, hour, tzinfo=place)
        leapt = wanted.astimezone(UTC).astimezone(place).replace(tzinfo=None) != wanted.replace(tzinfo=None)
        assert (local.hour == hour and local.minute == 0) or leapt, (zone, local)
        assert local.fold == 0, "an hour shown twice counts the first time"


@settings(max_examples=100, deadline=None)
@given(start=moments, zone=st.sampled_from(ZONES), hour=st.integers(0, 23), weekday=st.integers(0, 6))
def test_next_run__weekly_comes_on_its_weekday_seven_days_apart(start: datetime, zone: str, hour: int, weekday: int) -> None:
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in runs("weekly", zone, start, 12, hour=hour, weekday=weekday)]
    steps = {(one - other).days for one, other in zip(days[1:], days, strict=False)}
    missing = any(not is_real(days[0] + timedelta(days=number), zone) for number in range(90))
    assert missing or ({day.weekday() for day in days} == {weekday} and steps == {7})


@settings(max_examples=100, deadline=None)
@given(start=moments, zone=st.sampled_from(ZONES), month_day=st.integers(1, 31))
def test_next_run__monthly_comes_once_a_month_on_its_day_or_the_last(start: datetime, zone: str, month_day: int) -> None:
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in runs("monthly", zone, start, 14, hour=8, month_day=month_day)]
    months = [day.year * 12 + day.month for day in days]
    assert months == list(range(months[0], months[0] + 14))
    wanted = [day.replace(day=min(month_day, monthrange(day.year, day.month)[1])) for day in days]
    assert all(day == asked or not is_real(asked, zone) for day, asked in zip(days, wanted, strict=True))


@settings(max_examples=200, deadline=None)
@given(start=moments, zone=st.sampled_from(ZONES), hour=st.integers(0, 23), steps=st.lists(st.integers(1, 3000), min_size=30, max_size=60))
def test_next_run__asked_every_few_minutes_or_days_is_never_skipped_nor_doubled(
    start: datetime, zone: str, hour: int, steps: list[int]
) -> None:
    """The scheduler as it works: wake up now and then, send when due, compute the next."""
    due, moment, sent = next_run("daily", zone_name=zone, hour=hour, after=start), start, []
    for step in steps:
        moment += timedelta(minutes=step)
        if due <= moment:
            sent.append(due)
            due = next_run("daily", zone_name=zone, hour=hour, after=max(moment, due))
    assert len(set(sent)) == len(sent) and sent == sorted(sent)
    days = [one.astimezone(ZoneInfo(zone)).date() for one in sent]
    assert len(set(days)) == len(days)


@pytest.mark.parametrize(
    ("after", "hour", "expected"),
    [
        ("2026-03-28T12:00:00+00:00", 2, "2026-03-29T01:00:00+00:00"),  # 02:00 does not exist: at the leap, 03:00 CEST
        ("2026-03-29T12:00:00+00:00", 2, "2026-03-30T00:00:00+00:00"),  # and 02:00 CEST on the next day
        ("2026-10-24T12:00:00+00:00", 2, "2026-10-25T00:00:00+00:00"),  # 02:00 comes twice: the first, CEST
        ("2026-10-25T00:00:00+00:00", 2, "2026-10-26T01:00:00+00:00"),  # and not the second
        ("2026-10-25T00:30:00+00:00", 8, "2026-10-25T07:00:00+00:00"),
    ],
)
def test_next_run__in_paris_when_clocks_change(after: str, hour: int, expected: str) -> None:
    found = next_run("daily", zone_name="Europe/Paris", hour=hour, after=datetime.fromisoformat(after))
    assert found == datetime.fromisoformat(expected)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe", "UTC"])
def test_next_run__on_chosen_days_every_few_weeks_on_weekdays_and_each_hour_across_the_clock_changes(zone: str) -> None:
    start, place = datetime(2026, 2, 2, 12, tzinfo=UTC), ZoneInfo(zone)
    anchor = date(2026, 2, 4)

    def some(cadence: str, count: int, **more: Any) -> list[datetime]:
        found, moment = [], start
        for _turn in range(count):
            moment = next_run(cadence, zone_name=zone, hour=8, after=moment, **more)
            found.append(moment)
        return found

    twice = [moment.astimezone(place) for moment in some("weekly", 40, days=(1, 4), every=2, anchor=anchor)]
    assert {moment.weekday() for moment in twice} == {1, 4} and all(moment.hour == 8 for moment in twice)
    weeks = sorted({(moment.date() - timedelta(days=moment.weekday())) for moment in twice})
    assert {(one - other).days for one, other in zip(weeks[1:], weeks, strict=False)} == {14}
    assert all((week - date(2026, 2, 2)).days % 14 == 0 for week in weeks)
    working = [moment.astimezone(place) for moment in some("weekdays", 100)]
    assert {moment.weekday() for moment in working} == {0, 1, 2, 3, 4} and {moment.hour for moment in working} == {8}
    last = [moment.astimezone(place) for moment in some("monthly", 14, month_day=31)]
    assert all((moment + timedelta(days=1)).day == 1 for moment in last)
    hours = some("hourly", 24 * 60)
    assert {one - other for one, other in zip(hours[1:], hours, strict=False)} == {timedelta(hours=1)}
