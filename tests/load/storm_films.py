"""Films past every limit through the workers of production (T055): each ends, with a sentence where it is refused, and others flow beside it."""

import os
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
from sqlalchemy import text

from lms.content import operations
from lms.content.errors import WrongUpload
from lms.content.gateways import at_once
from lms.core import db
from lms.core.sandbox import MIB
from lms.core.serving import QUICK_QUEUES
from lms.core.storage import LocalStorage, storage
from tests.factories import people
from tests.load import storm_tasks
from tests.load.bench_media import FFMPEG
from tests.load.figure import Figure, Wish
from tests.load.stage import Stage, a_stage
from tests.load.storm_jobs import Crew, nothing_waits

FILMS: dict[str, str] = {
    "8k.mp4": "-f lavfi -i testsrc2=s=7680x4320:r=25:d=1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    "over 8k.mkv": "-f lavfi -i color=s=9000x5000:r=2:d=1 -c:v ffv1",
    "240 fps.mp4": "-f lavfi -i testsrc2=s=1280x720:r=240:d=4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    "1,000 streams.mp4": "-f lavfi -i anullsrc=r=8000:d=0.2 " + "-map 0:a " * 1000 + "-c:a aac -b:a 8k",
    "36 h in 3 pictures.mp4": "-f lavfi -i testsrc2=s=320x180:r=1/43200 -frames:v 3 -c:v libx264 -pix_fmt yuv420p",
    "11 h in 2 pictures.mp4": "-f lavfi -i testsrc2=s=320x180:r=1/20000 -frames:v 2 -c:v libx264 -pix_fmt yuv420p",
    "3 h of nothing.mp4": "-f lavfi -i color=s=16x16:r=1:d=10800 -f lavfi -i anullsrc=r=48000:d=10800 -c:v libx264 -c:a aac -b:a 8k",
    "one pixel.mkv": "-f lavfi -i testsrc2=s=2x2:r=25:d=1 -c:v ffv1",
    "a ribbon.mkv": "-f lavfi -i testsrc2=s=8190x2:r=25:d=1 -c:v ffv1",
}
QUIET_SECONDS, PATIENCE = 20, 420


def films(wish: Wish) -> list[Figure]:
    """The films through two workers, with healthy jobs before and beside them."""
    with a_stage(10) as stage:
        nothing_waits(stage)
        with psycopg.connect(stage.config.database_url, autocommit=True) as owner:
            owner.execute(storm_tasks.MARKS)
        with db.unit_of_work(stage.channel_id):
            refused = _refused_at_the_door()
        crew = Crew(stage, "-m", "tests.load.storm_tasks", quick=(QUICK_QUEUES,))
        fattest = [0]
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(crew, fattest, ended))
        watcher.start()
        try:
            before = _healthy(stage, QUIET_SECONDS, lambda: False)
            made = _hostile_films(stage, wish.quick)
            beside = _healthy(stage, PATIENCE, lambda: not _open(stage))
        finally:
            ended.set()
            watcher.join()
            crew.end()
        rows = _ends(stage)
    for row in rows:
        print(f"  {row.filename}: {row.state}, {row.seconds or 0:.0f} s, {row.failure or ''}", flush=True)
    open_still = [row.filename for row in rows if row.state not in ("ready", "failed")]
    wait, wait_beside = before[int(len(before) * 0.95)], beside[int(len(beside) * 0.95)]
    return [
        Figure("films", f"{made} films past a limit, and one without a byte ({refused})", f"{len(open_still)} without an end {open_still}; "
               f"{sum(row.state == 'ready' for row in rows)} made all the same, {sum(row.state == 'failed' for row in rows)} refused with a sentence", "",
               "all end", not open_still and all(row.failure for row in rows if row.state == "failed") and bool(refused)),
        Figure("films", f"healthy jobs beside them ({len(beside)}; {at_once()} of two workers at media), p95 from written to done",
               f"{wait_beside * 1000:.0f} ms (longest {beside[-1]:.1f} s)", f"{wait * 1000:.0f} ms alone", "< 5 s", wait_beside < 5),
        Figure("films", "the fattest program at a film", f"{fattest[0] / MIB:,.0f} MiB", "", "≤ 6,144 MiB (its limit)", fattest[0] <= 6144 * MIB),
    ]  # fmt: skip


def _refused_at_the_door() -> str:
    try:
        operations.start_upload("nothing.mp4", 0, "video", by=people.root())
    except WrongUpload as refusal:
        return refusal.sentence
    return ""


