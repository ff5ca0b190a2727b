"""An instructor builds a course in Chromium: sections and lessons without a reload, sorted by keys and by dragging, a dropped video."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect, sync_playwright

from lms.core import db
from lms.courses import queries
from tests.browser.kit import faults
from tests.chromium import launch
from tests.conftest import CHANNEL, run_jobs, signed_in
from tests.factories import people
from tests.factories.courses import a_course

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture
def context(app: Flask, house: str) -> Iterator[BrowserContext]:
    """Ada's Chromium."""
    cookie = signed_in(app, people.ada).raw.get_cookie("lectern", domain="localhost")
    assert cookie is not None
    with sync_playwright() as play:
        browser = launch(play)
        made = browser.new_context(base_url=house, viewport={"width": 1280, "height": 1400})
        made.add_cookies([{"name": "lectern", "value": cookie.value, "url": house}])
        yield made
        browser.close()


def stored(course_id: object) -> list[str]:
    """The lessons as the database has them, in order."""
    with db.unit_of_work(CHANNEL):
        return [lesson.title for lesson in queries.lessons_of(course_id, published_only=False)]  # type: ignore[arg-type]


def wait_for(course_id: object, titles: list[str]) -> None:
    """Wait until the database has these lessons in this order."""
    end = time.monotonic() + 30
    while stored(course_id) != titles:
        assert time.monotonic() < end, stored(course_id)
        time.sleep(0.1)


def test_outline__is_built_and_sorted_without_a_reload(context: BrowserContext) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", lessons=3, by=people.ada())
    page = context.new_page()
    wrong = faults(page)
    page.goto(f"/admin/courses/{course.id}")
    page.evaluate("window.sameDocument = true")
    expect(page.get_by_role("button", name="Move Lesson 1 down")).to_be_enabled()
    with page.expect_response("**/order"):
        page.get_by_role("button", name="Move Lesson 1 down").press("Enter")
    wait_for(course.id, ["Lesson 2", "Lesson 1", "Lesson 3"])
    expect(
        page.get_by_role("button", name="Move Lesson 3 down")
    ).to_be_disabled()  # the answer is in its place, and the list can be dragged
    grips = page.locator("#outline li .grip")
    with page.expect_response("**/order"):
        grips.nth(2).drag_to(grips.nth(0), target_position={"x": 4, "y": 2})
    wait_for(course.id, ["Lesson 3", "Lesson 2", "Lesson 1"])
    expect(page.get_by_role("button", name="Move Lesson 1 down")).to_be_disabled()
    page.get_by_label("New lesson in Beginnings").fill("Fourth")
    page.get_by_label("New lesson in Beginnings").press("Enter")
    expect(page.get_by_role("link", name="Fourth")).to_be_visible()
    page.get_by_label("New section").fill("Endings")
    page.get_by_role("button", name="Add section").click()
    expect(page.get_by_role("heading", name="Endings")).to_be_visible()
    assert page.evaluate("window.sameDocument") is True
    assert stored(course.id) == ["Lesson 3", "Lesson 2", "Lesson 1", "Fourth"]
    assert wrong == []


def test_lesson__is_previewed_while_it_is_written(context: BrowserContext) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", lessons=1, by=people.ada())
        lesson = queries.lessons_of(course.id, published_only=False)[0]
    page = context.new_page()
    wrong = faults(page)
    page.goto(f"/admin/courses/lessons/{lesson.id}/edit")
    page.get_by_label("Text", exact=True).last.fill("# Hello\n\n<img src=x onerror=alert(1)> **there**")
    expect(page.locator("#preview strong")).to_have_text("there")
    expect(page.locator("#preview img")).to_have_count(0)
    assert wrong == []


def test_drop__makes_lessons_of_videos(context: BrowserContext, tmp_path: Path) -> None:
    film = tmp_path / "first_steps.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=1:r=10"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, "-pix_fmt", "yuv420p", str(film)], check=True)
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", lessons=1, by=people.ada())
    page = context.new_page()
    wrong = faults(page)
    page.goto(f"/admin/courses/{course.id}")
    expect(page.get_by_label("Add them to")).to_be_visible()
    page.get_by_label("Choose files").set_input_files(str(film))
    expect(page.get_by_role("link", name="first steps")).to_be_visible(timeout=60_000)
    wait_for(course.id, ["Lesson 1", "first steps"])
    run_jobs()
    assert wrong == []
