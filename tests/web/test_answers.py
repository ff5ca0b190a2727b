"""Where an answer may lead: to a path of this host, however another is spelled (T045)."""

import pytest

from lms.web.answers import own_path

HOSTS = ("evil.example", "xn--vil-boa.example", "user@evil.example", "localhost.evil.example", "[::1]", "0x7f000001")
FOREIGN = [
    *(start + host for host in HOSTS for start in ("//", "///", "/\\", "\\\\", "https://", "http:")),
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example",
    "evil.example", "./evil", "?next=//evil.example", "#//evil.example", "/\x00//evil.example", "/" + "a" * 2001, "", None,
]  # fmt: skip


@pytest.mark.parametrize("target", FOREIGN)
def test_own_path__takes_nothing_that_could_lead_elsewhere(target: str | None) -> None:
    assert own_path(target, "/home") == "/home"


@pytest.mark.parametrize(
    "target", ["/", "/courses/?q=//x", "/a;b", "/%2f%2fevil.example", "/courses/x#y", "/redirect?to=https://evil.example"]
)
def test_own_path__keeps_paths_of_this_host(target: str) -> None:
    assert own_path(target, "/home") == target
