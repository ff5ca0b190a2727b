"""WebSockets (RFC 6455) on the raw socket of gunicorn, under threads and under gevent alike.

Every byte leaves through one bounded queue per socket: data, pings, pongs and the close frame. A write never blocks its
caller and never tears a frame apart; a reader that is too slow is dropped and resumes by its cursor. A frame is encoded once
and shared by all who get it (`text_frame`).
"""

import base64
import hashlib
import select
import socket
import struct
import threading
import time
from binascii import Error as BadBase64
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TypeVar

from flask import Response, request
from werkzeug.exceptions import HTTPException
from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from lms.core.errors import Invalid, Unavailable
from lms.core.i18n import gettext as _

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MOST_BYTES_IN = 64 * 1024
MOST_BYTES_WAITING = 1024 * 1024
MOST_FRAMES_WAITING = 512
STALL_SECONDS = 20.0
READ_SIZE = 16 * 1024
NOW = int(socket.MSG_DONTWAIT) | int(socket.MSG_NOSIGNAL)


class Closed(Exception):
    """The conversation is over; `code` says how (RFC 6455 §7.4.1), 1006 when the line broke."""

    def __init__(self, code: int, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}".strip())


class UpgradeRequired(HTTPException):
    """426 (RFC 9110 §15.5.22): the address speaks another protocol than the one it was asked in."""

    code = 426
    description = "This address speaks WebSocket, version 13."

    def get_headers(self, *args: Any, **options: Any) -> list[tuple[str, str]]:
        """The usual headers and the protocol to ask in."""
        return [*super().get_headers(*args, **options), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]


def text_frame(text: str | bytes) -> bytes:
    """One unmasked, final text frame: what a server sends, ready to be shared by any number of sockets."""
    return _frame(Opcode.TEXT, text.encode() if isinstance(text, str) else text)


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


PING = _frame(Opcode.PING, b"")


