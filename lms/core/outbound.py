"""The one client for calls to foreign addresses: whatever somebody else wrote down as "our room, our recording, our receiver".

A name is resolved once, every address it has must be plain global unicast, and the connection goes to the very address that was
looked at. Nothing is followed, nothing of ours goes along, and time and bytes are counted while they pass. An operator may name
private networks that are foreign all the same (`LMS_OUTBOUND_NETWORKS`: a room server in the cellar, a test's own server).
"""

import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog

from lms.core.errors import Invalid, Unavailable
from lms.core.i18n import gettext as _

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
SECONDS = 10.0
MOST_BYTES = 1_000_000
AGENT = "Lectern"
# IANA's special-purpose registries, and what is routed to another place than it names. Of IPv6 only 2000::/3 is plain global unicast.
SPECIAL_V4 = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24
192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3
"""
SPECIAL_V6 = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"
REFUSED_V4 = [ip_network(one) for one in SPECIAL_V4.split()]
REFUSED_V6 = [ip_network(one) for one in SPECIAL_V6.split()]
GLOBAL_V6 = ip_network("2000::/3")
log = structlog.get_logger(__name__)
_networks: list[Network] = []


class AddressRefused(Invalid):
    """The address leads where nothing foreign is, or cannot be read."""


class CallFailed(Unavailable):
    """The other side did not answer as it should; trying again may help."""


class Target(NamedTuple):
    """Where a call goes: the checked address, and what the other side is asked for there."""

    secure: bool
    host: str
    port: int
    address: str
    path: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def use_networks(networks: Sequence[Network]) -> None:
    """Make these the networks that may be called although they are not plain global unicast."""
    _networks[:] = networks


def is_foreign(address: Address) -> bool:
    """Whether an address may be called: plain global unicast, or of a network the operator named."""
    if any(address in network for network in _networks if network.version == address.version):
        return True
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in REFUSED_V4)
    return address.is_global and address in GLOBAL_V6 and not any(address in network for network in REFUSED_V6)


def find_target(url: str) -> Target:
    """Where an address leads, resolved and checked now; raises AddressRefused in a sentence."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise _refuse() from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not host or "%" in host or any(ord(sign) <= 32 for sign in url.strip()):
        raise _refuse()
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(_("An address with a name or password in it is not called. Take them out."), rule="userinfo")
    if port not in (80, 443) and port < 1024:
        raise AddressRefused(_("Port %(port)s belongs to other services than the web and is not called.", port=port), rule="port")
    found = _resolve(host, port)
    if not found or not all(is_foreign(one) for one in found):
        raise AddressRefused(_("%(host)s is no public address, so nothing is sent there or fetched from it.", host=host), rule="address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, str(found[0]), path)


def call(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    most: int = MOST_BYTES,
) -> Reply:
    """Ask a foreign address and take its whole answer, at most `most` bytes within `seconds`; whatever status it has.

    Raises AddressRefused before anything is sent, and CallFailed when no whole answer came.
    """
    with stream(url, method=method, body=body, headers=headers, seconds=seconds, most=most) as answer:
        return Reply(answer.status, answer.headers, answer.read_all())


class Answer:
    """An answer while it comes in: `status`, `headers` (names in small letters), and its bytes piece by piece."""

    def __init__(self, response: HTTPResponse, host: str, most: int) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.received = 0
        self._response = response
        self._host = host
        self._most = most
        if self.length is not None and self.length > most:
            raise _too_large(host)

    @property
    def length(self) -> int | None:
        """How many bytes the other side says will come; None when it does not say."""
        said = self.headers.get("content-length", "")
        return int(said) if said.isdecimal() and len(said) < 20 else None

    def pieces(self, size: int = 1 << 18) -> Iterator[bytes]:
        """The bytes as they come; raises CallFailed when they end early, take too long or are too many."""
        while piece := self._read(size):
            self.received += len(piece)
            if self.received > self._most:
                raise _too_large(self._host)
            yield piece
        if self.length is not None and self.received < self.length:
            raise _failed(self._host)

    def read_all(self) -> bytes:
        """Every byte."""
        return b"".join(self.pieces())

    def _read(self, size: int) -> bytes:
        try:
            return self._response.read1(size)
        except (OSError, HTTPException, ValueError) as error:
            raise _failed(self._host) from error


@contextmanager
def stream(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    most: int = MOST_BYTES,
    patience: float = SECONDS,
) -> Iterator[Answer]:
    """Ask a foreign address and read its answer piece by piece: `seconds` for all of it, `patience` for each silence."""
    target = find_target(url)
    began, line = time.monotonic(), _Line(target, deadline=time.monotonic() + seconds, patience=patience)
    status = 0
    try:
        answer = Answer(_begin(line, target, method, body, headers or {}), target.host, most)
        status = answer.status
        yield answer
    finally:
        line.close()
        line.hang_up()
        log.info("outbound_call", method=method, status=status, ms=round((time.monotonic() - began) * 1000))


def _begin(line: "_Line", target: Target, method: str, body: bytes | None, headers: Mapping[str, str]) -> HTTPResponse:
    """Send what is asked, and the first of the answer: its status and headers."""
    try:
        line.request(method, target.path, body=body, headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **headers})
        return line.getresponse()
    except (OSError, HTTPException, ValueError) as error:
        raise _failed(target.host) from error


class _Line(HTTPConnection):
    """A connection to the checked address, whose every wait ends at the deadline."""

    def __init__(self, target: Target, *, deadline: float, patience: float) -> None:
        super().__init__(target.host, target.port)
        self.target, self.deadline, self.patience = target, deadline, patience
        self.lines: list[socket.socket] = []
        if target.secure:
            self.default_port = 443  # so that the Host header names no port where none was written

    def connect(self) -> None:
        """Open the line; the name of the host is for the certificate alone, it is not looked up again."""
        line = socket.create_connection((self.target.address, self.port), timeout=self._left())
        try:
            if self.target.secure:
                line.settimeout(self._left())
                line = ssl.create_default_context().wrap_socket(line, server_hostname=self.target.host)
        except OSError:
            line.close()
            raise
        self.lines.append(line)
        self.sock = _Timed(line, self._left)

    def hang_up(self) -> None:
        """Nothing more is read or sent."""
        for line in self.lines:
            line.close()

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return min(left, self.patience)


class _Timed:
    """A socket whose every read and write has only the time that is left: a line that drips does not outlive its deadline."""

    def __init__(self, line: socket.socket, left: Any) -> None:
        self.line, self.left = line, left

    def sendall(self, data: bytes) -> None:
        """Send it all."""
        self.line.settimeout(self.left())
        self.line.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the answer is read from."""
        return io.BufferedReader(_Raw(self))

    def close(self) -> None:
        """Nothing yet: an answer that ends with the line is still to be read when the connection says so; `stream` hangs up."""


class _Raw(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        self.timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.timed.line.settimeout(self.timed.left())
        return self.timed.line.recv_into(buffer)


def _resolve(host: str, port: int) -> list[Address]:
    """Every address a name has, asked once; spellings like 0x7f.1 come out as what they mean."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ip_address(str(row[4][0])) for row in rows]
    except (OSError, UnicodeError, ValueError):
        return []


def _refuse() -> AddressRefused:
    return AddressRefused(_("This is no address of the web. It begins with https:// and names a host."), rule="address")


def _failed(host: str) -> CallFailed:
    return CallFailed(_("%(host)s did not answer as it should. Try again later.", host=host), rule="outbound")


def _too_large(host: str) -> CallFailed:
    return CallFailed(_("%(host)s sends more than is taken here.", host=host), rule="too_large")
