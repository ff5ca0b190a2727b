"""Captions: what people bring as .vtt or .srt, read leniently, cleaned, and written as WebVTT (https://www.w3.org/TR/webvtt1/)."""

import html
import re
from collections.abc import Sequence
from typing import NamedTuple

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _

MOST_BYTES = 2 << 20
MOST_CUES = 20_000
LONGEST = 1000
LATEST = 24 * 3600.0
TIME = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?")
ARROW = re.compile(r"^\s*([\d:.,]+)\s*-{1,2}>\s*([\d:.,]+)")
TAG = re.compile(r"<(?!/?(?:i|b|u)>)[^<>]*>", re.I)
SETTING = re.compile(r"\{\\[^}]*\}")


class Cue(NamedTuple):
    """One line of captions: seconds from and to, and its words (several lines with line feeds; of tags only i, b and u are left)."""

    start: float
    end: float
    text: str


def read_captions(data: bytes) -> list[Cue]:
    """The cues of a .vtt or .srt file in their order; raises Invalid with what is wrong."""
    if len(data) > MOST_BYTES:
        raise Invalid(_("This file is larger than 2 MB, too large for captions. Choose the .vtt or .srt file itself."), rule="size")
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    found: list[Cue] = []
    for block in re.split(r"\n\s*\n", text):
        lines = block.strip("\n").split("\n")
        at = next((index for index, line in enumerate(lines[:3]) if ARROW.match(line)), None)
        if at is None:
            continue
        times = ARROW.match(lines[at])
        start, end = (read_time(part) for part in times.groups()) if times else (None, None)
        words = clean("\n".join(lines[at + 1 :]))
        if start is not None and end is not None and words:
            found.append(Cue(start, max(end, start + 0.1), words))
    return checked(found)


def checked(cues: Sequence[Cue]) -> list[Cue]:
    """Cues in their order; raises Invalid when there are none or far too many."""
    if not cues:
        raise Invalid(_("No captions were found in it. Choose a .vtt or .srt file with times like 00:01:02.500."), rule="empty")
    if len(cues) > MOST_CUES:
        raise Invalid(_("These are more than 20,000 lines. Split them by lesson."), rule="many")
    return sorted(cues, key=lambda cue: (cue.start, cue.end))


def clean(text: str) -> str:
    """The words of a cue: no markup but italics, bold and underline, no empty lines."""
    kept = TAG.sub("", SETTING.sub("", text)).replace("-->", "→")
    lines = [" ".join(line.split()) for line in kept.split("\n")]
    return "\n".join(line for line in lines if line)[:LONGEST]


def plain(text: str) -> str:
    """The words alone, for lists and search."""
    return html.unescape(re.sub(r"</?[ibu]>", "", text, flags=re.I)).replace("\n", " ")


def read_time(text: str) -> float | None:
    """Seconds out of 1:02:03.456, 02:03,4 or 2:03; None for anything else."""
    found = TIME.fullmatch(text.strip())
    if not found:
        return None
    hours, minutes, seconds, part = found.groups()
    value = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + (int(part.ljust(3, "0")) / 1000 if part else 0.0)
    fits = int(seconds) < 60 and (hours is None or int(minutes) < 60)
    return value if fits and value < LATEST else None


def write_time(seconds: float) -> str:
    """00:01:02.500."""
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}.{whole % 1000:03d}"


def write_captions(cues: Sequence[Cue]) -> str:
    """The cues as WebVTT."""
    blocks = [f"{write_time(cue.start)} --> {write_time(cue.end)}\n{_escaped(cue.text)}" for cue in cues]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _escaped(text: str) -> str:
    """Words as WebVTT writes them: & and < of the words themselves do not become markup."""
    parts = re.split(r"(</?[ibu]>)", text, flags=re.I)
    return "".join(part if index % 2 else html.escape(html.unescape(part), quote=False) for index, part in enumerate(parts))


def _decoded(data: bytes) -> str:
    for start, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(start):
            return data.decode(encoding, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
