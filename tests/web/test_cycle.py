"""Which academy a request is for: the verified host that was asked, and nothing else that says a name (T046)."""

import pytest

from lms.core import db, mail
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people

OURS = (
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost:8000",
    "LocalHost.:443",
    "127.0.0.1",  # this machine, as localhost is
    "[::1]:8000",
)
OTHERS = (
    "evil.example", "evil.example:80", "localhost.evil.example", "evil.example.", "localhost@evil.example", "localhost, evil.example",
    "evil.example#localhost", "xn--lcalhost-x4a", "*.localhost",
)  # fmt: skip
SAID = (
    {"X-Forwarded-Host": "evil.example"},
    {"X-Host": "evil.example"},
    {"Forwarded": "host=evil.example"},
    {"X-Forwarded-Server": "evil.example"},
    {"X-Original-URL": "https://evil.example/"},
)


@pytest.mark.parametrize("host", OURS)
def test_channel_of_request__knows_its_host_however_it_is_written(client: Browser, host: str) -> None:
    assert client.raw.get("/courses/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", OTHERS)
def test_channel_of_request__answers_no_other_host(client: Browser, host: str) -> None:
    answer = client.raw.get("/courses/", headers={"Host": host})
    assert answer.status_code in (400, 421) and "Ada Academy" not in answer.get_data(as_text=True)


def test_links_of_mails__lead_to_the_verified_host_whatever_a_request_says(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    for headers in SAID:
        client.post("/auth/forgot", {"email": "sam@example.org"}, headers=headers, check=False)
    with db.unit_of_work(CHANNEL, read_only=True):
        found = mail.newest(10, "sam@example.org")
        assert found and not [
            one for one in found if "evil.example" in mail.readable(one, one.body_text) + mail.readable(one, one.body_html)
        ]
    for headers in SAID:
        answer = client.raw.get("/admin/", headers={"Host": "localhost", **headers})
        assert "evil.example" not in answer.headers.get("Location", "") + answer.get_data(as_text=True)
