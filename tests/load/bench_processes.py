"""The whole platform as one command starts it: time to the first page, memory at rest; and a room full of sockets."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.load.figure import Figure
from tests.load.stage import ROOT, Stage
from tests.servers import remove_home, throwaway_home

START_PORT = 8481


def start(stage: Stage, quick: bool) -> list[Figure]:
    """Seconds from the command to the first page, on a fresh home and again; memory of all processes with the demo, at rest."""
    home = throwaway_home()
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    environ = {**clean, "LMS_HOME": str(home), "LMS_PORT": str(START_PORT)}
    try:
        fresh, _ = _run({**environ, "LMS_DEMO": "0"})
        warm, _ = _run({**environ, "LMS_DEMO": "0"})
        _, memory = _run({**environ, "LMS_DEMO": "1"}, rest=20 if quick else 60)
    finally:
        remove_home(home)
    return [
        Figure("start", "command to first page, fresh home", f"{fresh:.1f} s", "", "≤ 10 s", fresh <= 10),
        Figure("start", "command to first page, warm", f"{warm:.1f} s", "", "≤ 3 s", warm <= 3),
        Figure("start", "memory of all processes, at rest after the demo", f"{memory / 2**20:.0f} MiB", "", "≤ 600 MB", memory <= 600e6),
    ]


def _run(environ: Mapping[str, str], rest: float = 0.0) -> tuple[float, int]:
    began = time.perf_counter()
    argv = [sys.executable, "-m", "lms", "serve"]
    process = subprocess.Popen(argv, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        while not _answers():
            if process.poll() is not None or time.perf_counter() - began > 120:
                raise RuntimeError("the platform did not start")
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        memory = 0
        if rest:
            _until_seeded(Path(environ["LMS_HOME"]))
            time.sleep(rest)
            memory = _memory(process.pid, environ["LMS_HOME"])
        return seconds, memory
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _until_seeded(home: Path) -> None:
    deadline = time.monotonic() + 120
    while not (home / "demo.json").exists() and time.monotonic() < deadline:
        time.sleep(0.5)


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{START_PORT}/healthz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def _memory(root: int, home: str) -> int:
    """The proportional memory (PSS) of a process and all below it, and of the servers of its home, in bytes."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    total = 0
    for pid in parents:
        above, seen = pid, set()
        while above in parents and above != root and above not in seen:
            seen.add(above)
            above = parents[above]
        if above == root:
            try:
                found = re.search(r"Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text())
            except OSError:
                continue
            total += int(found[1]) * 1024 if found else 0
    return total


def chat(stage: Stage, quick: bool) -> list[Figure]:
    """One room of many sockets, against a bare asyncio broadcast server in the same run: a lively class, and a lecture."""
    if quick:
        return _room(200, 20, 5, p95=60)
    return _room(1000, 20, 15, p95=60) + _room(5000, 2, 20, p95=150)


def _room(count: int, rate: int, seconds: int, *, p95: int) -> list[Figure]:
    argv = [sys.executable, "-m", "tests.load.bench_chat", "--sockets", str(count), "--rate", str(rate), "--seconds", str(seconds)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout[done.stdout.index("{") :])
    ours, floor, ratio = seen["lectern"], seen["bare_asyncio"], seen["cpu_ratio"]
    return [
        Figure(
            "chat",
            f"{ours['sockets']} sockets in one room, {seen['rate']:.0f} messages/s",
            f"p95 {ours['p95_ms']:.0f} ms, {ours['lost']} lost, {ours['deliveries_per_second']:,} deliveries/s",
            f"p95 {floor['p95_ms']:.0f} ms (bare asyncio broadcast)",
            f"p95 ≤ {p95} ms, none lost, CPU per delivery {ratio:.2f} × (≤ 1.3)",
            ours["p95_ms"] <= p95 and not ours["lost"] and ratio <= 1.3,
        )
    ]
