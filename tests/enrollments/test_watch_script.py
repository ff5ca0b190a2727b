"""The page's script in a real browser: what was played is told, what was jumped over is not, and nothing is lost offline."""

import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from lms.content.models import Asset
from lms.core import db
from lms.core.storage import storage
from lms.courses import queries as courses
from lms.enrollments import operations, queries
from lms.enrollments.models import LessonProgress
from tests.chromium import launch
from tests.conftest import CHANNEL
from tests.factories.courses import a_course, a_file, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import PASSWORD, root, sam

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
SECONDS = 20
VIDEO = "document.querySelector('video')"


@dataclass(frozen=True)
class Film:
    """A running server, and a lesson of it that Sam may watch."""

    address: str
    enrollment_id: UUID
    lesson_id: UUID
    path: str

    def kept(self) -> LessonProgress | None:
        """What the server keeps of Sam's watching."""
        with db.unit_of_work(CHANNEL, read_only=True):
            return queries.get_progress(self.enrollment_id, self.lesson_id)

    def seconds(self) -> set[int]:
        """The whole seconds that count as watched."""
        kept = self.kept()
        return {at for part in kept.watched for at in range(round(part.lower / 1000), part.upper // 1000)} if kept else set()


@pytest.fixture(scope="module")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of a test picture."""
    path = tmp_path_factory.mktemp("film") / "video.mp4"
    source = f"testsrc=size=160x90:rate=10:duration={SECONDS}"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        source,
        "-pix_fmt",
        "yuv420p",
        "-movflags",
        "+faststart",
    ]
    subprocess.run([*command, str(path)], check=True, timeout=60)
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as play:
        made = launch(play, "--autoplay-policy=no-user-gesture-required")
        yield made
        made.close()


@pytest.fixture
def film(app: Flask, real_database: str, film_file: Path) -> Iterator[Film]:
    """A course with the film, Sam in it, and the application on a free port."""
    with db.unit_of_work(CHANNEL):
        course = a_course("Film school", lessons=0)
        asset: Asset = a_file(seconds=SECONDS)
        folder = f"{asset.folder}/{asset.id.hex}"
        with film_file.open("rb") as source:
            storage().put(f"{folder}/video.mp4", source, "video/mp4")
        asset.folder, asset.mp4_key, asset.poster_key = folder, f"{folder}/video.mp4", None
        lesson = a_lesson(course, title="The film", kind="video", asset=asset)
        enrollment = an_enrollment(sam(), courses.get_course(course.id))
        path = f"/enrollments/courses/{course.id}/lessons/{lesson.id}"
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Film(f"http://localhost:{server.server_port}", enrollment.id, lesson.id, path)
    server.shutdown()


def opened(chromium: Browser, film: Film) -> Page:
    """Sam signs in and opens the lesson."""
    page = chromium.new_context(viewport={"width": 360, "height": 740}).new_page()
    page.goto(f"{film.address}/auth/sign-in")
    page.get_by_label("E-mail").fill("sam@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Sign in").first.click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.goto(film.address + film.path)
    page.wait_for_selector(".plyr video")
    until(page, f"{VIDEO}.readyState >= 1")
    return page


def until(page: Page, expression: str, seconds: float = 60) -> None:
    """Wait until an expression is true; asked from outside, for the page's policy lets nothing be evaluated inside."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(100)


def reported(page: Page, act: str) -> None:
    """Do something in the page that makes the player report, and wait for the report to be taken."""
    with page.expect_response(lambda answer: answer.url.endswith("/heartbeat"), timeout=60_000):
        page.evaluate(act)


def play(page: Page, until_second: float) -> None:
    """Play until the film stands at this second."""
    page.evaluate(f"({VIDEO}.muted = true, {VIDEO}.play())")
    until(page, f"{VIDEO}.currentTime >= {until_second}")


def test_watch__tells_what_was_played_and_not_what_was_jumped_over(chromium: Browser, film: Film) -> None:
    page = opened(chromium, film)
    play(page, 3)
    reported(page, f"{VIDEO}.currentTime = 9")  # a jump is told at once, so that another device goes on there
    jumped = film.kept()
    assert jumped is not None and jumped.position_seconds >= 9
    until(page, f"{VIDEO}.currentTime >= 11")
    reported(page, f"{VIDEO}.pause()")
    watched = film.seconds()
    assert {0, 1} <= watched and 9 in watched and not watched & set(range(5, 9)), watched
    kept = film.kept()
    assert kept is not None and 11 <= kept.position_seconds <= 15 and kept.watch_seconds <= 9
    page.reload()
    until(page, f"{VIDEO}.readyState >= 1 && {VIDEO}.currentTime > 9")
    page.close()


def test_watch__keeps_what_was_played_offline_and_tells_it_later(chromium: Browser, film: Film) -> None:
    page = opened(chromium, film)
    play(page, 2)
    page.context.set_offline(True)
    until(page, f"{VIDEO}.currentTime >= 4")
    page.evaluate(f"{VIDEO}.pause()")
    until(page, "!!localStorage.getItem('watch-waiting')")
    before = len(film.seconds())
    with page.expect_response(lambda answer: answer.url.endswith("/heartbeat"), timeout=60_000):
        page.context.set_offline(False)
    until(page, "!localStorage.getItem('watch-waiting')")
    kept = film.kept()
    assert before == 0 and kept is not None and 3 <= len(film.seconds()) <= 8 and kept.watch_seconds <= 9
    page.close()


def test_watch__ticks_the_lesson_when_it_is_done_and_stops_when_the_enrolment_ends(chromium: Browser, film: Film) -> None:
    page = opened(chromium, film)
    page.evaluate(f"{VIDEO}.playbackRate = 2")
    page.evaluate(f"({VIDEO}.muted = true, {VIDEO}.play())")
    page.wait_for_selector("#outline :text('1 of 1 done')", timeout=60_000)
    with db.unit_of_work(CHANNEL):
        operations.end_enrollment(queries.get_enrollment(film.enrollment_id), reason="Over.", by=root())
    reported(page, f"{VIDEO}.currentTime = 3")
    page.wait_for_selector("[data-stopped]:visible")
    assert "ended" in page.locator("[data-stopped]").inner_text()
    page.close()
