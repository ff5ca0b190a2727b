"""Names that want to be more than names: a mail has one subject and one recipient, a log line is one record (T044); and servers that fail lose nothing."""

import email
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from lms.config import Config, Smtp
from lms.core import db, logs, mail
from lms.core.ids import uuid7
from lms.core.models import Mail, Outbox
from tests.conftest import CHANNEL, run_jobs

BREAKS = ("\r\n", "\n", "\r", "\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1b[31m", "\x00")
TAILS = ("Bcc: eve@evil.example", "Subject: Other", '{"event": "forged"}', "\r\n\r\n<script>alert(1)</script>")


@pytest.mark.parametrize("tail", TAILS)
def test_message_of__has_one_subject_and_one_recipient(work: object, tail: str) -> None:
    for letter in BREAKS:
        made = Mail(
            to_address="sam@example.org",
            subject=mail._one_line(f"Hello{letter}{tail}"),
            body_text="x",
            body_html="<p>x</p>",
            headers={},
            attachments=[],
        )
        read = message_from_bytes(mail.message_of(made).as_bytes(policy=default.clone(linesep="\r\n")), policy=default)
        assert [name for name in read if name.lower() in ("bcc", "cc")] == []
        assert len(read.get_all("subject")) == len(read.get_all("to")) == 1
        assert read["to"] == "sam@example.org" and "\n" not in read["subject"]


def test_one_record__whatever_is_in_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    for letter in BREAKS:
        fields = {"event": "opened", "name": f"a{letter}{TAILS[2]}", "path": f"/x{letter}y"}
        line = json.dumps(logs.one_record(None, "info", fields))
        assert len(line.splitlines()) == 1 and "\x1b" not in fields["name"] and json.loads(line)["event"] == "opened"
        assert "\r" not in fields["path"] and "\n" not in fields["path"]


FAULTS = ["busy", "greylist", "full", "dropped", "ok"]


class Faulty(socketserver.StreamRequestHandler):
    """A mail server that does with each connection the next thing on its list."""

    def handle(self) -> None:
        """One connection."""
        server: Any = self.server
        fault = server.faults.pop(0) if server.faults else "ok"
        self.say("421 too busy" if fault == "busy" else "220 hello")
        for line in self.rfile if fault != "busy" else ():
            said = line.strip().upper()
            if said == b"DATA":
                self.say("452 disk full" if fault == "full" else "354 go on")
                if fault != "full":
                    server.got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    if fault == "dropped":
                        return
                    self.say("250 taken")
            elif said == b"QUIT":
                self.say("500 stay" if fault == "rude" else "221 bye")
                return
            else:
                self.say("451 later" if said.startswith(b"RCPT") and fault == "greylist" else "250 ok")

    def say(self, words: str) -> None:
        """Answer."""
        self.wfile.write(words.encode() + b"\r\n")


@pytest.fixture
def faulty_server(test_config: Config) -> Iterator[Any]:
    """Mails go to it; `got` are those it took."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Faulty) as server:
        made: Any = server
        made.faults, made.got = list(FAULTS), []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        smtp = Smtp(host="127.0.0.1", port=server.server_address[1], username="", password="", tls="none")
        mail.use_config(replace(test_config, smtp=smtp))
        yield made
        mail.use_config(test_config)
        server.shutdown()


def a_letter() -> UUID:
    """A mail that waits to be sent; its id."""
    letter_id = uuid7()
    words: dict[str, Any] = {
        "template": "a/code",
        "subject": "Your code",
        "body_text": "123456",
        "body_html": "<p>123456</p>",
        "attachments": [],
        "headers": {},
    }
    with db.unit_of_work(CHANNEL):
        db.session().add(Mail(id=letter_id, to_address="sam@example.org", is_secret=False, **words))
        db.session().flush()
        mail.deliver.put({"mail_id": letter_id}, queue="codes")
    return letter_id


def test_deliver__takes_a_mail_as_sent_however_the_server_says_goodbye(connection: object, faulty_server: Any) -> None:
    faulty_server.faults[:] = ["rude"]
    letter_id = a_letter()
    run_jobs(1)
    with db.unit_of_work(CHANNEL) as session:
        assert session.get_one(Mail, letter_id).state == "sent"
    assert len(faulty_server.got) == 1


def test_deliver__loses_nothing_at_a_server_that_fails_in_every_way(connection: object, faulty_server: Any) -> None:
    letter_id = a_letter()
    for tried in range(1, len(FAULTS) + 1):
        run_jobs(1)
        with db.unit_of_work(CHANNEL) as session:
            row = session.scalars(select(Outbox).where(Outbox.task == mail.deliver.name)).one()
            assert (row.attempts, row.dead_at, row.queue) == (tried, None, "codes") and (row.done_at is not None) == (tried == len(FAULTS))
            session.execute(text("UPDATE core.outbox SET run_at = clock_timestamp() - interval '1 second'"))
    twice = [email.message_from_bytes(raw) for raw in faulty_server.got]
    assert len(twice) == 2, "once where the line broke after the last word, once where it was taken"
    assert twice[0]["Message-ID"] == twice[1]["Message-ID"] and str(letter_id) in twice[0]["Message-ID"]
    with db.unit_of_work(CHANNEL) as session:
        assert session.get_one(Mail, letter_id).state == "sent"
