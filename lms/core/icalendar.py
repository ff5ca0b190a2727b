"""Calendars as text (iCalendar, RFC 5545): what phones and desks subscribe to, and the file of one date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FOLD = 75  # octets of a line, RFC 5545 §3.1


@dataclass(frozen=True, slots=True)
class Entry:
    """One date: `uid` stays the same for ever, `sequence` grows with each change of it."""

    uid: str
    title: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    sequence: int = 0
    description: str = ""
    url: str = ""
    is_cancelled: bool = False


def calendar(name: str, entries: Iterable[Entry], *, refresh: timedelta = timedelta(hours=1)) -> str:
    """A whole calendar; times are UTC, so that every reader sees them in their own zone."""
    minutes = int(refresh.total_seconds() // 60)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lectern//Live classes//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    lines += [f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}", f"REFRESH-INTERVAL;VALUE=DURATION:PT{minutes}M"]
    for entry in entries:
        lines += _entry(entry)
    return "".join(_fold(line) for line in [*lines, "END:VCALENDAR"])


def _entry(entry: Entry) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{entry.uid}",
        f"DTSTAMP:{_moment(entry.changed_at)}",
        f"DTSTART:{_moment(entry.starts_at)}",
        f"DTEND:{_moment(entry.ends_at)}",
        f"SEQUENCE:{entry.sequence}",
        f"SUMMARY:{_text(entry.title)}",
        f"STATUS:{'CANCELLED' if entry.is_cancelled else 'CONFIRMED'}",
    ]
    lines += [f"DESCRIPTION:{_text(entry.description)}"] if entry.description else []
    lines += [f"URL:{entry.url}", f"LOCATION:{_text(entry.url)}"] if entry.url else []
    return [*lines, "END:VEVENT"]


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """A TEXT value (§3.3.11): control characters out; backslash, semicolon, comma and line ends escaped."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = "".join(letter for letter in value if letter == "\n" or ord(letter) >= 32)
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return value


def _fold(line: str) -> str:
    """The line with its end, cut into pieces of at most 75 octets, never inside a letter."""
    pieces, piece, room = [], b"", FOLD
    for letter in line:
        raw = letter.encode()
        if len(piece) + len(raw) > room:
            pieces.append(piece)
            piece, room = b"", FOLD - 1
        piece += raw
    return "\r\n ".join(one.decode() for one in [*pieces, piece]) + "\r\n"
