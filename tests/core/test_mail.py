"""Mails and servers that fail: nothing is lost, what arrives twice is one message to its reader, and codes wait for no newsletter."""

import email
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from lms.config import Config, Smtp
from lms.core import db, mail
from lms.core.ids import uuid7
from lms.core.models import Mail, Outbox
from tests.conftest import CHANNEL, run_jobs

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
                self.say("221 bye")
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


def test_deliver__loses_nothing_at_a_server_that_fails_in_every_way(connection: object, faulty_server: Any) -> None:
    with db.unit_of_work(CHANNEL):
        letter_id = uuid7()
        words: dict[str, Any] = {
            "template": "a/code",
            "subject": "Your code",
            "body_text": "123456",
            "body_html": "<p>123456</p>",
            "attachments": [],
            "headers": {},
        }
        db.session().add(Mail(id=letter_id, to_address="sam@example.org", is_secret=False, **words))
        db.session().flush()
        mail.deliver.put({"mail_id": letter_id}, queue="codes")
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
