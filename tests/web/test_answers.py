"""Where people are sent on to: pages of this host and no others."""

import pytest

from lms.web.answers import own_path

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "//\\evil.example",
    "https://evil.example",
    "http:evil.example",
    "https:/evil.example",
    "HTTPS://evil.example",
    "//evil.example@localhost",
    "//localhost@evil.example",
    "//evil.example:80",
    "//evil.example%2f..",
    "//[::1]",
    "//[evil",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "mailto:a@b",
    "evil.example",
    "www.evil.example",
    "./evil",
    "../evil",
    "?next=//evil.example",
    "#//evil",
    "@evil.example",
    ";//evil.example",
    ":evil",
    "//evil。example",
    "//xn--evil-.example",
    "//ｅvil.example",
    "//user:pw@evil.example/path",
    "//%65vil.example",
    "ftp://evil.example",
    "blob:x",
    "about:blank",
]


@pytest.mark.parametrize(
    "target", [*ELSEWHERE, None, "", "/\tevil", "\t//evil.example", " //evil.example", "/\n/evil.example", "/" + "a" * 2001]
)
def test_own_path__sends_nobody_elsewhere(target: str | None) -> None:
    assert own_path(target, "/home") == "/home"


@pytest.mark.parametrize("target", ["/", "/courses/?q=%2F%2Fevil", "/a//b", "/a?next=https://evil.example", "/%2f/x", "/a#b"])
def test_own_path__keeps_pages_of_this_host(target: str) -> None:
    assert own_path(target, "/home") == target
