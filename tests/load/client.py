"""A small HTTP load generator on asyncio: closed loops of N connections, and an open model of R requests a second."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Load:
    """What a run saw: requests a second, latencies in milliseconds, answers that were not 2xx or 3xx."""

    rate: float
    p50: float
    p95: float
    p99: float
    errors: int
    count: int


def summary(latencies: list[float], errors: int, seconds: float) -> Load:
    """The figures of a run from its latencies in seconds."""
    ordered = sorted(latencies) or [0.0]

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)

    return Load(round(len(latencies) / seconds, 1), at(0.5), at(0.95), at(0.99), errors, len(latencies))


class Connection:
    """One keep-alive connection that sends a request and reads the answer."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def send(self, request: bytes) -> int:
        """The status of the answer; opens the connection again when the server closed it."""
        is_fresh = self.writer is None or self.writer.is_closing()
        if is_fresh:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        assert self.reader is not None and self.writer is not None
        self.writer.write(request)
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as broken:
            self.writer.close()
            self.writer = None
            if is_fresh or getattr(broken, "partial", b""):
                return 0
            return await self.send(request)  # the server had closed a line that was quiet for long: a browser asks on a new one
        status = int(head[9:12])
        lowered = head.lower()
        if b"content-length:" in lowered:
            length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if length:
                await self.reader.readexactly(length)
        elif b"chunked" in lowered:
            while (size := int((await self.reader.readline()).split(b";")[0], 16)) > 0:
                await self.reader.readexactly(size + 2)
            await self.reader.readline()
        if b"connection: close" in lowered:
            self.writer.close()
            self.writer = None
        return status

    def close(self) -> None:
        """Close the connection."""
        if self.writer is not None:
            self.writer.close()


def request_of(path: str, *, host: str, cookie: str = "", method: str = "GET", body: bytes = b"", headers: str = "") -> bytes:
    """The bytes of a request."""
    lines = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nAccept-Encoding: identity\r\n"
    if cookie:
        lines += f"Cookie: {cookie}\r\n"
    if body:
        lines += f"Content-Length: {len(body)}\r\n"
    return (lines + headers + "\r\n").encode() + body


async def closed(host: str, port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    """N connections, each sending the next request as soon as the last is answered."""
    latencies: list[float] = []
    errors = 0
    end = time.perf_counter() + seconds

    async def loop(number: int) -> None:
        nonlocal errors
        connection = Connection(host, port)
        turn = number
        while time.perf_counter() < end:
            began = time.perf_counter()
            status = await connection.send(requests[turn % len(requests)])
            latencies.append(time.perf_counter() - began)
            errors += not 200 <= status < 400
            turn += 1
        connection.close()

    await asyncio.gather(*(loop(number) for number in range(connections)))
    return summary(latencies, errors, seconds)


async def opened(host: str, port: int, requests: Sequence[bytes], *, rate: float, seconds: float) -> Load:
    """R requests a second at random moments, whether or not the last were answered: latency counts from the planned moment."""
    latencies: list[float] = []
    errors = 0
    free: list[Connection] = []
    tasks: set[asyncio.Task[None]] = set()
    generator = random.Random(7)

    async def one(request: bytes, planned: float) -> None:
        nonlocal errors
        connection = free.pop() if free else Connection(host, port)
        status = await connection.send(request)
        latencies.append(time.perf_counter() - planned)
        errors += not 200 <= status < 400
        free.append(connection)

    began = time.perf_counter()
    planned = began
    while planned - began < seconds:
        planned += generator.expovariate(rate)
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        task = asyncio.create_task(one(generator.choice(requests), planned))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return summary(latencies, errors, seconds)


def main() -> None:
    """Read a plan as JSON from standard input, run it, print the figures as JSON; a process of its own, so as not to share the server's GIL."""
    plan = json.load(sys.stdin)
    requests = [request.encode("latin-1") for request in plan["requests"]]
    if plan["kind"] == "closed":
        run = closed(plan["host"], plan["port"], requests, connections=plan["connections"], seconds=plan["seconds"])
    else:
        run = opened(plan["host"], plan["port"], requests, rate=plan["rate"], seconds=plan["seconds"])
    print(json.dumps(asdict(asyncio.run(run))))


if __name__ == "__main__":
    main()