class WebSocket:
    """One open socket. `send` may be called from any thread or greenlet; `receive` from the one that serves the socket."""

    __slots__ = (
        "_lock", "_pieces", "_pieces_bytes", "_protocol", "_raw_send", "_sock", "_waiting", "_waiting_bytes", "_writing",
        "at_once", "closing_since", "heard_at", "is_open", "opened_at", "why",
    )  # fmt: skip

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        # gevent's socket waits inside send(); the plain socket below it does not, and MSG_DONTWAIT keeps a thread's from waiting.
        self._raw_send = getattr(sock, "_sock", sock).send
        # Greenlets change places only where they wait, and below nothing waits but the start of a writer, last of all:
        # threads need a lock, greenlets do not.
        self._lock: AbstractContextManager[Any] = nullcontext() if hasattr(sock, "_sock") else threading.Lock()
        self._waiting: deque[memoryview] = deque()
        self._waiting_bytes = 0
        self._writing = False
        self._protocol = FrameProtocol(client=False, extensions=[])
        self._pieces: list[str] = []
        self._pieces_bytes = 0
        self.is_open = True
        self.why = ""
        self.closing_since = 0.0
        self.heard_at = self.opened_at = time.monotonic()
        # How `spread` writes without a detour: the kernel's own send while the socket is open and nothing waits, else None.
        self.at_once: Callable[[bytes, int], int] | None = None
        self._settle()

    # --- writing ----------------------------------------------------------------------------------------------------------

    @property
    def send(self) -> Callable[[bytes], bool]:
        """Send a frame made by `text_frame`, now or as soon as the reader takes it; false when the socket is gone. Never blocks."""
        return self._send if isinstance(self._lock, nullcontext) else self._send_locked

    def _send_locked(self, frame: bytes) -> bool:
        with self._lock:
            return self._send(frame)

    def _send(self, frame: bytes) -> bool:
        if self.closing_since or not self.is_open:
            return False
        if self._writing:
            return self._write(frame)
        try:  # by far the most frequent case, without a detour: nothing waits, and the kernel takes the frame whole
            sent = self._raw_send(frame, NOW)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._cut("broken")
            return False
        return sent == len(frame) or self.wait_in_line(memoryview(frame)[sent:])

    def ping(self) -> None:
        """Ask the other side whether it is still there; browsers answer by themselves."""
        self.send(PING)

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye after what already waits; nothing is sent afterwards. Closing twice changes nothing."""
        with self._lock:
            if self.is_open and not self.closing_since:
                self._write(_frame(Opcode.CLOSE, struct.pack("!H", code) + reason.encode()[:120]))
                self.closing_since = time.monotonic()
                self._settle()

    def drop(self, why: str) -> None:
        """Cut the line; the thread that serves the socket sees its end at once."""
        with self._lock:
            self._cut(why)

    def _write(self, frame: bytes) -> bool:
        sent = 0 if self._writing else self._try(frame)
        if sent < 0:
            return False
        return sent == len(frame) or self.wait_in_line(memoryview(frame)[sent:])

    def wait_in_line(self, rest: memoryview) -> bool:
        """Queue what the kernel did not take, behind what waits already; a reader with too much waiting is dropped."""
        if len(self._waiting) >= MOST_FRAMES_WAITING or self._waiting_bytes + len(rest) > MOST_BYTES_WAITING:
            self._cut("slow")
            return False
        self._waiting.append(rest)
        self._waiting_bytes += len(rest)
        if not self._writing:
            self._writing = True
            self._settle()
            threading.Thread(target=self._drain, name="socket-writer", daemon=True).start()
        return True

    def _try(self, data: bytes | memoryview) -> int:
        """How many bytes the kernel took: 0 when it is full, -1 when the line is broken."""
        try:
            return int(self._raw_send(data, NOW))
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._cut("broken")
            return -1

    def _cut(self, why: str) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._settle()
        self.why = why
        self._waiting.clear()
        self._waiting_bytes = 0
        with suppress(OSError):  # the other side may be faster
            self._sock.shutdown(socket.SHUT_RDWR)

    def _drain(self) -> None:
        """Write what waits, in order, whenever the kernel has room; runs only while something waits."""
        try:
            poll = select.poll()
            poll.register(self._sock.fileno(), select.POLLOUT)
        except (OSError, ValueError):
            self.drop("broken")
            return
        while self.is_open:
            if not poll.poll(STALL_SECONDS * 1000):
                self.drop("stalled")
                return
            if not self._drain_some():
                return

    def _drain_some(self) -> bool:
        """Hand the kernel as much as it takes; false when nothing is left to wait for."""
        with self._lock:
            while self.is_open and self._waiting:
                head = self._waiting[0]
                sent = self._try(head)
                if sent < len(head):
                    if sent > 0:
                        self._waiting[0] = head[sent:]
                        self._waiting_bytes -= sent
                    return sent >= 0
                self._waiting.popleft()
                self._waiting_bytes -= sent
            self._writing = False
            self._settle()
            return False

    def _settle(self) -> None:
        """Say anew whether a frame may go straight to the kernel: under greenlets, while nothing waits and nobody said goodbye."""
        is_free = self.is_open and not self._writing and not self.closing_since
        self.at_once = self._raw_send if is_free and isinstance(self._lock, nullcontext) else None

    # --- reading ----------------------------------------------------------------------------------------------------------

    def receive(self) -> str:
        """The next text message; raises Closed when there will be none. Pings are answered on the way."""
        while True:
            for message in self._messages():
                return message
            try:
                data = self._sock.recv(READ_SIZE)
            except OSError as error:
                raise self._end(1006, "broken") from error
            if not data or not self.is_open:
                raise self._end(1006, "broken")
            self.heard_at = time.monotonic()
            self._protocol.receive_bytes(data)

    def _messages(self) -> Iterator[str]:
        try:
            for frame in self._protocol.received_frames():
                message = self._take(frame)
                if message is not None:
                    yield message
        except ParseFailed as error:
            raise self._refuse(int(error.code), "That is not a WebSocket message.") from error

    def _take(self, frame: Frame) -> str | None:
        """The finished message a frame ends, if it does; control frames are answered here."""
        payload: Any = frame.payload  # bytes, str or (code, reason), by the opcode
        if frame.opcode is Opcode.PING:
            self._answer(payload)
        elif frame.opcode is Opcode.CLOSE:
            code, reason = payload
            self.close(1000 if code == CloseReason.NO_STATUS_RCVD else int(code))
            raise self._end(int(code), str(reason or "closed"))
        elif frame.opcode is Opcode.BINARY:
            raise self._refuse(1003, "Only text is spoken here.")
        elif frame.opcode is Opcode.TEXT:
            self._pieces.append(payload)
            self._pieces_bytes += len(payload) if payload.isascii() else len(payload.encode())
            if self._pieces_bytes > MOST_BYTES_IN:
                raise self._refuse(1009, "A message takes 64 KB at most.")
            if frame.message_finished:
                whole, self._pieces, self._pieces_bytes = "".join(self._pieces), [], 0
                return whole if not self.closing_since else None
        return None

    def _answer(self, payload: Any) -> None:
        with self._lock:
            if self.is_open and not self.closing_since:
                self._write(_frame(Opcode.PONG, bytes(payload)))

    def _refuse(self, code: int, reason: str) -> Closed:
        self.close(code, reason)
        return Closed(code, reason)

    def _end(self, code: int, why: str) -> Closed:
        with self._lock:
            why = self.why or why
            if code == 1006:
                self._cut(why)
        return Closed(code, why)

    def let_drain(self, *, below: int = 64 * 1024, seconds: float = STALL_SECONDS) -> None:
        """Wait until little waits to be written: for whoever sends much at once, from the thread that serves the socket."""
        until = time.monotonic() + seconds
        while self.is_open and self._waiting_bytes > below and time.monotonic() < until:
            time.sleep(0.01)

    def finish(self, seconds: float = 2.0) -> None:
        """Let what waits and the close frame leave, then cut the line."""
        until = time.monotonic() + seconds
        while self.is_open and self._waiting and time.monotonic() < until:
            time.sleep(0.02)
        self.drop("finished")


class BinarySocket(WebSocket):
    """A socket on which the other side also sends bytes: `receive_any` gives text or bytes, in the order they came."""

    __slots__ = ("_bytes", "_taken")

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self._bytes = bytearray()
        self._taken: bytes | None = None

    def receive_any(self) -> str | bytes:
        """The next message; raises Closed when there will be none."""
        text = self.receive()
        taken, self._taken = self._taken, None
        return text if taken is None else taken

    def _take(self, frame: Frame) -> str | None:
        if frame.opcode is not Opcode.BINARY:
            return super()._take(frame)
        payload: Any = frame.payload  # bytes, by the opcode
        self._bytes += payload
        if len(self._bytes) > MOST_BYTES_IN:
            raise self._refuse(1009, "A message takes 64 KB at most.")
        if not frame.message_finished:
            return None
        self._taken = bytes(self._bytes)
        self._bytes.clear()
        return "" if not self.closing_since else None


def spread(sockets: Iterable[WebSocket], frame: bytes) -> None:
    """Send one frame to many sockets. Nearly all of a big room's time is spent here, so the usual case is written out."""
    size = len(frame)
    for ws in sockets:
        send = ws.at_once
        if send is None:
            ws.send(frame)
            continue
        try:
            sent = send(frame, NOW)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            ws.drop("broken")
            continue
        if sent != size:
            ws.wait_in_line(memoryview(frame)[sent:])


