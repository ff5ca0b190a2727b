"""Classes sent by OBS: keys, the door of nginx, and a real stream through a real nginx into a picture and a lesson."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import imageio_ffmpeg
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from lms.core import db, signing
from lms.core.errors import Unavailable
from lms.streaming import gateways, operations, queries
from lms.streaming.errors import BadLink
from lms.streaming.gateways import Tape, packager, rtmp
from lms.streaming.models import Session, Take
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL, SECRET, run_jobs
from tests.deploy import proxy
from tests.factories.people import ada, root
from tests.factories.streaming import a_session
from tests.streaming.test_recording import studio, until_ready

__all__ = ["studio"]


@pytest.fixture
def server() -> Iterator[None]:
    """An install that takes RTMP."""
    gateways.use_rtmp("rtmp://learn.example/live/")
    yield
    gateways.use_rtmp("")


@pytest.fixture
def sent(studio: Path, server: None, connection: object) -> Session:
    """A class to be sent by OBS."""
    with db.unit_of_work(CHANNEL):
        return a_session(state="open", provider="rtmp")


def ask(client: Browser, word: str, name: str, number: int = 1, door: str = "") -> tuple[int, str]:
    """What our nginx is told."""
    data = {"app": "live", "name": name, "clientid": str(number)}
    answer = client.raw.post(f"/streaming/rtmp/{door or gateways.rtmp_door()}/{word}", data=data, base_url="http://10.0.0.9:8000")
    return answer.status_code, answer.headers.get("Location", "")


def test_read_key__knows_its_own_alone() -> None:
    signing.use_secret(SECRET)
    key = rtmp.make_key(CHANNEL, UUID(int=7), 3)
    assert rtmp.read_key(key) == (CHANNEL, UUID(int=7), 3)
    wrong = [key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :] for place in range(0, len(key) - 1, 9)]
    for other in ("", "x", key[:-4], key + "AAAA", "ü", *wrong):
        assert rtmp.read_key(other) is None


def test_rtmp_publish__begins_a_take_for_the_newest_key_alone(sent: Session, client: Browser) -> None:
    key = rtmp.make_key(CHANNEL, sent.id, 1)
    assert ask(client, "publish", key, door="x" * 64)[0] == 403
    assert ask(client, "publish", "nobody")[0] == 403
    assert ask(client, "publish", rtmp.make_key(OTHER_CHANNEL, sent.id, 1))[0] == 404
    status, name = ask(client, "publish", key)
    with db.unit_of_work(CHANNEL) as work:
        (take,) = work.scalars(select(Take).where(Take.session_id == sent.id)).all()
        assert (status, name) == (302, take.id.hex) and queries.get_session(sent.id).state == "live"
    (reel,) = gateways.reels(gateways.folder_of(CHANNEL, sent.id))
    assert reel.demuxer == "flv" and reel.data == gateways.folder_of(CHANNEL, sent.id).parents[1] / "rtmp" / f"{name}.flv"
    with db.unit_of_work(CHANNEL):
        operations.change_key(queries.get_session(sent.id), by=ada())
    assert ask(client, "publish", key)[0] == 403
    assert ask(client, "alive", key)[0] == 403  # what is being sent with it is sent away
    assert ask(client, "publish", rtmp.make_key(CHANNEL, sent.id, 2), 2)[0] == 302


def test_rtmp_alive__sends_away_what_a_newer_line_or_the_end_of_the_class_replaced(sent: Session, client: Browser) -> None:
    key = rtmp.make_key(CHANNEL, sent.id, 1)
    ask(client, "publish", key, 1)
    ask(client, "publish", key, 2)
    assert [ask(client, "alive", key, number)[0] for number in (1, 2, 3)] == [403, 204, 403]
    ask(client, "done", key, 1)  # the old line's end is heard late: the new one goes on
    assert ask(client, "alive", key, 2)[0] == 204
    with db.unit_of_work(CHANNEL):
        operations.end_session(queries.get_session(sent.id), by=root())
    assert ask(client, "alive", key, 2)[0] == 403 and ask(client, "publish", key, 3)[0] == 403


def test_rtmp_done__ends_the_take_of_that_line(sent: Session, client: Browser) -> None:
    key = rtmp.make_key(CHANNEL, sent.id, 1)
    ask(client, "publish", key)
    assert ask(client, "done", key)[0] == 204 == ask(client, "done", key)[0]
    assert gateways.reels(gateways.folder_of(CHANNEL, sent.id))[0].is_ended


def test_sessions_stream__shows_the_key_to_those_who_run_the_class_and_changes_it(sent: Session, as_ada: Browser, as_sam: Browser) -> None:
    page, path = f"/admin/streaming/sessions/{sent.id}", f"/admin/streaming/sessions/{sent.id}/stream"
    key = rtmp.make_key(CHANNEL, sent.id, 1)
    shown = as_ada.get(page, status=200).body
    assert key in shown and "rtmp://learn.example/live" in shown
    as_sam.get(path, status=403)
    as_ada.post(path, status=303)
    assert rtmp.make_key(CHANNEL, sent.id, 2) in as_ada.get(path, htmx=True, status=200).body
    gateways.use_rtmp("")
    with db.unit_of_work(CHANNEL), pytest.raises(BadLink, match="OBS"):
        a_session(provider="rtmp")


def test_append__takes_a_chunk_whole_or_not_at_all_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateways.use_folder(tmp_path)
    tape, write = Tape(CHANNEL, UUID(int=5), 1, "video/webm"), os.write
    tape.append(0, b"first")

    def short(handle: int, data: bytes) -> int:
        if len(data) < 3:
            raise OSError(28, "no room")
        return write(handle, data[:2])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(Unavailable):
        tape.append(1, b"second")
    monkeypatch.undo()
    assert tape.reel.data.read_bytes() == b"first" and tape.wanted == 1
    tape.append(1, b"second")
    assert tape.reel.data.read_bytes() == b"firstsecond" and tape.reel.size == 11


def push(address: str, seconds: int) -> subprocess.Popen[bytes]:
    """Send as OBS does: H.264 and AAC at the pace of life."""
    picture = ["-re", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine", "-t", str(seconds)]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", address]
    return subprocess.Popen([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *picture, *coding])


def test_rtmp__a_stream_becomes_a_picture_and_a_lesson(sent: Session, app: Flask, studio: Path) -> None:
    assert proxy.is_whole(proxy.settings(studio, "127.0.0.1:1", 80, 1935))
    if not proxy.HAS_RTMP:  # then only the door and the keys can be seen to work
        return
    port, stop = proxy.free_port(), threading.Event()
    folder = gateways.folder_of(CHANNEL, sent.id)
    pages = make_server("127.0.0.1", 0, app)
    with ExitStack() as stack:
        threads = [threading.Thread(target=pages.serve_forever), threading.Thread(target=packager.watch, args=("", stop))]
        for thread in threads:
            thread.start()
            stack.callback(thread.join, 20)
        stack.callback(pages.shutdown)
        stack.callback(stop.set)
        stack.enter_context(proxy.nginx(studio, f"127.0.0.1:{pages.server_port}", port))
        line = push(f"rtmp://127.0.0.1:{port}/live/{rtmp.make_key(CHANNEL, sent.id, 1)}", 6)
        playlist, end = folder / "hls" / "index.m3u8", time.monotonic() + 60
        while not (playlist.exists() and "#EXTINF" in playlist.read_text()):
            assert time.monotonic() < end, "no picture"
            time.sleep(0.1)
        assert line.wait(timeout=60) == 0
        while not gateways.reels(folder)[0].is_ended:
            assert time.monotonic() < end, "the end was not heard"
            time.sleep(0.1)
    with db.unit_of_work(CHANNEL):
        operations.end_session(queries.get_session(sent.id), by=root())
    run_jobs()
    assert until_ready(sent).state == "ready"
    with db.unit_of_work(CHANNEL):
        card = queries.card_of(sent.id)
        assert card is not None and card.asset is not None and card.asset.duration_seconds == pytest.approx(6, abs=0.7)
    assert not list((studio / "live" / "rtmp").iterdir())
