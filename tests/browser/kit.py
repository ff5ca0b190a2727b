"""Chromium for the walks: pages that note every fault of the console, and axe on what stands on them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from lms.core.decisions import Actor
from tests.conftest import signed_in

WIDTHS = {"desk": 1440, "phone": 360}


@dataclass(slots=True)
class Seat:
    """Somebody at a browser: what its console complained of, and which kinds of pages axe has seen."""

    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def look(self) -> None:
        """The page fits its window, and axe finds nothing serious on it."""
        self.page.wait_for_load_state("networkidle")
        assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{self.page.url} is wider than the window"
        found = grave(self.page)
        assert not found, f"{self.page.url}: {found}"

    def until(self, words: str, seconds: float = 60) -> None:
        """Wait for something to be true in the page; its policy forbids the driver's own way, which evaluates strings."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(words):
            assert time.monotonic() < end, words
            self.page.wait_for_timeout(100)


@contextmanager
def seat(browser: Browser, address: str, *, window: str = "desk", dark: bool = False, **options: Any) -> Iterator[Seat]:
    """A fresh browser in a window; at its end its console must have been quiet."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": WIDTHS[window], "height": 900},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        **options,
    )
    made = Seat(context, context.new_page())
    made.page.on("console", lambda message: made.faults.append(f"{message.text} {message.location}") if message.type == "error" else None)
    made.page.on("pageerror", lambda error: made.faults.append(str(error)))
    yield made
    context.close()
    assert [fault for fault in made.faults if "blob:" not in fault] == []  # hls.js takes its media source's address back once it is open


def enter(app: Flask, one: Seat, address: str, person: Actor) -> None:
    """Let the browser be signed in as a person, without typing."""
    cookie = signed_in(app, lambda: person).raw.get_cookie("lectern", domain="localhost")
    assert cookie is not None
    one.context.add_cookies([{"name": "lectern", "value": cookie.value, "url": address}])


def grave(page: Page) -> list[str]:
    """axe's serious and critical findings, one line each, with WCAG 2.2's target size."""
    answer = Axe().run(page, options={"rules": {"target-size": {"enabled": True}}}).response
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for one in answer["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def faults(page: Page) -> list[str]:
    """What the console says of errors and of the content security policy, on a page server without sockets: the bell has a walk of its own."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "/ws/notifications/bell" not in message.text:
            found.append(f"{message.text} {message.location}")

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found
