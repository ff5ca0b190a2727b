"""nginx before Lectern: films and running classes pass it with a pass alone, everything else is asked of the page server."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from lms.core import signing
from lms.web import passes
from tests.conftest import SECRET
from tests.deploy import proxy

CHANNEL = "0190a000-0000-7000-8000-000000000001"
FILM, OTHER, CLASS = (f"0190a000-0000-7000-8000-00000000000{number}" for number in (2, 3, 4))
RUN = "0" * 32
TOKEN = "abc_-DEF.123"


class Pages(BaseHTTPRequestHandler):
    """Stands where the page server stands, and counts who asks."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.path} {self.headers.get('Lectern-Passes')}")
        self.send_response(418)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of an install with a film and a running class."""
    signing.use_secret(SECRET)
    for path, data in {
        f"storage/{CHANNEL}/assets/{FILM}/{RUN}/hls/720p/seg_0001_00000.m4s": b"film",
        f"storage/{CHANNEL}/assets/{OTHER}/{RUN}/video.mp4": b"other",
        f"storage/{CHANNEL}/uploads/{FILM}/original": b"secret",
        f"live/{CHANNEL}/{CLASS}/hls/index.m3u8": b"#EXTM3U",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


@pytest.fixture
def pages() -> Iterator[str]:
    """The address of somebody who answers 418 to everything."""
    Pages.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)


def test_nginx__gives_with_a_pass_and_asks_without(home: Path, pages: str) -> None:
    text = proxy.settings(home, pages, 80, 1935)
    assert proxy.is_whole(text) and f'secure_link_md5 "$secure_link_expires$place {passes.secret()}"' in text
    if proxy.NGINX is None:  # then the shape of its settings is all that can be seen
        return
    film, running = f"/content/watch/{CHANNEL}/{FILM}/", f"/streaming/live/{CHANNEL}/{CLASS}/"
    segment = f"{film}{TOKEN}/{RUN}/hls/720p/seg_0001_00000.m4s"
    with ExitStack() as stack:
        address = stack.enter_context(proxy.nginx(home, pages))

        def get(path: str, made: str = "", **headers: str) -> requests.Response:
            return requests.get(address + path, cookies={passes.COOKIE: made}, headers=headers, timeout=10)

        good = passes.make_pass(film, at=time.time())
        given = get(segment, good)
        assert (given.status_code, given.content, given.headers["Content-Type"]) == (200, b"film", "video/iso.segment")
        assert given.headers["Content-Security-Policy"].startswith("sandbox") and "immutable" not in given.headers["Cache-Control"]
        assert get(segment, good, Range="bytes=1-2").content == b"il"
        live = get(f"{running}{TOKEN}/index.m3u8", passes.make_pass(running, at=time.time()))
        assert (live.content, live.headers["Cache-Control"]) == (b"#EXTM3U", "private, no-store")
        assert Pages.asked == []  # not one request of Python

        late = passes.make_pass(film, at=time.time() - passes.SECONDS - 2)
        refused = {
            "no pass": get(segment),
            "late": get(segment, late),
            "longer": get(segment, late.partition(".")[0] + good[good.index(".") :]),
            "another film": get(f"/content/watch/{CHANNEL}/{OTHER}/{TOKEN}/{RUN}/video.mp4", good),
            "the first playlist": get(f"{film}{TOKEN}/{RUN}/hls/master.m3u8", good),
            "not there": get(f"{film}{TOKEN}/{RUN}/hls/720p/seg_0001_00009.m4s", good),
            "more words": get(f"{segment}?x=1", good),
            "the original": get(f"{film}{TOKEN}/../../../{CHANNEL}/uploads/{FILM}/original", good),
            "a class": get(f"{running}{TOKEN}/index.m3u8", good),
        }
        assert {why: answer.status_code for why, answer in refused.items()} == dict.fromkeys(refused, 418)
        assert len(Pages.asked) == len(refused) and Pages.asked[0] == f"{segment} 1"
