"""Captions and chapters: brought as files, written beside the video, chosen, downloaded, taken away."""

from typing import Any
from uuid import UUID

from flask import g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.content import operations, policies, queries
from lms.content.admin.door import bp
from lms.content.forms import TrackForm
from lms.content.models import Asset, Track
from lms.content.operations import Line
from lms.core.captions import MOST_BYTES, plain, read_time, write_time
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.storage import disposition
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.toasts import toast

LINES_A_PAGE = 50


@bp.route("/assets/<uuid:asset_id>/tracks", methods=["GET", "POST"])
def assets_tracks(asset_id: UUID) -> ResponseReturnValue:
    """The captions and chapters of a video, and a form to add some."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_caption(actor(), asset))
    form, page = TrackForm(), "content/admin/assets_tracks.html"
    if not form.is_submitted():
        form.language.data = g.channel.locale
        return render_template(page, form=form, **_tracks(asset))
    if form.validate():
        try:
            track = _added(asset, form)
            toast(_("%(num)s lines are there.", num=track.lines), tone="success")
            return moved(url_for(".tracks_edit", track_id=track.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, **_tracks(asset))


@bp.route("/assets/<uuid:asset_id>/tracks/list")
def assets_tracks_list(asset_id: UUID) -> ResponseReturnValue:
    """The captions and chapters of a video in short, for the lesson's editor."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    context = {"file": asset, "tracks": queries.tracks_of(asset.id)}
    return fragment("content/admin/_tracks.html", page=url_for(".assets_tracks", asset_id=asset.id), **context)


@bp.route("/assets/<uuid:asset_id>/chapters", methods=["POST"])
def assets_chapters(asset_id: UUID) -> ResponseReturnValue:
    """Make chapters out of the captions of a language."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    track = operations.chapters_from_captions(asset, language=request.form.get("language", ""), by=actor())
    toast(_("%(num)s chapters were made. Give them better titles.", num=track.lines), tone="success")
    return moved(url_for(".tracks_edit", track_id=track.id))


@bp.route("/tracks/<uuid:track_id>/edit", methods=["GET", "POST"])
def tracks_edit(track_id: UUID) -> ResponseReturnValue:
    """Write the lines beside the video, fifty at a time; a search shows only those with a word."""
    track = queries.get_track(track_id)
    asset = queries.get_asset(track.asset_id)
    allow(policies.can_manage(actor(), asset))
    page = "content/admin/tracks_edit.html"
    if request.method == "GET":
        return render_template(page, **_editor(asset, track, _shown(track)))
    rows, lines = _typed()
    try:
        if None in lines:
            raise Invalid(_("A line has times that cannot be read. Mend it, then save again."), rule="times")
        count = operations.edit_track(
            track, [line for line in lines if line is not None], version=request.form.get("version", 0, int), by=actor()
        )
    except Refusal as refusal:
        return invalid(page, page=page, **_editor(asset, track, rows, fault=refusal.sentence))
    toast(_("Saved.") if count else _("Nothing was changed."), tone="success")
    return moved(url_for(".tracks_edit", track_id=track.id, page=request.args.get("page"), q=request.args.get("q")))


@bp.route("/tracks/<uuid:track_id>/choose", methods=["POST"])
def tracks_choose(track_id: UUID) -> ResponseReturnValue:
    """Show these when nobody has chosen a language."""
    track, asset = _held(track_id)
    operations.choose_track(track, by=actor())
    return moved(url_for(".assets_tracks", asset_id=asset.id))


@bp.route("/tracks/<uuid:track_id>/delete", methods=["POST"])
def tracks_delete(track_id: UUID) -> ResponseReturnValue:
    """Take captions or chapters away."""
    track, asset = _held(track_id)
    operations.delete_track(track, by=actor())
    toast(_("“%(name)s” is gone.", name=track.label))
    return moved(url_for(".assets_tracks", asset_id=asset.id))


@bp.route("/tracks/<uuid:track_id>/download")
def tracks_download(track_id: UUID) -> ResponseReturnValue:
    """The file, as WebVTT."""
    track, asset = _held(track_id)
    name = f"{asset.filename.rpartition('.')[0] or asset.filename}.{track.language}.vtt"
    return make_response(
        track.body, 200, {"Content-Type": "text/vtt; charset=utf-8", "Content-Disposition": disposition(name, inline=False)}
    )


def _held(track_id: UUID) -> tuple[Track, Asset]:
    track = queries.get_track(track_id)
    asset = queries.get_asset(track.asset_id)
    allow(policies.can_manage(actor(), asset))
    return track, asset


def _added(asset: Asset, form: TrackForm) -> Track:
    said = {"kind": form.kind.data, "language": form.language.data or "", "label": form.label.data or ""}
    data = form.file.data.stream.read(MOST_BYTES + 1) if form.file.data else b""
    return operations.add_track(asset, data, by=actor(), **said) if data else operations.start_track(asset, by=actor(), **said)


def _tracks(asset: Asset) -> dict[str, Any]:
    tracks = queries.tracks_of(asset.id)
    playback = queries.playback_of(asset, viewer=actor()) if asset.is_playable else None
    return {"file": asset, "tracks": tracks, "playback": playback, "spoken": [one.language for one in tracks if one.kind == "captions"]}


def _shown(track: Track) -> list[dict[str, Any]]:
    """The lines of the page that is asked for, as they stand."""
    word = request.args.get("q", "").strip().lower()
    found = [(number, cue) for number, cue in enumerate(track.cues) if word in plain(cue.text).lower()]
    first = (max(request.args.get("page", 1, int), 1) - 1) * LINES_A_PAGE
    return [
        {"number": number, "start": write_time(cue.start), "end": write_time(cue.end), "text": cue.text, "at": cue.start, "fault": ""}
        for number, cue in found[first : first + LINES_A_PAGE]
    ]


def _typed() -> tuple[list[dict[str, Any]], list[Line | None]]:
    """The lines as they were typed, and what they mean; None for one whose times cannot be read."""
    rows, lines = [], []
    parts = zip(*(request.form.getlist(name) for name in ("number", "start", "end", "text")), strict=False)
    for number, start, end, text in parts:
        if not number and not text.strip():
            continue
        begin = read_time(start)
        until = read_time(end) if end.strip() else begin
        fault = "" if begin is not None and until is not None else _("Write times like 1:02 or 00:01:02.500.")
        index = int(number) if number.isdecimal() else None
        rows.append({"number": index, "start": start, "end": end, "text": text, "at": begin or 0.0, "fault": fault})
        lines.append(Line(index, begin, until, text) if begin is not None and until is not None else None)
    return rows, lines


def _editor(asset: Asset, track: Track, rows: list[dict[str, Any]], fault: str = "") -> dict[str, Any]:
    word = request.args.get("q", "").strip()
    found = sum(1 for cue in track.cues if word.lower() in plain(cue.text).lower()) if word else track.lines
    page = max(request.args.get("page", 1, int), 1)
    return {
        "file": asset,
        "track": track,
        "rows": rows,
        "fault": fault,
        "word": word,
        "found": found,
        "page_number": page,
        "pages": max(1, -(-found // LINES_A_PAGE)),
        "playback": queries.playback_of(asset, viewer=actor()) if asset.is_playable else None,
    }
