"""The academy's own words, the log with its reasons, and addresses that mails come back from."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lms.auth import queries as accounts
from lms.channels import queries as channels
from lms.config import Config, Smtp
from lms.core import db, i18n, mail
from lms.core.ids import uuid7
from lms.core.mail import newest
from lms.notifications import operations, queries
from tests.client import Browser
from tests.conftest import CHANNEL, newest_code, run_jobs
from tests.factories.people import root, sam


@pytest.fixture
def languages(tmp_path: Path) -> Iterator[None]:
    """Arabic beside English, with no words of its own yet."""
    (tmp_path / "ar" / "LC_MESSAGES").mkdir(parents=True)
    i18n.translations_in(tmp_path)
    yield
    i18n.translations_in(i18n.FOLDER)


def tell(lesson: str) -> None:
    """Sam hears of a lesson."""
    with db.unit_of_work(CHANNEL):
        person = sam()
        assert person.user_id is not None
        values = {"course": "Algebra", "lesson": lesson}
        operations.tell("lesson", [person.user_id], event_id=uuid7(), href="/", values=values)
    run_jobs()


def test_templates_show__words_a_mail_and_refuses_names_it_does_not_know(as_root: Browser, as_ada: Browser) -> None:
    as_ada.get("/admin/notifications/templates", status=403)
    page = as_root.get("/admin/notifications/templates", status=200)
    assert "New lesson in {{course}}: {{lesson}}" in page.words
    where = "/admin/notifications/templates/lesson"
    assert "{{lesson}}" in as_root.get(where, status=200).words
    for bad in ("{{ password }}", "{{ self.__class__ }}", "{% raw %}{{"):
        page = as_root.post(where, {"subject": "Hi", "body": f"Look {bad}"}, status=422)
        assert "is not known here" in page.words and "Look" in page.body
    words = {"subject": "{{academy}}: {{lesson}}", "body": "Dear {{name}},\n\n<b>{{ lesson }}</b> waits."}
    as_root.post(where, words, status=303)
    assert "Dear Root Admin" in as_root.get(where, status=200).words
    tell("Sums {{name}} <i>")
    with db.unit_of_work(CHANNEL):
        made = newest(1, "sam@example.org")[0]
        assert made.subject == "Ada Academy: Sums {{name}} <i>" and "Dear Sam Student," in made.body_text
        assert "&lt;b&gt;Sums {{name}} &lt;i&gt;&lt;/b&gt; waits." in made.body_html
        assert queries.notices_of(made.to_user_id)[0].title == "New lesson in Algebra: Sums {{name}} <i>"  # type: ignore[arg-type]
    as_root.post(f"{where}/test", status=303)
    with db.unit_of_work(CHANNEL):
        assert newest(1, "root@example.org")[0].subject == "Sample: Ada Academy: First lesson"
    for _ in range(2):
        as_root.post(f"{where}/reset", status=303)
    assert "Standard words" in as_root.get(where, status=200).words
    as_root.get("/admin/notifications/templates/announcement", status=404)


def test_templates_show__words_the_mails_of_other_modules_and_keeps_what_they_cannot_do_without(as_root: Browser, client: Browser) -> None:
    where = "/admin/notifications/templates/code"
    assert "**{{code}}**" in as_root.get(where, status=200).body
    assert "Without {{code}}" in as_root.post(where, {"subject": "Hi", "body": "A code."}, status=422).words
    as_root.post(where, {"subject": "{{academy}} lets you in", "body": "Here it is:\n\n**{{code}}**\n\nUntil soon."}, status=303)
    as_root.post(f"{where}/test", status=303)
    client.post("/auth/forgot", {"email": "root@example.org"}, status=303)
    with db.unit_of_work(CHANNEL):
        code, sample = newest(2, "root@example.org")
        assert code.subject == "Ada Academy lets you in" and sample.subject == "Sample: Ada Academy lets you in"
        assert "Here it is:" in mail.readable(code, code.body_text) and "It works for 10 minutes" not in mail.readable(code, code.body_text)
    assert newest_code("root@example.org").isdigit()
    as_root.post(
        "/admin/notifications/templates/invitation", {"subject": "Come, {{name}}", "body": "{{who}}:\n\n[Start]({{link}})"}, status=303
    )
    person = {"name": "Nia [x](https://evil.example)", "email": "nia@example.org", "role": "student"}
    as_root.post("/admin/channels/people/new", person, status=303)
    with db.unit_of_work(CHANNEL):
        made = newest(1, "nia@example.org")[0]
        html = mail.readable(made, made.body_html)
        assert "/auth/invitations/" in html and "Start" in html and 'href="https://evil.example' not in html


def test_templates_show__has_words_for_each_language_and_falls_back_to_the_academys(as_root: Browser, languages: None) -> None:
    where = "/admin/notifications/templates/lesson"
    page = as_root.get(f"{where}?language=ar", status=200)
    assert "العربية" in page.words and "English" in page.words and 'dir="rtl"' in page.body
    as_root.get(f"{where}?language=xx", status=404)
    as_root.post(where, {"subject": "Here: {{lesson}}", "body": "In English."}, status=303)
    assert "Readers of this language get your words in English" in as_root.get(f"{where}?language=ar", status=200).words
    with db.unit_of_work(CHANNEL):
        accounts.get_user(sam().user_id).locale = "ar"  # type: ignore[arg-type]
    tell("One")
    as_root.post(f"{where}?language=ar", {"subject": "هنا {{lesson}}", "body": "بالعربية"}, status=303)
    tell("Two")
    as_root.post(f"{where}/test?language=ar", status=303)
    assert "العربية" in as_root.get("/admin/notifications/templates", status=200).words
    for _ in range(2):
        as_root.post(f"{where}/reset?language=ar", status=303)
    tell("Three")
    as_root.post(f"{where}/reset", status=303)
    tell("Four")
    with db.unit_of_work(CHANNEL):
        four, three, two, one = (made.subject for made in newest(4, "sam@example.org"))
        assert (one, two, three) == ("Here: One", "هنا Two", "Here: Three") and four == "New lesson in Algebra: Four"
        assert "هنا" in newest(1, "root@example.org")[0].subject


def test_own_words__of_a_list_and_of_collected_news_stand_above_them(work: db.Session) -> None:
    by = root()
    operations.set_template("digest", subject="News for {{name}}", body="This week at {{academy}}:", by=by)
    channel = channels.face_of(channels.this_channel(), "http://localhost")
    known = {
        "channel": channel,
        "name": "Sam",
        "count": 1,
        "notices": [{"title": "A lesson", "href": "/", "body": ""}],
        "link": "x",
        "preferences": "x",
        "stop": "x",
    }
    made = mail.send("sam@example.org", "notifications/mail/digest", known)
    assert made.subject == "News for Sam" and "This week at Ada Academy:" in made.body_text and "Hello Sam," in made.body_text
    operations.reset_template("digest", by=by)
    assert mail.send("sam@example.org", "notifications/mail/digest", known).subject != "News for Sam"


def test_bounces_show__stops_mails_until_somebody_clears_it(as_root: Browser, client: Browser) -> None:
    tell("One")
    page = as_root.get("/admin/notifications/bounces", status=200)
    door = (
        "/"
        + next(str(box.get("value")) for box in page.all("//input") if "/notifications/bounces/" in str(box.get("value"))).split("/", 3)[3]
    )
    client.post(door[:-4] + "AAAA", json=[], token=False, status=403)
    client.post(door, json={"adress": "x"}, token=False, status=422, check=False)
    reports = [{"address": "Sam@example.org", "reason": "550 no such user"}, {"address": "nobody@else.org", "reason": "x"}]
    for noted in (1, 0):
        assert client.post(door, json=reports, token=False, status=200, check=False).response.get_json() == {"noted": noted}
    assert "sam@example.org" in as_root.get("/admin/inbox", status=200).words
    tell("Two")
    with db.unit_of_work(CHANNEL):
        stopped, bounce = newest(1, "sam@example.org")[0], queries.standing_bounce("sam@example.org")
        assert (stopped.state, stopped.error) == ("withheld", "Not sent: mails to this address come back.") and bounce is not None
    assert "come back" in as_root.get("/admin/system/mail?state=withheld", status=200).words
    as_root.get(f"/admin/notifications/bounces/{bounce.id}", status=200)
    for _ in range(2):
        as_root.post(f"/admin/notifications/bounces/{bounce.id}/clear", status=303)
    as_root.post(f"/admin/system/mail/{stopped.id}/retry", status=303)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert newest(1, "sam@example.org")[0].state == "sent"
    as_root.post(f"/admin/system/mail/{stopped.id}/retry", status=409, check=False)


class Refusing(socketserver.StreamRequestHandler):
    """A mail server that knows nobody."""

    def handle(self) -> None:
        """Say no to every recipient."""
        self.wfile.write(b"220 hello\r\n")
        for line in self.rfile:
            said = line.strip().upper()
            answer = b"550 5.1.1 no such user" if said.startswith(b"RCPT") else b"221 bye" if said == b"QUIT" else b"250 ok"
            self.wfile.write(answer + b"\r\n")
            if said == b"QUIT":
                return


@pytest.fixture
def refusing_server(test_config: Config) -> Iterator[None]:
    """Mails go to a server that refuses everybody."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        smtp = Smtp(host="127.0.0.1", port=server.server_address[1], username="", password="", tls="none")
        mail.use_config(replace(test_config, smtp=smtp))
        yield
        mail.use_config(test_config)
        server.shutdown()


def test_note_refusal__marks_an_address_the_server_refuses(as_root: Browser, refusing_server: None) -> None:
    tell("One")
    with db.unit_of_work(CHANNEL):
        made, bounce = newest(1, "sam@example.org")[0], queries.standing_bounce("sam@example.org")
        assert (made.state, made.error) == ("failed", "550 5.1.1 no such user") and bounce is not None and bounce.mail_id == made.id
    assert "550 5.1.1" in as_root.get("/admin/inbox", status=200).words