def _hostile_films(stage: Stage, quick: bool) -> int:
    """Make the films and hand each to the workers; how many."""
    folder = Path(stage.config.home)
    names = list(FILMS)[1:3] if quick else list(FILMS)
    for name in names:
        subprocess.run([*FFMPEG, *FILMS[name].split(), str(folder / name)], check=True)
    good = folder / "good.mp4"
    recipe = "-f lavfi -i testsrc2=s=1280x720:r=25:d=20 -f lavfi -i sine=d=20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
    subprocess.run([*FFMPEG, *recipe.split(), str(good)], check=True)
    subprocess.run([*FFMPEG, "-i", str(good), "-c", "copy", "-movflags", "+faststart", str(folder / "index first.mp4")], check=True)
    subprocess.run([*FFMPEG, "-i", str(good), "-c", "copy", str(folder / "good.mkv")], check=True)
    whole, first, matroska = (path.read_bytes() for path in (good, folder / "index first.mp4", folder / "good.mkv"))
    cut = {
        "truncated, index last.mp4": whole[: len(whole) // 2],
        "truncated, index first.mp4": first[: len(first) // 2],
        "truncated.mkv": matroska[: len(matroska) // 2],
        "head alone.mp4": first[:32],
        "a header that says a day.mp4": _says(first, 24 * 3600),
    }
    for name, data in cut.items():
        (folder / name).write_bytes(data)
    sparse = {"10 GB of nothing.mp4": first[:32], "10 GB behind a film.mp4": first, "10 GB behind a film.mkv": matroska}
    for name in (*names, *cut):
        _hand_over(stage, folder / name)
    for name, data in sparse.items():
        (folder / name).write_bytes(data)
        _hand_over(stage, folder / name, 10 << 30)
    return len(names) + len(cut) + len(sparse)


def _says(data: bytes, seconds: int) -> bytes:
    """An MP4 whose header claims another length, as much of it as fits: mvhd's, in its own time scale."""
    at = data.index(b"mvhd") + 4
    scale = struct.unpack(">I", data[at + 12 : at + 16])[0]
    return data[: at + 16] + struct.pack(">I", min(seconds * scale, 2**32 - 2)) + data[at + 20 :]


def _hand_over(stage: Stage, path: Path, size: int = 0) -> None:
    """Have the workers take a file, blown up to a size by a hole at its end."""
    with db.unit_of_work(stage.channel_id) as session:
        asset = operations.receive_path(path, path.name, "video", by=people.root())
        store = storage()
        assert isinstance(store, LocalStorage)
        if size:
            os.truncate(store.path_of(asset.original_key), size)
            asset.size, asset.sha256 = size, None
        session.flush()


def _healthy(stage: Stage, seconds: float, is_over: Callable[[], bool]) -> list[float]:
    """Five jobs a second for so long or until it is over; how long each took from written to done, the shortest first."""
    marks, until = [], time.monotonic() + seconds
    while time.monotonic() < until and not is_over():
        with db.unit_of_work(stage.channel_id):
            for _ in range(5):
                marks.append(str(uuid4()))
                storm_tasks.quick.later(mark=marks[-1])
        time.sleep(1)
    time.sleep(6)
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        rows = session.execute(
            text(
                "SELECT extract(epoch FROM done_at - created_at) FROM core.outbox WHERE task = :task AND payload ->> 'mark' = ANY(:marks)"
            ),
            {"task": storm_tasks.quick.name, "marks": marks},
        )
        return sorted(999.0 if one is None else float(one) for one in rows.scalars())


def _open(stage: Stage) -> int:
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        return int(session.execute(text("SELECT count(*) FROM content.assets WHERE state NOT IN ('ready', 'failed')")).scalar_one())


def _ends(stage: Stage) -> list[Any]:
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        return list(
            session.execute(
                text(
                    "SELECT filename, state, failure, extract(epoch FROM updated_at - created_at) AS seconds FROM content.assets ORDER BY id"
                )
            )
        )


def _watch(crew: Crew, fattest: list[int], ended: threading.Event) -> None:
    """Note the biggest resident size of any program that a work-horse started."""
    while not ended.wait(0.2):
        for worker in crew.workers:
            with suppress(psutil.NoSuchProcess):
                for horse in psutil.Process(worker.pid).children():
                    for one in horse.children(recursive=True):
                        with suppress(psutil.NoSuchProcess):
                            fattest[0] = max(fattest[0], one.memory_info().rss)
