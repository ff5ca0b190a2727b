"""Recordings of outside rooms: fetched from a real server, taken up where the line broke, refused in words, tried again."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select

from lms.chat import operations as chat
from lms.chat import queries as chat_queries
from lms.content import operations as content
from lms.core import clock, db, outbound, sandbox
from lms.core.clock import now
from lms.core.outbound import CallFailed
from lms.core.storage import LocalStorage, use_storage
from lms.notifications.models import Notice
from lms.streaming import gateways, jobs, operations, queries
from lms.streaming.errors import NotFetched
from lms.streaming.gateways import fetching
from lms.streaming.models import Recording, Session
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.people import ada, root, sam
from tests.factories.streaming import a_session, enrol
from tests.streaming.test_gateways import a_film


class Room(BaseHTTPRequestHandler):
    """A meeting elsewhere that keeps its recordings; `trouble` are the answers before it behaves."""

    film = b""
    mark = '"one"'
    trouble: list[str] = []
    asked: list[str] = []

    def do_GET(self) -> None:
        trouble = self.trouble.pop(0) if self.trouble else ""
        begin = self._begin()
        self.asked.append(f"{self.path} {begin} {trouble}".strip())
        if trouble in ("404", "503"):
            self.send_error(int(trouble))
        elif trouble == "away":
            self._head(302, 0, location="/elsewhere")
        elif trouble == "page":
            self._head(200, 5, **{"content-type": "text/html; charset=utf-8"})
            self.wfile.write(b"<html")
        elif trouble == "huge":
            self._head(200, 1 << 50)
        else:
            more = {"content-range": f"bytes {begin}-{len(self.film) - 1}/{len(self.film)}"} if begin else {}
            self._head(206 if begin else 200, len(self.film) - begin, etag=self.mark, **more)
            end = begin + (len(self.film) - begin) // 2 if trouble == "break" else len(self.film)
            self.wfile.write(self.film[begin:end])

    def _begin(self) -> int:
        wanted = self.headers.get("range", "")
        return int(wanted[6:-1]) if wanted and self.headers.get("if-range") == self.mark else 0

    def _head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": "video/mp4", "content-length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of its recording; our own folders are this test's alone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Room)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gateways.use_folder(tmp_path / "live")
    sandbox.use_scratch(tmp_path / "scratch")
    use_storage(LocalStorage(tmp_path / "storage"))
    outbound.use_networks([ip_network("127.0.0.1/32")])
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    Room.film, Room.trouble, Room.asked, Room.mark = b"x" * 300_000, [], [], '"one"'
    yield f"http://127.0.0.1:{server.server_address[1]}/r/1.mp4"
    outbound.use_networks([])
    server.shutdown()
    server.server_close()


def report(session: Session, url: str, name: str = "a", **more: Any) -> None:
    """What the meeting says when a recording is ready, taken by the workers."""
    with db.unit_of_work(CHANNEL):
        made = operations.store_receipt({"id": name, "session": str(session.id), "kind": "recording", "url": url, **more})
        if made is not None:
            jobs.take_receipt.later(receipt_id=made)
    run_jobs()


def recording_of(session: Session) -> Recording:
    with db.unit_of_work(CHANNEL):
        found = queries.find_recording(session.id)
    assert found is not None
    return found


def test_fetch_recording__becomes_a_draft_lesson_with_the_chat_at_its_second(room: str, tmp_path: Path, as_sam: Browser) -> None:
    Room.film, Room.trouble = a_film(tmp_path / "film.mkv", 4), ["break", "503", "break"]
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live", provider="webhook")
        enrol(sam(), session)
        begun = now() - timedelta(seconds=60)
        with clock.at(now() - timedelta(seconds=58)):
            chat.post_message(session.id, "hello", client_id=uuid4(), by=sam())
    report(session, room, at=begun.isoformat())
    report(session, room, "b")
    assert recording_of(session).state == "ready", (recording_of(session).reason, outbox_errors())
    half = len(Room.film) // 2
    assert Room.asked == ["/r/1.mp4 0 break", f"/r/1.mp4 {half} 503", "/r/1.mp4 0 break", f"/r/1.mp4 {half}"]
    with db.unit_of_work(CHANNEL):
        card = queries.card_of(session.id)
        assert card is not None and card.asset is not None and card.lesson is not None
        assert (card.lesson.title, card.lesson.status, card.lesson.session_id) == (session.title, "draft", session.id)
        assert card.asset.duration_seconds == pytest.approx(4, abs=0.5)
        assert [(one.line.text, round(one.second)) for one in chat_queries.replay_of(session.id)] == [("hello", 2)]
        assert queries.get_session(session.id).state == "live"
        operations.end_session(queries.get_session(session.id), by=ada())
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert queries.get_session(session.id).state == "recorded"


def test_fetch_film__takes_up_where_it_broke_and_begins_anew_when_the_file_changed(room: str, tmp_path: Path) -> None:
    Room.film = bytes(range(256)) * 2000
    told: list[tuple[int, int | None]] = []
    Room.trouble = ["break"]
    assert gateways.fetch_film(room, tmp_path / "a", lambda here, total: told.append((here, total))) == (512_000, "video/mp4")
    assert (tmp_path / "a").read_bytes() == Room.film and told == [(0, 512_000), (256_000, 512_000)]

    def change(here: int, _total: int | None) -> None:
        if here == 0 and Room.mark == '"one"':
            Room.mark, Room.film = '"two"', b"new" * 1000

    Room.trouble = ["break"]
    assert gateways.fetch_film(room, tmp_path / "b", change).size == 3000
    assert (tmp_path / "b").read_bytes() == b"new" * 1000
    for trouble, words in (("404", "not there"), ("away", "another one"), ("page", "a page")):
        Room.trouble = [trouble]
        with pytest.raises(NotFetched, match=words):
            gateways.fetch_film(room, tmp_path / "c", change)
    Room.trouble = ["huge"]
    with pytest.raises(CallFailed, match="more than"):
        gateways.fetch_film(room, tmp_path / "c", change)
    Room.trouble = ["503"] * 9
    with pytest.raises(CallFailed, match="503"):
        gateways.fetch_film(room, tmp_path / "c", change)


def test_fetch_recording__says_what_is_wrong_and_is_tried_again(room: str, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="ended", provider="webhook")
    path = f"/admin/streaming/sessions/{session.id}"
    assert "has not reported a recording yet" in as_ada.get(path, status=200).words
    outbound.use_networks([])
    report(session, "http://169.254.169.254/latest/meta-data/")
    found = recording_of(session)
    assert found.state == "missing" and "no public address" in found.reason
    assert "Fetch it again" in as_ada.get(path, status=200).words
    outbound.use_networks([ip_network("127.0.0.1/32")])

    Room.trouble = ["503"] * 4
    report(session, room, "b")
    page = as_ada.get(f"{path}/recording", htmx=True, status=200).words
    assert "Being fetched" in page and "503" in page and "tried again by itself" in page
    as_ada.post(f"{path}/recording", status=409, check=False)
    Room.trouble = ["404"]
    with db.unit_of_work(platform=True) as work:
        work.connection().exec_driver_sql("UPDATE core.outbox SET run_at = now() WHERE done_at IS NULL AND task LIKE '%%fetch_recording'")
    run_jobs()
    assert "not there" in recording_of(session).reason and recording_of(session).state == "missing"

    with db.unit_of_work(CHANNEL):
        content.set_quota(100_000, by=root())
    as_ada.post(f"{path}/recording", status=303)
    run_jobs()
    assert "no room" in recording_of(session).reason
    assert "no room" in as_ada.get(path, status=200).words
    with db.unit_of_work(CHANNEL):
        kept = queries.find_recording(session.id)
        assert kept is not None
        kept.state = "fetching"  # and its worker died without a word
    with time_machine.travel(now() + timedelta(minutes=16)), db.unit_of_work(CHANNEL):
        assert operations.give_up_lost(jobs.fetch_recording.name) == 1
    assert "stopped unexpectedly" in recording_of(session).reason
    run_jobs()
    with db.unit_of_work(CHANNEL) as work:
        told = work.scalars(select(Notice.title).where(Notice.user_id == ada().user_id)).all()
    assert told.count(f"There is no recording of {session.title}") == 3
