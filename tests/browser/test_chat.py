"""A live class in Chromium: two people talk, ask, answer and moderate, the socket server dies and comes back, the class ends."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from lms.chat import queries
from lms.core import db
from tests import servers
from tests.chat.kit import Person, SocketServer, signed_in, sockets
from tests.chromium import launch
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import ada, sam
from tests.factories.streaming import a_session, enrol

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """One Chromium."""
    with sync_playwright() as play:
        browser = launch(play)
        yield browser
        browser.close()


def window(chromium: Browser, pages: SocketServer, person: Person) -> BrowserContext:
    """A person's browser, signed in."""
    address = f"http://localhost:{pages.port}"
    made = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    made.add_cookies([{"name": "lectern", "value": person.token, "url": address}])
    return made


def write(page: Page, words: str) -> None:
    """Type a message and press Enter."""
    page.get_by_label("Message", exact=True).fill(words)
    page.get_by_label("Message", exact=True).press("Enter")


def kept(room_id: UUID) -> list[str]:
    """What PostgreSQL has of the room."""
    with db.unit_of_work(CHANNEL):
        return [line.text for line in queries.last_lines(room_id)]


def ask_and_answer(student: Page, host: Page) -> None:
    """A question is voted for, answered by a reply and marked; the host pauses the chat, and what was typed stays."""
    student.get_by_label("This is a question").check()
    write(student, "Why?")
    host.get_by_label("Want this answered").click()
    expect(student.locator(".chat-vote span")).to_have_text("1")
    host.locator('.chat-line[data-seq="3"]').hover()
    host.locator('.chat-line[data-seq="3"]').get_by_label("Answer this message").click()
    write(host, "Because.")
    expect(student.locator('.chat-line[data-seq="4"] .chat-quote')).to_contain_text("Why?")
    host.locator(".chat-asked").get_by_label("Answered", exact=True).click()
    expect(student.locator(".chat-asked [data-answered]")).to_be_visible()
    host.locator(".chat-panel > summary").click()
    host.get_by_role("button", name="Paused").click()
    expect(student.get_by_text("The moderator paused the chat")).to_be_visible()
    write(student, "Typed in the pause")
    host.get_by_role("button", name="Yes").click()
    expect(student.get_by_text("The moderator paused the chat")).to_be_hidden()
    expect(student.get_by_label("Message", exact=True)).to_have_value("Typed in the pause")


def test_live_class__is_talked_in(real_database: str, addresses: servers.TestServers, tmp_path: Path, chromium: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live")
        student, teacher = sam(), ada()
        enrol(student, session)
        learner, host = signed_in(student), signed_in(teacher, staff=True)
    with sockets(real_database, addresses.redis_url, tmp_path) as server:
        pages = SocketServer(server.environ, server.port - 1, "gthread", log=tmp_path / "pages.log")
        pages.start()
        try:
            one = window(chromium, pages, learner).new_page()
            two = window(chromium, pages, host).new_page()
            wrong: list[str] = []
            for page in (one, two):
                page.on("pageerror", lambda error: wrong.append(str(error)))
                page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
            one.goto(f"/streaming/sessions/{session.id}")
            two.goto(f"/admin/streaming/sessions/{session.id}")
            for page in (one, two):
                expect(page.get_by_text("Connected")).to_be_visible(timeout=60_000)
            write(one, "Hello <b>from</b> Sam")
            for page in (one, two):
                expect(page.locator('.chat-line[data-seq="1"] .chat-text')).to_have_text("Hello <b>from</b> Sam")
            write(two, "Hello from Ada")
            expect(one.locator('.chat-line[data-seq="2"]')).to_contain_text("Ada Lovelace")
            expect(one.locator('.chat-line[data-seq="2"]')).to_contain_text("Teacher")
            expect(one.locator("[data-waiting]")).to_have_count(0)
            two.locator('.chat-line[data-seq="1"]').hover()
            two.locator('.chat-line[data-seq="1"]').get_by_label("Moderate this message").click()
            two.locator('.chat-line[data-seq="1"] [data-act="delete"]').click()
            expect(one.locator('.chat-line[data-seq="1"] .chat-text')).to_have_text("This message was deleted.")
            ask_and_answer(one, two)
            server.kill()
            expect(one.get_by_text("Connecting again…")).to_be_visible()
            write(one, "Written while the line was down")
            server.start()
            for page in (one, two):
                expect(page.locator('.chat-line[data-seq="5"] .chat-text')).to_have_text("Written while the line was down", timeout=40_000)
            expect(one.locator(".chat-line")).to_have_count(5)
            one.screenshot(path=os.environ.get("CHAT_SHOT", str(tmp_path / "chat.png")), full_page=True)
            two.get_by_role("button", name="End the class").click()
            expect(two.locator("#session-state")).to_contain_text("Ended")
            run_jobs()
            expect(one.locator("#chat")).to_contain_text("This class is over", timeout=60_000)
            assert wrong == []
            assert kept(session.id) == ["", "Hello from Ada", "Why?", "Because.", "Written while the line was down"]
        finally:
            pages.kill()
