"""Calls to foreign addresses: refused by where they lead, connected to what was looked at, cut off in time and bytes."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest

from lms.core import outbound
from lms.core.outbound import AddressRefused, CallFailed

REFUSED = """
127.0.0.1 127.1 0x7f.1 0x7f000001 2130706433 017700000001 0177.0.0.1 127.0.0.1. localhost LOCALHOST １２７.０.０.１ 0 0.0.0.0 00000000
10.0.0.1 10.1 172.16.0.1 172.31.255.255 192.168.1.1 192.168.257 169.254.169.254 0xA9FEA9FE 2852039166 0251.0376.0251.0376 169.254.43518
100.64.0.1 100.127.255.254 192.0.0.1 192.0.0.170 192.0.2.5 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 192.31.196.1 192.52.193.1 192.175.48.1
[::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:8.8.8.8] [::ffff:a9fe:a9fe] [::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::808:808]
[64:ff9b:1::1] [2002:7f00:1::1] [2002:808:808::1] [2001::1] [2001:10::1] [2001:20::1] [2001:db8::1] [3fff::1] [fc00::1] [fd12::1]
[fe80::1] [fe80::1%25lo] [ff02::1] [100::1] [5f00::1] [fec0::1] [2620:4f:8000::1] [4000::1]
"""


@pytest.mark.parametrize("host", REFUSED.split())
def test_find_target__refuses_every_spelling_of_what_is_not_foreign(host: str) -> None:
    with pytest.raises(AddressRefused):
        outbound.find_target(f"http://{host}/latest/meta-data/")


@pytest.mark.parametrize(
    "url",
    ["", "ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "//8.8.8.8/", "http://", "http://user:secret@8.8.8.8/", "http://@8.8.8.8/",
     "http://8.8.8.8:22/", "http://8.8.8.8:99999/", "http://8.8.8.8 /", "http://8.8.8.8\n/", "http://no-such-host.invalid/"],
)  # fmt: skip
def test_find_target__refuses_what_is_no_address_of_the_web(url: str) -> None:
    with pytest.raises(AddressRefused):
        outbound.find_target(url)


def test_find_target__takes_plain_global_addresses_and_all_of_a_name_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outbound.find_target("https://8.8.8.8/a?b=c#d") == (True, "8.8.8.8", 443, "8.8.8.8", "/a?b=c")
    assert outbound.find_target("http://[2606:4700::1111]:8443").address == "2606:4700::1111"

    def two(host: str, port: int, **_options: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with pytest.raises(AddressRefused, match="no public address"):
        outbound.find_target("http://half.example/")


class Foreign(BaseHTTPRequestHandler):
    """A server of somebody else, honest and not."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        act = getattr(self, "do_" + self.path.strip("/").partition("?")[0], None)
        if act is not None:
            self.close_connection = True
            act()

    def do_fine(self) -> None:
        self._send(200, b"hello")

    def do_away(self) -> None:
        self._send(302, b"", location=f"http://localhost:{self.server.server_address[1]}/fine")

    def do_huge(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")

    def do_endless(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._until_gone(b"10000\r\n" + b"x" * 65536 + b"\r\n", 0)

    def do_short(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive.")

    def do_drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        self._until_gone(b"x", 0.05)

    def do_dripping_head(self) -> None:
        self._until_gone(b"H", 0.05)

    def do_silent(self) -> None:
        self.server.stopped.wait(5)  # type: ignore[attr-defined]

    def do_noise(self) -> None:
        self.wfile.write(b"\x00\x01\x02 not http\r\n\r\n")

    def _until_gone(self, piece: bytes, pause: float) -> None:
        try:
            for _turn in range(2000):
                self.wfile.write(piece)
                if self.server.stopped.wait(pause):  # type: ignore[attr-defined]
                    return
        except OSError:
            return

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    """Its address, allowed by name as an operator may."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    server.daemon_threads = True
    server.stopped = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    outbound.use_networks([ip_network("127.0.0.1/32")])
    yield f"http://127.0.0.1:{server.server_address[1]}"
    outbound.use_networks([])
    server.stopped.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_call__asks_once_takes_no_redirect_and_brings_nothing_of_ours(foreign: str) -> None:
    Foreign.seen.clear()
    reply = outbound.call(f"{foreign}/fine?a=b")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"hello", "5")
    assert outbound.call(f"{foreign}/away").status == 302
    assert [path for path, _headers in Foreign.seen] == ["/fine?a=b", "/away"]
    assert set(Foreign.seen[0][1]) == {"host", "user-agent", "accept-encoding"}


@pytest.mark.parametrize("path", ["huge", "endless", "short", "drip", "dripping_head", "silent", "noise"])
def test_call__is_over_in_time_and_never_too_large(foreign: str, path: str) -> None:
    began = time.monotonic()
    with pytest.raises(CallFailed):
        outbound.call(f"{foreign}/{path}", seconds=0.6, most=200_000)
    assert time.monotonic() - began < 5


def test_call__connects_to_the_address_that_was_looked_at(foreign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def once(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        asked.append(str(host))
        return real("127.0.0.1" if asked.count("rebound.example") <= 1 else "10.255.255.1", port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    port = foreign.rpartition(":")[2]
    assert outbound.call(f"http://rebound.example:{port}/fine").body == b"hello"
    assert asked.count("rebound.example") == 1
    assert Foreign.seen[-1][1]["host"] == f"rebound.example:{port}"


def test_call__of_a_closed_port_says_so() -> None:
    outbound.use_networks([ip_network("127.0.0.1/32")])
    try:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(CallFailed, match="did not answer"):
                outbound.call(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    finally:
        outbound.use_networks([])
