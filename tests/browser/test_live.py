"""A live class held in Chromium: the host goes live with a camera, a student watches, the line breaks and comes back."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from lms.core import db, sandbox
from lms.core.storage import LocalStorage, use_storage
from lms.streaming import gateways, queries
from lms.streaming.gateways import packager
from tests import servers
from tests.chat.kit import Person, SocketServer, signed_in, sockets
from tests.chromium import launch
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import ada, sam
from tests.factories.streaming import a_session, enrol

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
FAKES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A Chromium with a camera."""
    with sync_playwright() as play:
        browser = launch(play, *FAKES)
        yield browser
        browser.close()


@pytest.fixture
def packaging(tmp_path: Path) -> Iterator[None]:
    """The process that makes the picture, as a thread."""
    gateways.use_folder(tmp_path / "live")
    sandbox.use_scratch(tmp_path / "scratch")
    use_storage(LocalStorage(tmp_path / "storage"))
    stop = threading.Event()
    thread = threading.Thread(target=packager.watch, args=("", stop))
    thread.start()
    yield
    stop.set()
    thread.join(timeout=10)


def window(chromium: Browser, port: int, person: Person) -> BrowserContext:
    """A person's browser, signed in."""
    address = f"http://localhost:{port}"
    made = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    made.add_cookies([{"name": "lectern", "value": person.token, "url": address}])
    return made


@pytest.mark.usefixtures("packaging")
def test_live_class__is_held_in_the_browser(real_database: str, addresses: servers.TestServers, tmp_path: Path, chromium: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(provider="browser")
        student, teacher = sam(), ada()
        enrol(student, session)
        learner, host = signed_in(student), signed_in(teacher, staff=True)
    with sockets(real_database, addresses.redis_url, tmp_path) as server:
        pages = SocketServer(server.environ, server.port - 1, "gthread", log=tmp_path / "pages.log")
        pages.start()
        try:
            one = window(chromium, pages.port, host).new_page()
            two = window(chromium, pages.port, learner).new_page()
            wrong: list[str] = []
            for page in (one, two):
                page.on("pageerror", lambda error: wrong.append(str(error)))
                page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
            one.goto(f"/admin/streaming/sessions/{session.id}/studio")
            expect(one.locator('[data-check="camera"][data-state="ok"]')).to_be_visible()
            expect(one.locator('[data-check="line"][data-state="ok"]')).to_be_visible()
            one.get_by_role("button", name="Go live").click()
            began = time.monotonic()
            expect(one.get_by_text("On air", exact=True).last).to_be_visible()
            playlist = gateways.folder_of(CHANNEL, session.id) / "hls" / "index.m3u8"
            while not playlist.exists():
                assert time.monotonic() - began < 40, (playlist.parent.parent / "ffmpeg.log").read_text()
                time.sleep(0.05)
            print(f"first playlist after {time.monotonic() - began:.1f} s")
            two.goto(f"/streaming/sessions/{session.id}")
            moving = two.locator("#live-picture")
            expect(moving).to_be_visible()
            while not (moving.evaluate("video => video.currentTime") > 0.5 and moving.evaluate("video => video.videoWidth") > 100):
                assert time.monotonic() - began < 90
                two.wait_for_timeout(200)
            server.kill()  # the line breaks; what is recorded meanwhile is sent when it is back
            one.wait_for_timeout(1500)
            server.start()
            one.wait_for_timeout(2500)
            two.get_by_label("Message", exact=True).fill("Written while it was live")
            two.get_by_label("Message", exact=True).press("Enter")
            expect(one.locator(".chat-line").last).to_contain_text("Written while it was live")
            one.locator("#moments input[name=title]").fill("After the break")
            one.get_by_role("button", name="Mark this moment").click()
            expect(one.get_by_text("After the break")).to_be_visible()
            one.screenshot(path=os.environ.get("STUDIO_SHOT", str(tmp_path / "studio.png")), full_page=True)
            two.screenshot(path=os.environ.get("ROOM_SHOT", str(tmp_path / "room.png")), full_page=True)
            one.get_by_role("button", name="End the class").click()
            one.wait_for_url(f"**/admin/streaming/sessions/{session.id}", timeout=60_000)
            expect(one.locator("#recording")).to_contain_text("Recording")
            assert wrong == []
        finally:
            pages.kill()
    run_jobs(rounds=1)
    with db.unit_of_work(CHANNEL):
        (take,) = queries.takes_of(session.id)
        assert take.ended_at is not None and queries.find_recording(session.id) is not None
        assert [one.title for one in queries.moments_of(session.id)] == ["After the break"]
