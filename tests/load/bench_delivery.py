"""Films and classes given away by nginx, and the reports of those who watch: in CPU time, since other people use the machine as well."""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from lms.web import passes
from tests.deploy import proxy
from tests.load.bench_steady import requests_of_people
from tests.load.client import request_of
from tests.load.figure import Figure
from tests.load.stage import PORT, Stage, load, served

SEGMENT = 300_000  # bytes: two seconds of a class at 1.2 Mbit/s
VIEWERS = 500
WATCHERS, EVERY = 1000, 30.0  # a player reports every so many seconds
FLOOR = "location /floor/ {{ alias {folder}/; }}"


def delivery(stage: Stage, quick: bool) -> list[Figure]:
    """CPU time of nginx for a segment behind a pass against the same file given to anybody, and for 500 viewers of one class."""
    if proxy.NGINX is None:
        return [Figure("delivery", "segments by nginx", "no nginx here", "", "ratio ≥ 0.9", False)]
    home, session = stage.config.home.resolve(), uuid4()
    folder = home / "live" / str(stage.channel_id) / str(session) / "hls"
    folder.mkdir(parents=True)
    (folder / "seg_00001.ts").write_bytes(os.urandom(SEGMENT))
    (folder / "index.m3u8").write_text("#EXTM3U\n" + "#EXTINF:2.0,\nseg_00001.ts\n" * 12)
    place = f"/streaming/live/{stage.channel_id}/{session}/"
    with ExitStack() as stack:
        address = stack.enter_context(proxy.nginx(home, f"127.0.0.1:{PORT}", more=FLOOR.format(folder=folder)))
        port, pids = int(address.rpartition(":")[2]), _children(int((home / "nginx" / "nginx.pid").read_text()))

        def seen(kind: str, paths: list[str], **more: object) -> tuple[float, int, int]:
            """CPU seconds, answers and errors of a run."""
            cookie = f"{passes.COOKIE}={passes.make_pass(place, at=time.time())}"
            requests = [request_of(path, host="localhost", cookie=cookie).decode() for path in paths]
            before = _cpu(pids)
            made = load({"kind": kind, "host": "127.0.0.1", "port": port, "requests": requests, **more})
            return _cpu(pids) - before, made.count, made.errors

        seconds = 4.0 if quick else 12.0
        ours, floor = [], []
        for _turn in range(3):  # taken by turns, so that neighbours disturb both alike
            for path, costs in ((f"{place}token.token/seg_00001.ts", ours), ("/floor/seg_00001.ts", floor)):
                cpu, count, errors = seen("closed", [path], connections=16, seconds=seconds / 3)
                assert not errors, errors
                costs.append(cpu / count)
        cost, least = min(ours), min(floor)
        watching = [f"{place}token.token/index.m3u8", f"{place}token.token/seg_00001.ts"]
        cpu, count, errors = seen("opened", watching, rate=float(VIEWERS), seconds=10.0 if quick else 30.0)
    core = cpu / (count / VIEWERS)  # had they come at the pace that was meant
    return [
        Figure(
            "delivery",
            "a segment of 300 kB behind a pass, CPU of nginx; not one asked of Python",
            f"{cost * 1e6:.0f} µs",
            f"{least * 1e6:.0f} µs (the file for anybody)",
            f"ratio {least / cost:.2f} (≥ 0.9)",
            least / cost >= 0.9,
        ),
        Figure(
            "delivery",
            f"{VIEWERS} viewers of one class (a playlist and 300 kB every 2 s each), {errors} errors",
            f"{core:.2f} core",
            "",
            "≤ 0.3 core",
            core <= 0.3 and not errors,
        ),
    ]


def beats(stage: Stage, quick: bool) -> list[Figure]:
    """CPU of the page server for what the players of 1,000 people report."""
    requests = [one for one in requests_of_people(stage, 50) if one.startswith("POST")]
    with served(stage) as server:
        plan = {"kind": "closed", "host": "127.0.0.1", "port": PORT, "requests": requests, "connections": 4}
        load({**plan, "seconds": 3.0})
        pids = [server.pid, *_children(server.pid)]
        before = _cpu(pids)
        made = load({**plan, "seconds": 8.0 if quick else 20.0})
        cost = (_cpu(pids) - before) / made.count
    core = cost * WATCHERS / EVERY
    what = (
        f"reports of {WATCHERS} watchers, one in {EVERY:.0f} s each ({made.count} measured, {made.errors} errors), CPU of the page server"
    )
    return [Figure("beats", what, f"{core:.3f} core ({cost * 1000:.2f} ms each)", "", "≤ 0.1 core", core <= 0.1 and not made.errors)]


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu(pids: list[int]) -> float:
    """CPU seconds of these processes so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
