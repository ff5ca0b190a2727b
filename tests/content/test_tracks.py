"""Captions and chapters of a video: brought, written beside it, chosen, played to those who may, taken away."""

import io
from uuid import UUID

import pytest

from lms.content import operations, queries
from lms.content.models import Asset
from lms.content.operations import Line
from lms.core import db
from lms.core.errors import Conflict, Invalid
from lms.core.storage import LocalStorage
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.content.test_views import viewer_of
from tests.factories import people

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nWelcome\n\n00:01.000 --> 00:02.000\nto the pier\n"


def a_video() -> Asset:
    """A video of Ada's, as good as ready."""
    asset = operations.start_upload("pier.mp4", 10, "video", by=people.ada())
    found = queries.get_asset(asset.asset_id)
    found.state, found.folder, found.mp4_key, found.duration_seconds = "ready", f"{CHANNEL}/assets/{found.id}/run", "x/video.mp4", 900.0
    db.session().flush()
    return found


def test_add_track__shows_captions_to_players_and_replaces_a_language(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        asset = a_video()
        track = operations.add_track(asset, VTT, kind="captions", language="en", label="English", by=people.ada())
        assert (track.is_default, track.lines) == (True, 2)
        again = operations.add_track(asset, VTT.replace(b"pier", b"sea"), kind="captions", language="en", by=people.ada())
        operations.add_track(asset, VTT, kind="captions", language="pt-BR", by=people.ada())
        assert again.id == track.id and again.cues[1].text == "to the sea" and again.label == "English"
        shown = queries.playback_of(asset, viewer=people.sam()).captions
        assert [(one.lang, one.default) for one in shown] == [("en", True), ("pt-BR", False)]
        with pytest.raises(Invalid):
            operations.add_track(asset, VTT, kind="captions", language="English!", by=people.ada())


def test_edit_track__changes_adds_drops_and_refuses_what_is_old(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        asset = a_video()
        track = operations.add_track(asset, VTT, kind="captions", language="en", by=people.ada())
        lines = [Line(0, 0.0, 1.0, ""), Line(1, 1.5, 2.0, "to <x>this</x> pier"), Line(None, 0.5, 0.9, "Hear")]
        assert operations.edit_track(track, lines, version=1, by=people.ada()) == 4
        assert [cue.text for cue in track.cues] == ["Hear", "to this pier"] and track.version == 2
        assert operations.edit_track(track, [], version=2, by=people.ada()) == 0
        with pytest.raises(Conflict):
            operations.edit_track(track, [], version=1, by=people.ada())


def test_start_track__chapters_follow_each_other_and_choose_and_delete(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        asset = a_video()
        track = operations.start_track(asset, kind="chapters", language="en", by=people.ada())
        assert operations.start_track(asset, kind="chapters", language="en", by=people.ada()).id == track.id
        operations.edit_track(track, [Line(None, 60.0, 60.0, "Middle"), Line(None, 120.0, 120.0, "End")], version=1, by=people.ada())
        assert [(cue.start, cue.end) for cue in track.cues][:2] == [(0.0, 60.0), (60.0, 120.0)]
        assert queries.playback_of(asset, viewer=people.sam()).chapters[1] == (60.0, "Middle")
        other = operations.add_track(asset, VTT, kind="chapters", language="de", by=people.ada())
        operations.choose_track(other, by=people.ada())
        assert queries.playback_of(asset, viewer=people.sam()).chapters[0] == (0.0, "Welcome")
        operations.delete_track(other, by=people.ada())
        assert [one.language for one in queries.tracks_of(asset.id)] == ["en"]


def test_chapters_from_captions__begin_after_a_pause(connection: object) -> None:
    words = "\n\n".join(
        f"00:{at // 60:02d}:{at % 60:02d}.000 --> 00:{at // 60:02d}:{at % 60 + 4:02d}.000\nSentence {at}"
        for at in range(0, 600, 10)
        if at != 190
    )
    with db.unit_of_work(CHANNEL):
        asset = a_video()
        with pytest.raises(Invalid):
            operations.chapters_from_captions(asset, language="en", by=people.ada())
        operations.add_track(asset, words.encode(), kind="captions", language="en", by=people.ada())
        made = operations.chapters_from_captions(asset, language="en", by=people.ada())
        assert [cue.start for cue in made.cues][:2] == [0.0, 200.0] and 3 <= made.lines <= 5


def test_assets_tracks__takes_a_file_and_is_edited_beside_the_video(as_ada: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        asset_id = a_video().id
        sheet_id = operations.start_upload("sheet.pdf", 10, "document", by=people.ada()).asset_id
    url = f"/admin/content/assets/{asset_id}/tracks"
    assert "does not play" in as_ada.get(f"/admin/content/assets/{sheet_id}/tracks", status=403).words
    assert "No captions yet" in as_ada.get(url, status=200).words
    as_ada.post(url, data={"kind": "captions", "language": "en", "file": (io.BytesIO(b"nothing"), "a.vtt")}, status=422)
    page = as_ada.post(url, data={"kind": "captions", "language": "en", "label": "English", "file": (io.BytesIO(VTT), "a.vtt")}, status=303)
    edit = page.location
    assert "to the pier" in as_ada.get(edit, status=200).response.get_data(as_text=True)
    assert as_ada.get(f"{edit}?q=welc", status=200).words.count("Play") >= 1
    typed = {"version": "1", "number": ["0", ""], "start": ["0:00", "x"], "end": ["0:01", ""], "text": ["Good day", "More"]}
    assert "cannot be read" in as_ada.post(edit, data=typed, status=422).words
    as_ada.post(edit, data={**typed, "start": ["0:00", "0:03"]}, status=303)
    track_id = edit.split("/")[-2]
    assert as_ada.get(f"/admin/content/tracks/{track_id}/download", check=False).response.data.count(b"-->") == 3
    assert "3 lines" in as_ada.get(f"{url}/list", htmx=True, status=200).words
    as_ada.post(f"/admin/content/assets/{asset_id}/chapters", data={"language": "en"}, status=303)
    with db.unit_of_work(CHANNEL):
        playback = queries.playback_of(queries.get_asset(asset_id), viewer=viewer_of(as_sam))
    assert as_sam.get(playback.captions[0].src, check=False, status=200).response.data.startswith(b"WEBVTT")
    assert as_ada.get(playback.captions[0].src, check=False, status=403)
    assert as_sam.get(playback.captions[0].src.replace(track_id, str(UUID(int=1))), check=False, status=404)
    as_ada.post(f"/admin/content/tracks/{track_id}/choose", status=303)
    as_ada.post(f"/admin/content/tracks/{track_id}/delete", status=303)
    as_ada.get(edit, status=404)


def test_assets_remake__makes_it_anew(as_ada: Browser, films: object, store: LocalStorage) -> None:
    with db.unit_of_work(CHANNEL):
        asset_id = operations.receive_path(films / "talk.mp4", "talk.mp4", "video", by=people.ada()).id  # type: ignore[operator]
    run_jobs()
    url = f"/admin/content/assets/{asset_id}"
    assert "Make it anew" in as_ada.get(url, status=200).words
    as_ada.post(f"{url}/poster", {"at": "soon"}, status=422, check=False)
    as_ada.post(f"{url}/poster", {"at": "9:00"}, status=422, check=False)
    as_ada.post(f"{url}/poster", {"picture": "x"}, status=422, check=False)
    as_ada.post(f"{url}/poster", {"at": "0:01"}, status=303)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        chosen = queries.get_asset(asset_id).poster_key or ""
        assert "/poster-" in chosen and store.exists(chosen)
    assert "Waiting" in as_ada.post(f"{url}/remake", htmx=True, status=200).words
