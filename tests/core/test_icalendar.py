"""Calendars as text: escaped, folded, in UTC, as RFC 5545 has them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from lms.core.icalendar import Entry, calendar


def test_calendar__is_escaped_folded_and_in_utc() -> None:
    begin = datetime(2026, 11, 21, 18, 0, tzinfo=ZoneInfo("Africa/Cairo"))
    text = calendar(
        "Ada; Academy",
        [Entry("1@x", "Zürich, " + "ü" * 60, begin, begin, begin, 3, "one\r\ntwo\\\x07", "https://x.example/1", is_cancelled=True)],
    )
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    whole = text.replace("\r\n ", "")
    for line in (
        "DTSTART:20261121T160000Z",
        "SEQUENCE:3",
        "STATUS:CANCELLED",
        "SUMMARY:Zürich\\, " + "ü" * 60,
        "DESCRIPTION:one\\ntwo\\\\",
        "NAME:Ada\\; Academy",
    ):
        assert f"\r\n{line}\r\n" in whole
    assert text.endswith("END:VCALENDAR\r\n") and "\n" not in text.replace("\r\n", "")
