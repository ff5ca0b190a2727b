"""The bell in Chromium: told within a moment of the commit, also of what came while the line was down; the inbox counts along."""

from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from lms.auth import operations as accounts
from lms.core import db, tickets
from lms.core.ids import uuid7
from lms.courses import operations as courses
from lms.notifications import operations
from tests import servers
from tests.browser.test_chat import chromium, window  # noqa: F401  the fixture
from tests.chat.kit import Person, SocketServer, signed_in, sockets
from tests.conftest import CHANNEL
from tests.factories.courses import a_course, a_lesson
from tests.factories.people import ada, root, sam

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def tell(user_id: UUID | None, course: str) -> None:
    """Somebody gets a notice, with a real commit."""
    with db.unit_of_work(CHANNEL):
        operations.tell("enrolled", [known(user_id)], event_id=uuid7(), href="/", values={"course": course, "receipt": ""})


def ticket(person: Person) -> str:
    """A ticket for one handshake."""
    with db.unit_of_work(CHANNEL):
        return tickets.make_ticket("bell", person.digest, by=person.actor)


def bell_url(server: SocketServer) -> str:
    """The door."""
    return f"ws://localhost:{server.port}/ws/notifications/bell"


def known(user_id: UUID | None) -> UUID:
    """The id of somebody signed in."""
    assert user_id is not None
    return user_id


def refused(server: SocketServer, given: str, origin: str) -> int:
    """The status a handshake is refused with; 101 when it is not."""
    try:
        with connect(bell_url(server), subprotocols=["lectern.1", f"ticket.{given}"], origin=origin):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def bell_of(page: Page) -> str:
    """What the bell says to those who hear it."""
    return page.locator("a.bell").get_attribute("aria-label") or ""


def test_bell__rings_on_open_pages(real_database: str, addresses: servers.TestServers, tmp_path: Path, chromium: Browser) -> None:  # noqa: F811
    with db.unit_of_work(CHANNEL):
        learner, boss = signed_in(sam()), signed_in(root(), staff=True)
        course = a_course("Waits", lessons=0)
        a_lesson(course)
    with sockets(real_database, addresses.redis_url, tmp_path) as server:
        pages = SocketServer(server.environ, server.port - 1, "gthread", log=tmp_path / "pages.log")
        pages.start()
        try:
            one = window(chromium, pages, learner).new_page()
            two = window(chromium, pages, boss).new_page()
            wrong: list[str] = []
            for page in (one, two):
                page.on("pageerror", lambda error: wrong.append(str(error)))
            with one.expect_websocket() as opened:
                one.goto("/enrollments/")
            opened.value.wait_for_event("framereceived")
            expect(one.locator("a.bell .count-dot")).to_be_hidden()
            tell(learner.actor.user_id, "Algebra")
            expect(one.locator("#toasts")).to_contain_text("You are enrolled in Algebra", timeout=2_000)
            expect(one.locator("a.bell .count-dot")).to_have_text("1")
            assert bell_of(one) == "1 unread notification"
            server.kill()
            tell(learner.actor.user_id, "Botany")
            server.start()
            expect(one.locator("#toasts")).to_contain_text("You are enrolled in Botany")
            expect(one.locator("a.bell .count-dot")).to_have_text("2")  # each once; on a slow machine the first toast has gone by now
            two.goto("/admin/inbox")
            expect(two.locator("#waiting")).to_contain_text("Nothing waits for you")
            with db.unit_of_work(CHANNEL):
                courses.submit_for_approval(course, by=ada())
            expect(two.locator("#waiting")).to_contain_text("Waits")
            expect(two.locator('[data-live-count="inbox"]')).to_have_text("1")
            own, spent = f"http://localhost:{server.port}", ticket(learner)
            assert refused(server, ticket(learner), "https://evil.example") == 403
            assert [refused(server, spent, own), refused(server, spent, own), refused(server, "", own)] == [101, 403, 403]
            with connect(bell_url(server), subprotocols=["lectern.1", f"ticket.{ticket(learner)}"], origin=own) as line:  # type: ignore[arg-type]
                with db.unit_of_work(CHANNEL):
                    accounts.end_sessions(known(learner.actor.user_id), by=learner.actor)
                with pytest.raises(ConnectionClosed) as closed:
                    while True:
                        line.recv(timeout=20)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
            assert wrong == []
        finally:
            pages.kill()
