"""Redis behind a line that goes bad in eight ways (T124): the pages of an academy answer in time, whatever becomes of it."""

import asyncio
import socket
import struct
import threading
from urllib.parse import urlsplit

from tests.load.client import request_of
from tests.load.figure import Figure, Wish
from tests.load.stage import PORT, Stage, a_stage, load, served

TOXICS = ("latency", "down", "bandwidth", "slow close", "timeout", "reset", "slicer", "limit")
LATENCY = 0.15  # seconds in each direction together
BANDWIDTH = 4_000  # bytes a second
LIMIT = 600  # bytes a connection gives before it ends
PAGES = ("lesson page", "catalogue", "course page", "dashboard")
RATE = 12  # pages a second


class Line:
    """A TCP address in front of a Unix socket; what happens on the way is said while it runs."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.toxic = ""
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait(10)

    def turn(self, toxic: str) -> None:
        """Go bad in another way; the connections there were are ended, so that each begins with it."""
        self.toxic = toxic
        self._loop.call_soon_threadsafe(self._end_all)

    def _end_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.run_forever()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.toxic == "down":
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_unix_connection(self.target)
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer, False), self._pump(far_reader, writer, True))
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()  # the line broke, as it was told to
        finally:
            self._open -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool) -> None:
        given = 0
        while said := await reader.read(65536):
            toxic = self.toxic
            if toxic == "timeout":
                continue
            if toxic == "latency" and is_answer:
                await asyncio.sleep(LATENCY)
            if toxic == "bandwidth":
                await asyncio.sleep(len(said) / BANDWIDTH)
            if toxic == "reset" and is_answer and given:
                held = writer.get_extra_info("socket")
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise ConnectionResetError
            given += len(said)
            if toxic == "limit" and is_answer and given > LIMIT:
                writer.write(said[: len(said) // 2])
                raise ConnectionAbortedError
            for part in _slices(said) if toxic == "slicer" else (said,):
                writer.write(part)
                await writer.drain()
                if toxic == "slicer":
                    await asyncio.sleep(0.001)
        if self.toxic == "slow close":
            await asyncio.sleep(3)
        writer.close()


def _slices(said: bytes) -> list[bytes]:
    return [said[at : at + 16] for at in range(0, len(said), 16)]


def toxics(wish: Wish) -> list[Figure]:
    """The pages under each toxic, an open model of requests; no error, and p95 below half a second once it has lasted for three."""
    seconds = 4.0 if wish.quick else 20.0
    figures = []
    with a_stage(200) as stage:
        parts = urlsplit(stage.valkey.url)
        line = Line(parts.path)
        address = (
            f"redis://{parts.netloc}127.0.0.1:{line.port}/0"
            if parts.netloc.endswith("@")
            else f"redis://{parts.netloc}@127.0.0.1:{line.port}/0"
        )
        with served(stage, REDIS_URL=address):
            for toxic in ("", *TOXICS):
                line.turn(toxic)
                figures.append(_under(stage, toxic or "nothing", seconds))
    return figures


def _under(stage: Stage, toxic: str, seconds: float) -> Figure:
    requests = [
        request_of(path, host="localhost", cookie=stage.cookies.get(who, "")).decode("latin-1")
        for path, who in (stage.pages[name] for name in PAGES)
    ]
    plan = {"kind": "open", "host": "127.0.0.1", "port": PORT, "requests": requests, "rate": RATE}
    load({**plan, "seconds": 3.0})
    seen = load({**plan, "seconds": seconds})
    value = f"{seen.count} pages, {seen.errors} errors, p95 {seen.p95:.0f} ms, p99 {seen.p99:.0f} ms"
    return Figure("toxics", f"Redis behind a line with {toxic}", value, "", "p95 < 500 ms, no error", seen.p95 < 500 and not seen.errors)
