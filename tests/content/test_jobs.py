"""Processing: real files through real ffmpeg in the real sandbox; what is shown, and what is refused and leaves nothing."""

import io
import re
import zipfile
from pathlib import Path
from uuid import UUID

import av
import pytest
from PIL import Image
from sqlalchemy import text

from lms.content import jobs, operations, queries
from lms.content.gateways import Ffmpeg, at_once
from lms.content.jobs import checking, encoding, runs, tending
from lms.content.models import Asset, Piece
from lms.core import db
from lms.core.clock import now
from lms.core.errors import Unavailable
from lms.core.ids import uuid7
from lms.core.storage import LocalStorage, use_storage
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.people import ada

pytestmark = pytest.mark.usefixtures("connection")


def process_file(path: Path, kind: str = "video", name: str = "") -> Asset:
    """Ada uploads a file and the workers do what they do."""
    with db.unit_of_work(CHANNEL):
        asset_id = operations.receive_path(path, name or path.name, kind, by=ada()).id
    run_jobs()
    assert outbox_errors() == []
    return reread(asset_id)


def reread(asset_id: UUID) -> Asset:
    with db.unit_of_work(CHANNEL):
        return queries.get_asset(asset_id)


def stored(store: LocalStorage, asset: Asset) -> list[str]:
    """What lies in the asset's folder, by name under its run."""
    folder = store.root / str(CHANNEL) / "assets" / str(asset.id)
    return sorted(path.relative_to(folder).as_posix().partition("/")[2] for path in folder.rglob("*") if path.is_file())


def test_process__makes_a_video_playable_in_every_way(films: Path, store: LocalStorage) -> None:
    asset = process_file(films / "talk.mp4")
    assert (asset.state, asset.progress, asset.width, asset.height, asset.content_type) == ("ready", 100, 320, 180, "video/mp4")
    assert asset.duration_seconds == pytest.approx(3, abs=0.1) and asset.failure is None and asset.processing_seconds
    assert stored(store, asset) == [
        "hls/180p/index.m3u8",
        "hls/180p/init_0001.mp4",
        "hls/180p/seg_0001_00000.m4s",
        "hls/master.m3u8",
        "hls/sound/index.m3u8",
        "hls/sound/init_0000.mp4",
        "hls/sound/seg_0000_00000.m4s",
        "poster.jpg",
        "sound.m4a",
        "storyboard.jpg",
        "storyboard.vtt",
        "video.mp4",
    ]
    assert len(asset.made["wave"]) > 100 and [one["name"] for one in asset.made["sizes"]] == ["sound", "180p"]
    assert asset.sha256 and len(asset.sha256) == 64
    with store.open(asset.poster_key or "") as poster, Image.open(poster) as picture:
        assert picture.size == (320, 180)
    assert store.exists(asset.original_key)


@pytest.mark.parametrize(
    ("name", "size", "folders", "phone"),
    [
        ("phone.mp4", (180, 320), ["180p", "sound"], False),
        ("silent-odd.mkv", (320, 240), ["240p"], True),
        ("wide-mono.webm", (512, 288), ["240p", "sound"], True),
        ("tall.mp4", (540, 960), ["480p", "240p", "sound"], False),
    ],
)
def test_process__takes_turned_odd_silent_mono_and_tall_videos(
    films: Path, store: LocalStorage, name: str, size: tuple[int, int], folders: list[str], phone: bool
) -> None:
    asset = process_file(films / name)
    assert (asset.state, asset.failure, (asset.width, asset.height)) == ("ready", None, size)
    assert sorted({part.split("/")[1] for part in stored(store, asset) if part.count("/") == 2}) == sorted(folders)
    assert ("phone.mp4" in stored(store, asset)) is phone


