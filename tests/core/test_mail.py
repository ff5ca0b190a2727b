"""Names that want to be more than names: a mail has one subject and one recipient, a log line is one record (T044)."""

import json
from email import message_from_bytes
from email.policy import default

import pytest

from lms.core import logs, mail
from lms.core.models import Mail

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
