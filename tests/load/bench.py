"""The benchmarks: each figure beside a floor measured in the same run. `scripts/bench [names…] [--quick]` prints a table and JSON."""

import argparse
import gzip
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lms.app import create_app
from lms.config import url_for_role
from tests.load.bench_codes import codes
from tests.load.bench_delivery import beats, delivery
from tests.load.bench_enrol import enrol
from tests.load.bench_import import imports
from tests.load.bench_kills import chat_kill
from tests.load.bench_ladder import ladder, pieces, storyboard
from tests.load.bench_lists import csv, lists
from tests.load.bench_live import live
from tests.load.bench_media import playable, upload
from tests.load.bench_processes import chat, start
from tests.load.bench_steady import steady
from tests.load.client import Load, request_of
from tests.load.figure import Bench, Figure
from tests.load.stage import FLOOR_PORT, PORT, ROOT, Stage, a_stage, capture, cpu_seconds, load, served

WARM = 1.5  # seconds


def pages(stage: Stage, quick: bool) -> list[Figure]:
    """Throughput of the pages against bare Flask with the same SQL and the same bytes."""
    seconds = 2.0 if quick else 6.0
    figures = []
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        counts = capture(stage, Path(file.name))
        floor_url = url_for_role(stage.config.database_url, "lms_app", stage.config.secret_key)
        with (
            served(stage) as ours,
            served(stage, "tests.load.floor:application", FLOOR_PORT, FLOOR_PAGES=file.name, FLOOR_DATABASE=floor_url) as floor,
        ):
            for name, (path, who) in stage.pages.items():
                request = request_of(path, host="localhost", cookie=stage.cookies.get(who, "")).decode("latin-1")
                for port in (PORT, FLOOR_PORT):  # both processes of both servers have seen the page before anything is measured
                    load(_closed(port, request, 64, WARM))
                for connections in (1, 32, 256):
                    what = f"{name}, {connections} connections ({counts[name]} queries)"
                    seen = _seen(stage, ours.pid, _closed(PORT, request, connections, seconds))
                    bare = _seen(stage, floor.pid, _closed(FLOOR_PORT, request, connections, seconds))
                    figures.append(_beside(what, seen, bare, counts[name]))
            figures.append(_unchanged(stage, seconds))
    return figures


def _closed(port: int, request: str, connections: int, seconds: float) -> dict[str, Any]:
    """The plan of so many connections, each asking for the same page again and again."""
    return {"kind": "closed", "host": "127.0.0.1", "port": port, "requests": [request], "connections": connections, "seconds": seconds}


def _seen(stage: Stage, server: int, plan: dict[str, Any]) -> tuple[Load, float]:
    """What a plan saw, and the milliseconds of processor time of page server and database for each of its requests."""
    before = cpu_seconds(server, stage.postgres_pid)
    seen = load(plan)
    return seen, 1000 * (cpu_seconds(server, stage.postgres_pid) - before) / max(seen.count, 1)


def _beside(what: str, seen: tuple[Load, float], bare: tuple[Load, float], queries: int) -> Figure:
    """One page beside its floor."""
    (ours, cost), (floor, floor_cost) = seen, bare
    ratio = ours.rate / floor.rate if floor.rate else 0.0
    return Figure(
        "pages",
        what,
        f"{ours.rate:.0f}/s, p95 {ours.p95:.0f} ms, {cost:.2f} ms CPU, {ours.errors} errors",
        f"{floor.rate:.0f}/s, p95 {floor.p95:.0f} ms, {floor_cost:.2f} ms CPU",
        f"ratio {ratio:.2f}, by CPU {floor_cost / cost if cost else 0.0:.2f} (≥ 0.5), ≤ 12 queries",
        ratio >= 0.5 and not ours.errors and queries <= 12,
    )


def _unchanged(stage: Stage, seconds: float) -> Figure:
    """A public page that did not change is answered with 304."""
    import_path = stage.pages["catalogue"][0]
    app = create_app(stage.config, testing=True)
    client = app.test_client(use_cookies=False)
    first = client.get(import_path, base_url="http://localhost")
    again = client.get(import_path, base_url="http://localhost", headers={"If-None-Match": first.headers.get("ETag", "")})
    return Figure("pages", "unchanged catalogue, asked again", str(again.status_code), "304", "304", again.status_code == 304)


def weight(stage: Stage, quick: bool) -> list[Figure]:
    """Bytes of a first visit, compressed: the page and every file it names."""
    app = create_app(stage.config, testing=True)
    figures = []
    for name, bound in (("lesson page", 60_000), ("dashboard", 150_000)):
        path, who = stage.pages[name]
        client = app.test_client(use_cookies=False)
        answer = client.get(path, base_url="http://localhost", headers={"Cookie": stage.cookies[who]})
        html = answer.get_data()
        names = set(re.findall(rb'(?:href|src)="(/static/dist/[^"#]+)', html)) - set(re.findall(rb'data-\w+="(/static/dist/[^"#]+)', html))
        total = len(gzip.compress(html, 6))
        for asset in names:
            content = (ROOT / asset.decode().lstrip("/")).read_bytes()
            total += len(content) if asset.endswith(b".woff2") else len(gzip.compress(content, 9))
        figures.append(Figure("weight", f"{name}, first visit, {len(names)} files", f"{total:,} B", "", f"≤ {bound:,} B", total <= bound))
    return figures


ALL: dict[str, Bench] = {
    "weight": weight,
    "pages": pages,
    "steady": steady,
    "enrol": enrol,
    "codes": codes,
    "import": imports,
    "start": start,
    "chat": chat,
    "chat-kill": chat_kill,
    "playable": playable,
    "upload": upload,
    "ladder": ladder,
    "pieces": pieces,
    "storyboard": storyboard,
    "live": live,
    "delivery": delivery,
    "beats": beats,
    "lists": lists,
    "csv": csv,
}


def machine() -> str:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def main() -> int:
    """Run the benchmarks named, all without a name; 1 when a figure is not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="which; all when none")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that they run")
    parser.add_argument("--people", type=int, default=100_000, help="how many the pages are measured with; the lists have as many again")
    parser.add_argument("--enrolments", type=int, default=500_000, help="how many the lists are measured with")
    parser.add_argument("--film", type=int, default=600, help="seconds of film that the ladder and the pieces make")
    parser.add_argument("--keep", type=Path, help="a folder to keep what was filled in, found again by the next run")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    wish = parser.parse_args()
    figures: list[Figure] = []
    is_light = set(wish.names) and set(wish.names) <= {"lists", "csv", "codes", "import"}  # they bring the people they are measured with
    with a_stage(1_000 if is_light else 2_000 if wish.quick else wish.people, wish.keep) as stage:
        stage.facts |= {"people": wish.people, "enrolments": wish.enrolments, "film": wish.film}
        for name in wish.names or ALL:
            found = ALL[name](stage, wish.quick)
            figures += found
            for figure in found:
                print(
                    f"| {figure.what} | {figure.value} | {figure.floor} | {figure.reaches} | {'yes' if figure.is_reached else 'NO'} |",
                    flush=True,
                )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    report = {
        "machine": machine(),
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit,
        "figures": [asdict(figure) for figure in figures],
    }
    print(json.dumps(report, ensure_ascii=False))
    if wish.json:
        wish.json.write_text(json.dumps(report, ensure_ascii=False, indent=1))
    return 0 if all(figure.is_reached for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