def test_encode__of_a_video_in_pieces_leaves_no_seam(films: Path, store: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut at two keyframes, made in three pieces by tickets, put together: every picture is there once, in its time."""
    monkeypatch.setattr(checking, "cuts", lambda _moments, _duration: [1.0, 2.0])
    asset = process_file(films / "talk.mp4")
    assert asset.state == "ready", asset.failure
    made = store.root / (asset.folder or "")
    playlist = (made / "hls/180p/index.m3u8").read_text()
    names = re.findall(r"^seg_\S+|init_\S+(?=\")", playlist, re.M)
    assert names == ["init_0001.mp4", *(f"seg_{number:04d}_00000.m4s" for number in (1, 2, 3))]
    (store.root / "whole.mp4").write_bytes(b"".join((made / "hls/180p" / name).read_bytes() for name in names))
    with av.open(str(store.root / "whole.mp4")) as film:
        shown = sorted(float(packet.pts * packet.time_base) for packet in film.demux(video=0) if packet.pts is not None)
        film.seek(0)
        assert sum(1 for _frame in film.decode(video=0)) == 90
    assert shown == pytest.approx([10 + number / 30 for number in range(90)], abs=0.002)
    master = (made / "hls/master.m3u8").read_text()
    assert 'AUDIO="sound"' in master and "RESOLUTION=320x180" in master and re.search(r'CODECS="avc1\.64\w{4},mp4a\.40\.2"', master)
    assert (made / "storyboard.vtt").read_text().count("#xywh=") == 3 and not list((store.root / str(CHANNEL) / "uploads").rglob("0000*"))


def test_encode__by_a_ticket_whose_worker_died_takes_its_own_piece_again(films: Path) -> None:
    with db.unit_of_work(CHANNEL):
        asset = operations.receive_path(films / "talk.mp4", "talk.mp4", "video", by=ada())
    run_jobs(rounds=2)  # checked, playable, its pieces wait
    assert reread(asset.id).is_playable
    first, second = uuid7(), uuid7()
    with db.unit_of_work(CHANNEL):
        held = [operations.take_piece(first), operations.take_piece(second), operations.take_piece(uuid7())]
        again = operations.take_piece(first)
        assert held[2] is None and held[0] and held[1] and again and (held[0].kind, again.id, again.tries) == ("sound", held[0].id, 2)
        operations.give_back(held[1])
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE content.pieces SET taken_at = now() - interval '1 hour'"))
        jobs.find_stuck.run()  # the first ticket is no job of the queue: its piece goes to another
    run_jobs()
    assert reread(asset.id).state == "ready"


def test_encode__that_fails_leaves_what_plays_and_can_be_tried_again(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise checking.ProcessingFailed("No room today.", rule="runner")

    monkeypatch.setattr(Ffmpeg, "pictures", fail)
    asset = process_file(films / "talk.mp4")
    assert (asset.state, asset.failure, asset.can_retry, asset.is_playable) == ("failed", "No room today.", True, True)
    monkeypatch.undo()
    with db.unit_of_work(CHANNEL):
        operations.retry_asset(queries.lock_asset(asset.id), by=ada())
    run_jobs()
    assert reread(asset.id).state == "ready"


def test_remake_asset__plays_on_until_the_new_is_there(films: Path, store: LocalStorage) -> None:
    asset = process_file(films / "talk.mp4")
    with db.unit_of_work(CHANNEL):
        operations.remake_asset(queries.lock_asset(asset.id), by=ada())
        operations.remake_asset(queries.lock_asset(asset.id), by=ada())
    run_jobs(rounds=2)
    held = reread(asset.id)
    assert (held.state, held.folder, held.is_playable) == ("processing", asset.folder, True)
    run_jobs()
    held = reread(asset.id)
    assert held.state == "ready" and held.folder != asset.folder and (store.root / (asset.folder or "")).exists()
    with db.unit_of_work(CHANNEL):
        jobs.drop_folder.run(asset_id=str(asset.id), folder=asset.folder)
        jobs.drop_folder.run(asset_id=str(asset.id), folder=held.folder)
    assert not (store.root / (asset.folder or "")).exists() and (store.root / (held.folder or "")).exists()


def test_process__makes_sound_of_a_song(films: Path, store: LocalStorage) -> None:
    asset = process_file(films / "song.mp3", "audio")
    assert (asset.state, stored(store, asset), asset.hls_key) == ("ready", ["audio.m4a"], None)


def test_process__remakes_a_picture_without_what_was_hidden(tmp_path: Path, store: LocalStorage) -> None:
    picture = Image.new("RGB", (3000, 2000), "teal")
    exif = picture.getexif()
    exif[0x010E] = "taken at home"
    exif[0x0112] = 6
    picture.save(tmp_path / "cover.jpg", exif=exif)
    asset = process_file(tmp_path / "cover.jpg", "image")
    assert (asset.state, asset.width, asset.height) == ("ready", 1067, 1600)
    with store.open(asset.poster_key or "") as made:
        data = made.read()
    assert data[8:12] == b"WEBP" and b"taken at home" not in data and b"Exif" not in data
    assert asset.original_key == "" and not list((store.root / str(CHANNEL) / "uploads").rglob("original"))


def test_process__keeps_a_document_as_it_is(tmp_path: Path, store: LocalStorage) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.7\n%real enough\n")
    asset = process_file(tmp_path / "notes.pdf", "document")
    assert (asset.state, stored(store, asset), asset.content_type) == ("ready", ["file.pdf"], "application/pdf")


MANIFESTS = {
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "m3u8-bom": b"\xef\xbb\xbf#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
    "m3u8-space": b"\n\n  #EXTM3U\n#EXTINF:1,\nconcat:file:///etc/passwd|x\n",
    "m3u8-utf16": "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n".encode("utf-16"),
    "ffconcat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "concat-plain": b"file '/etc/passwd'\nfile '/etc/hosts'\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://127.0.0.1:9/</BaseURL></MPD>',
    "smooth": b'<SmoothStreamingMedia MajorVersion="2"><StreamIndex Url="http://127.0.0.1:9/"/></SmoothStreamingMedia>',
    "pls": b"[playlist]\nFile1=http://127.0.0.1:9/x\n",
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_process__refuses_a_playlist_dressed_as_a_video(
    tmp_path: Path, store: LocalStorage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(checking.gateways, "media", lambda *_: pytest.fail("ffmpeg was asked"))
    (tmp_path / "lecture.mp4").write_bytes(MANIFESTS[name])
    asset = process_file(tmp_path / "lecture.mp4")
    assert asset.state == "failed" and asset.is_refused and "playlist" in (asset.failure or "")
    assert stored(store, asset) == [] and asset.mp4_key is None


def broken_files(films: Path) -> dict[str, bytes]:
    good = (films / "talk.mp4").read_bytes()
    page = b"<html><script>fetch('/admin')</script></html>"
    return {
        "truncated.mp4": good[: len(good) // 2],
        "head-only.mp4": good[:32],
        "noise.mp4": b"\0\0\0\x18ftypisom" + bytes(range(256)) * 40,
        "playlist-after-magic.mp4": b"\0\0\0\x18ftypisom" + MANIFESTS["m3u8"],
        "page.mp4": page,
        "ebml-noise.mkv": b"\x1aE\xdf\xa3" + b"\x93" * 5000,
        "riff-noise.avi": b"RIFF\xff\xff\xff\x7fAVI " + b"LIST" * 900,
        "program.mp4": b"MZ\x90\0" + b"\0" * 3000,
        "script.mp4": b"#!/bin/sh\nrm -rf /\n",
        "picture.mp4": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        "zip.mp4": zipped({"a.txt": b"hello"}),
        "pdf.mp4": b"%PDF-1.4\n" + page,
        "letters.mp4": b"just words, nothing more\n" * 10,
        "song.mp4": (films / "song.mp3").read_bytes(),
        "gif-script.mp4": b"GIF89a/*" + page + b"*/=1;",
    }


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


BROKEN = [
    *("truncated.mp4", "head-only.mp4", "noise.mp4", "playlist-after-magic.mp4", "page.mp4", "ebml-noise.mkv", "riff-noise.avi"),
    *("program.mp4", "script.mp4", "picture.mp4", "zip.mp4", "pdf.mp4", "letters.mp4", "song.mp4", "gif-script.mp4"),
]


@pytest.mark.parametrize("name", BROKEN)
def test_process__refuses_a_broken_or_hostile_file_with_a_sentence(films: Path, tmp_path: Path, store: LocalStorage, name: str) -> None:
    (tmp_path / name).write_bytes(broken_files(films)[name])
    asset = process_file(tmp_path / name)
    assert asset.state == "failed" and asset.is_refused and (asset.failure or "").endswith(".")
    assert stored(store, asset) == [] and asset.folder is None


def test_process__refuses_a_picture_bomb(tmp_path: Path) -> None:
    Image.new("1", (12800, 12800)).save(tmp_path / "small.png")
    asset = process_file(tmp_path / "small.png", "image")
    assert asset.state == "failed" and "40 million" in (asset.failure or "")


def test_process__again_changes_nothing_and_leaves_no_mess(films: Path, store: LocalStorage) -> None:
    asset = process_file(films / "talk.mp4")
    before = stored(store, asset)
    with db.unit_of_work(CHANNEL):
        jobs.process.later(asset_id=str(asset.id))
    run_jobs()
    assert reread(asset.id).run == asset.run and stored(store, asset) == before


def test_process__after_a_run_that_died_clears_what_it_left(films: Path, store: LocalStorage) -> None:
    with db.unit_of_work(CHANNEL):
        asset = operations.receive_path(films / "song.mp3", "song.mp3", "audio", by=ada())
        folder = operations.begin_run(asset)
    store.put(f"{folder}/half.m4s", b"half")
    run_jobs()
    assert stored(store, reread(asset.id)) == ["audio.m4a"]


def test_process__stops_when_the_file_is_deleted_meanwhile(films: Path, store: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PACE_SECONDS", 0)
    with db.unit_of_work(CHANNEL):
        asset = operations.receive_path(films / "tall.mp4", "tall.mp4", "video", by=ada())
    monkeypatch.setattr(operations, "note_progress", lambda *_: False)
    run_jobs()
    assert stored(store, asset) == [] and outbox_errors() == []


def test_process__that_lost_its_lease_takes_what_it_made_along(films: Path, store: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.unit_of_work(CHANNEL):
        asset = operations.receive_path(films / "talk.mp4", "talk.mp4", "video", by=ada())
    keep = runs.Run.keep

    def keep_and_lose(run: runs.Run, path: Path, name: str, **how: bool) -> str:
        with db.unit_of_work(platform=True) as session:
            session.execute(text("UPDATE core.outbox SET lease_token = gen_random_uuid() WHERE key IS NOT NULL"))
        return keep(run, path, name, **how)

    monkeypatch.setattr(runs.Run, "keep", keep_and_lose)
    run_jobs(rounds=2)
    assert stored(store, asset) == [] and reread(asset.id).state == "processing"
    monkeypatch.setattr(runs.Run, "keep", keep)
    with db.unit_of_work(platform=True) as session:
        session.execute(text("UPDATE core.outbox SET lease_until = NULL"))
    run_jobs()
    assert reread(asset.id).state == "ready" and len(stored(store, asset)) == 12


def test_process__waits_and_tries_again_while_the_store_is_away(films: Path, store: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.unit_of_work(CHANNEL):
        asset = operations.receive_path(films / "song.mp3", "song.mp3", "audio", by=ada())

    def away(*_: object) -> None:
        raise Unavailable("The file store does not answer right now.")

    monkeypatch.setattr(store, "open", away)
    monkeypatch.setattr(store, "path_of", away)
    run_jobs()
    assert reread(asset.id).state == "checking" and "StoreAway" in outbox_errors()[0]
    monkeypatch.undo()
    use_storage(store)
    with db.unit_of_work(platform=True) as session:
        session.execute(text("UPDATE core.outbox SET run_at = now()"))
    run_jobs()
    assert reread(asset.id).state == "ready"


def test_process__shows_how_far_it_is(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PACE_SECONDS", 0)
    seen: list[tuple[int, str]] = []
    note = operations.note_progress
    monkeypatch.setattr(
        operations, "note_progress", lambda a, r, percent, stage: seen.append((percent, stage)) or note(a, r, percent, stage)
    )
    note_piece, percents = operations.note_piece, []

    def heard(piece: Piece, seconds: float) -> bool:
        went = note_piece(piece, seconds)
        percents.append(queries.get_asset(piece.asset_id).progress)
        return went

    monkeypatch.setattr(operations, "note_piece", heard)
    process_file(films / "tall.mp4")
    assert [percent for percent, _ in seen] == sorted(percent for percent, _ in seen) and {stage for _, stage in seen} == {
        "check",
        "remux",
        "cut",
    }
    assert percents == sorted(percents) and 15 <= percents[0] < percents[-1] <= 95


def test_find_stuck__fails_a_file_whose_job_died(films: Path) -> None:
    with db.unit_of_work(CHANNEL) as session:
        asset = operations.receive_path(films / "song.mp3", "song.mp3", "audio", by=ada())
    run_jobs(rounds=1)  # the file's job now waits: it is not stuck
    with db.unit_of_work(CHANNEL) as session:
        age(session, asset.id)
        jobs.find_stuck.run()
        assert queries.get_asset(asset.id).state == "checking"
        session.execute(text("UPDATE core.outbox SET dead_at = now() WHERE key IS NOT NULL"))
        age(session, asset.id)
        jobs.find_stuck.run()
        session.expire_all()
        found = queries.get_asset(asset.id)
        assert (found.state, found.can_retry) == ("failed", True)


def test_forget_abandoned__lets_go_what_nobody_touched_for_a_day(store: LocalStorage) -> None:
    with db.unit_of_work(CHANNEL):
        old = operations.start_upload("old.mp4", 20, "video", by=ada())
        fresh = operations.start_upload("fresh.mp4", 20, "video", by=ada())
        old.touched_at = now() - tending.timedelta(days=8)
        store.put_part(old.key, old.upload_id, 1, io.BytesIO(b"x" * 20), 20)
    with db.unit_of_work(CHANNEL):
        jobs.forget_abandoned.run()
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert queries.get_upload(fresh.asset_id).is_open
        assert queries.get_upload(old.asset_id).state == "aborted"
        with pytest.raises(queries.NoSuchAsset):
            queries.get_asset(old.asset_id)
    assert [path.name for path in store.staging.iterdir()] == [fresh.upload_id]


def age(session: object, asset_id: UUID) -> None:
    session.execute(text("UPDATE content.assets SET updated_at = now() - interval '1 hour' WHERE id = :id"), {"id": asset_id})  # type: ignore[attr-defined]


def test_put_tickets__keeps_an_academys_turns_and_short_videos_come_first(films: Path) -> None:
    with db.unit_of_work(CHANNEL) as session:
        long, short = (operations.receive_path(films / "talk.mp4", name, "video", by=ada()) for name in ("long.mp4", "short.mp4"))
        for asset, seconds in ((long, 3600.0), (short, 30.0)):
            asset.state, asset.run, asset.duration_seconds = "processing", uuid7().hex, seconds
            session.flush()
            operations.plan_pieces(asset, [operations.Plan("pictures", asset.original_key, 60.0 * n, 60.0) for n in range(8)])
        for _turn in range(2):
            encoding.put_tickets()
        tickets = session.execute(text("SELECT count(*) FROM core.outbox WHERE task = :task"), {"task": jobs.encode.name}).scalar_one()
        assert tickets == at_once() < 16, "one academy fills the queue"
        first = operations.take_piece(uuid7())
        assert first and first.asset_id == short.id