# --- the door -----------------------------------------------------------------------------------------------------------------


def offered_protocols() -> list[str]:
    """The sub-protocols the browser offers, in its order."""
    return [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]


S = TypeVar("S", bound=WebSocket)


def accept(protocol: str | None = None, made: type[S] = WebSocket) -> S:  # type: ignore[assignment]
    """Take over the socket of the running request and finish the handshake; raises when the request is no upgrade."""
    headers = request.headers
    if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in headers.get("Connection", "").lower():
        raise UpgradeRequired
    if headers.get("Sec-WebSocket-Version") != "13":
        raise UpgradeRequired
    sock = request.environ.get("gunicorn.socket")
    if sock is None:
        raise Unavailable(_("This server cannot hold a socket open. Ask the operator to run gunicorn."))
    answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {_accept_key()}"]
    if protocol:
        answer.append(f"Sec-WebSocket-Protocol: {protocol}")
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall("\r\n".join([*answer, "", ""]).encode())
    return made(sock)


def _accept_key() -> str:
    key = request.headers.get("Sec-WebSocket-Key", "")
    try:
        raw = base64.b64decode(key, validate=True)
    except BadBase64 as error:
        raise Invalid(_("The handshake has no valid key.")) from error
    if len(raw) != 16:
        raise Invalid(_("The handshake has no valid key."))
    return base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()


class Spoken(Response):
    """The answer of a view whose request became a conversation: there is nothing left to say in HTTP."""

    def __call__(self, *_args: object, **_options: object) -> Any:
        raise StopIteration  # what gunicorn's workers take as: this connection is done
