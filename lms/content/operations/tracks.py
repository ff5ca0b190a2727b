"""Captions and chapters of a video: brought, written line by line, chosen, taken away.

What players need of them stands in the asset's `made` as well, so that a lesson page asks nothing more.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lms.content import queries
from lms.content.errors import EditedMeanwhile
from lms.content.models import Asset, Track
from lms.core import audit, db
from lms.core.captions import Cue, checked, clean, read_captions, write_captions
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import language_name

LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")
MOST_CHAPTERS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was typed: its number in the track (None: a new one), times and words; empty words take it away."""

    number: int | None
    start: float
    end: float
    text: str


def add_track(asset: Asset, data: bytes, *, kind: str, language: str, label: str = "", by: Actor) -> Track:
    """Captions (or chapters) of a video in a language; bringing a language again replaces what was there."""
    language = language.strip()
    if not LANGUAGE.fullmatch(language):
        raise Invalid(_("Say the language as a short code, for example en or pt-BR."), fields={"language": _("A code like en or pt-BR.")})
    cues = read_captions(data)
    asset = queries.lock_asset(asset.id)
    track = queries.find_track(asset.id, kind, language)
    if track is None:
        others = [one for one in queries.tracks_of(asset.id) if one.kind == kind]
        track = Track(asset_id=asset.id, kind=kind, language=language, label="", body="", lines=0, is_default=not others)
        db.session().add(track)
    _write(track, cues)
    track.label = " ".join(label.split())[:60] or language_name(language)[:60]
    db.session().flush()
    audit.record("content.add_track", asset, by=by, after={"language": language, "lines": len(cues), "kind": kind}, name=asset.filename)
    _show(asset)
    return track


def start_track(asset: Asset, *, kind: str, language: str, label: str = "", by: Actor) -> Track:
    """An empty track to be written by hand: its first line stands at the beginning."""
    first = _("Beginning") if kind == "chapters" else "…"
    found = queries.find_track(asset.id, kind, language.strip())
    if found is not None:
        return found
    return add_track(asset, write_captions([Cue(0.0, 3.0, first)]).encode(), kind=kind, language=language, label=label, by=by)


def edit_track(track: Track, lines: Sequence[Line], *, version: int, by: Actor) -> int:
    """Change the lines named, add new ones, drop those without words; the number of lines that changed. Others stay.

    Raises EditedMeanwhile when somebody else saved since `version`.
    """
    asset = queries.lock_asset(track.asset_id)
    db.session().refresh(track)
    if track.version != version:
        raise EditedMeanwhile(_("Somebody saved these lines while you were writing. Load the page again, then make your change there."))
    cues: list[Cue | None] = list(track.cues)
    before = list(cues)
    for line in lines:
        cue = Cue(line.start, max(line.end, line.start + 0.1), clean(line.text)) if clean(line.text) else None
        if line.number is None:
            cues.append(cue)
        elif line.number < len(before):
            cues[line.number] = cue
    kept = checked([cue for cue in cues if cue is not None])
    changes = len(set(kept) ^ {cue for cue in before if cue is not None})
    if changes:
        _write(track, kept)
        track.version += 1
        audit.record("content.edit_track", asset, by=by, after={"language": track.language, "lines": track.lines}, name=asset.filename)
        _show(asset)
    return changes


def choose_track(track: Track, *, by: Actor) -> None:
    """Show this language of its kind when nobody has chosen another."""
    asset = queries.lock_asset(track.asset_id)
    for other in queries.tracks_of(asset.id):
        if other.kind == track.kind:
            other.is_default = other.id == track.id
    audit.record("content.choose_track", asset, by=by, after={"language": track.language}, name=asset.filename)
    _show(asset)


def delete_track(track: Track, *, by: Actor) -> None:
    """Take captions or chapters away for good; whoever wants them back brings the file again."""
    asset = queries.lock_asset(track.asset_id)
    db.session().delete(track)
    db.session().flush()
    audit.record("content.delete_track", asset, by=by, before={"language": track.language, "lines": track.lines}, name=asset.filename)
    _show(asset)


def chapters_from_captions(asset: Asset, *, language: str, every: float = 180.0, by: Actor) -> Track:
    """Chapters out of captions: about every three minutes, where a sentence begins after the longest silence near by."""
    cues = next((track.cues for track in queries.tracks_of(asset.id) if track.kind == "captions" and track.language == language), [])
    if not cues:
        raise Invalid(_("There are no captions in this language yet. Add them first."), rule="captions")
    starts, last = [cues[0]], cues[0].start
    gaps = list(pairwise(cues))
    while near := [(after.start - before.end, after) for before, after in gaps if every * 0.6 <= after.start - last <= every * 1.4]:
        starts.append(max(near, key=lambda pair: pair[0])[1])
        last = starts[-1].start
    ends = [*(cue.start for cue in starts[1:]), cues[-1].end]
    made = [Cue(cue.start, end, " ".join(cue.text.split()[:8])) for cue, end in zip(starts, ends, strict=True)]
    return add_track(asset, write_captions(made[:MOST_CHAPTERS]).encode(), kind="chapters", language=language, by=by)


def _write(track: Track, cues: Sequence[Cue]) -> None:
    if track.kind == "chapters":
        if len(cues) > MOST_CHAPTERS:
            raise Invalid(_("A video has at most 200 chapters."), rule="many")
        ends = [*(cue.start for cue in cues[1:]), cues[-1].end]
        cues = [cue._replace(end=max(end, cue.start + 0.1)) for cue, end in zip(cues, ends, strict=True)]
    track.body, track.lines = write_captions(cues), len(cues)


def _show(asset: Asset) -> None:
    """Put what players need into the asset's row."""
    db.session().flush()
    tracks = queries.tracks_of(asset.id)
    captions = [
        {"id": str(one.id), "lang": one.language, "label": one.label, "default": one.is_default, "version": one.version}
        for one in tracks
        if one.kind == "captions"
    ]
    chapters = next((one.cues for one in sorted(tracks, key=lambda one: not one.is_default) if one.kind == "chapters"), [])
    asset.made = {**asset.made, "captions": captions, "chapters": [[round(cue.start, 3), cue.text] for cue in chapters]}
