"""The API's documentation in Chromium: every operation is shown under the strict policy, and one is tried with a token."""

import os
import re
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from lms.channels import queries as channel_queries
from lms.web.api_document import document
from tests.chromium import launch
from tests.conftest import machine_of
from tests.factories import people

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture
def page(app: Flask, real_database: str) -> Iterator[Page]:
    """A stranger's Chromium before the whole application on a real server."""
    channel_queries.forget_faces()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with sync_playwright() as play:
        browser = launch(play)
        yield browser.new_context(base_url=f"http://localhost:{server.server_port}", viewport={"width": 1440, "height": 1400}).new_page()
        browser.close()
    server.shutdown()
    thread.join(timeout=10)
    channel_queries.forget_faces()


def test_docs__show_every_operation_and_try_one(page: Page, app: Flask) -> None:
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if re.match("https?://(?!localhost)", request.url) else None)
    page.goto("/api/v1/docs")
    with app.app_context():
        counts = Counter(operation["tags"][0] for methods in document()["paths"].values() for operation in methods.values())
    expect(page.locator(".opblock-tag-section")).to_have_count(len(counts), timeout=60_000)
    for module, count in counts.items():  # one after the other: a long page draws only what is near the window
        tag = page.locator(f"#operations-tag-{module}")
        tag.click()
        expect(page.locator(".opblock")).to_have_count(count, timeout=60_000)
        tag.click()
        expect(page.locator(".opblock")).to_have_count(0, timeout=60_000)
    page.locator("#operations-tag-channels").click()

    token = machine_of(app, people.sam).token
    page.locator("button.authorize").first.click()
    page.locator(".auth-container input").fill(token)
    page.locator(".auth-btn-wrapper button.authorize").click()
    page.locator(".btn-done").click()
    me = page.locator("#operations-channels-channels_me")
    me.locator(".opblock-summary-control").click()
    me.locator("button.execute").click()
    expect(me.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200", timeout=60_000)
    expect(me.locator(".live-responses-table")).to_contain_text("sam@example.org")
    if os.environ.get("SHOTS"):
        page.screenshot(path=f"{os.environ['SHOTS']}/api_docs.png")
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=f"{os.environ['SHOTS']}/api_docs_dark.png")
        page.set_viewport_size({"width": 360, "height": 900})
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=f"{os.environ['SHOTS']}/api_docs_phone.png")
    assert faults == []
