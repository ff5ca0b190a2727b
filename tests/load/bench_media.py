"""Videos: how fast they come in, and how long until they play."""

import hashlib
import io
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import imageio_ffmpeg
from sqlalchemy import text

from lms.app import connect
from lms.content import jobs, operations, queries
from lms.core import db
from lms.core.clock import now
from lms.core.jobs import perform
from lms.core.storage import LocalStorage, storage
from lms.core.storage.keys import PART_SIZE
from tests.factories import people
from tests.load.figure import Figure
from tests.load.stage import Stage

BIG = "0190a000-0000-7000-8000-000000000001/uploads/big"
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-nostdin", "-loglevel", "error"]
RECIPE = "-f lavfi -i testsrc2=s={size}:r=25 -f lavfi -i sine -t {seconds} -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac"


def playable(stage: Stage, quick: bool) -> list[Figure]:
    """Seconds from the end of an upload to a video that plays, by a worker that is free: the file of phones, of several lengths."""
    connect(stage.config)
    figures = []
    sources = {1: stage.config.home / "film-1.mp4", 30: stage.config.home / "small.mp4"}
    film(sources[1], "1280x720", 60)
    film(sources[30], "640x360", 60)
    for minutes, bound in ((1, 3.0), (30, 5.0)) if quick else ((1, 3.0), (30, 5.0), (120, 15.0)):
        source = sources[1] if minutes == 1 else longer(sources[30], minutes)
        asset_id = received(stage, source)
        began = now()
        run(jobs.process.name)
        seconds = (_playable_at(stage, asset_id) - began).total_seconds()
        size = source.stat().st_size / 1e6
        what = f"upload finished → playable, {minutes} min of H.264/AAC ({size:.0f} MB)"
        figures.append(Figure("playable", what, f"{seconds:.1f} s", "", f"≤ {bound:.0f} s", seconds <= bound))
    return figures


def upload(stage: Stage, quick: bool) -> list[Figure]:
    """Bytes a second of a file through local storage, part by part, against copying and hashing it."""
    size = (512 if quick else 2048) << 20
    source, copy, store = stage.config.home / "big", stage.config.home / "copy", LocalStorage(stage.config.home / "parts")
    with source.open("wb") as made:
        for _mib in range(size >> 20):
            made.write(os.urandom(1 << 20))
        os.fsync(made.fileno())
    ours, floor = [], []
    for _turn in range(3):
        began = time.monotonic()
        _send(store, source, size)
        ours.append(time.monotonic() - began)
        began = time.monotonic()
        subprocess.run(["cp", source, copy], check=True)
        with copy.open("rb") as copied:
            hashlib.file_digest(copied, "sha256")
            os.fsync(copied.fileno())
        floor.append(time.monotonic() - began)
        copy.unlink()
        store.delete(BIG)
    ratio = min(floor) / min(ours)
    words = f"{size / min(ours) / 1e6:.0f} MB/s", f"{size / min(floor) / 1e6:.0f} MB/s (cp, hash, sync)"
    return [Figure("upload", f"{size >> 20} MB in parts through local storage", *words, f"ratio {ratio:.2f} (≥ 0.5)", ratio >= 0.5)]


def _send(store: LocalStorage, source: Path, size: int) -> None:
    """Send it as a browser does: three parts at a time."""
    upload_id = store.begin(BIG)

    def part(number: int) -> None:
        at = (number - 1) * PART_SIZE
        length = min(PART_SIZE, size - at)
        with source.open("rb") as stream:
            stream.seek(at)
            store.put_part(BIG, upload_id, number, io.BytesIO(stream.read(length)), length)

    with ThreadPoolExecutor(3) as senders:
        list(senders.map(part, range(1, -(-size // PART_SIZE) + 1)))
    store.complete(BIG, upload_id)


def film(path: Path, size: str, seconds: int) -> None:
    """A file as phones make it: H.264 with a keyframe every two seconds, and AAC."""
    subprocess.run([*FFMPEG, *RECIPE.format(size=size, seconds=seconds).split(), str(path)], check=True)


def longer(minute: Path, minutes: int) -> Path:
    """The same minute so many times over, without encoding it again."""
    path = minute.with_name(f"film-{minutes}.mp4")
    subprocess.run([*FFMPEG, "-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy", str(path)], check=True)
    return path


def received(stage: Stage, source: Path) -> UUID:
    """The file as an upload in parts leaves it: every part in the store, not yet one file."""
    with db.unit_of_work(stage.channel_id):
        upload = operations.start_upload(source.name, source.stat().st_size, "video", by=people.root())
    with source.open("rb") as stream:
        for number in range(1, upload.part_count + 1):
            size = upload.size_of(number)
            storage().put_part(upload.key, upload.upload_id, number, io.BytesIO(stream.read(size)), size)
    with db.unit_of_work(stage.channel_id):
        found = queries.get_upload(upload.asset_id)
        operations.complete_upload(found, queries.lock_asset(upload.asset_id), by=people.root())
        return upload.asset_id


def _playable_at(stage: Stage, asset_id: UUID) -> datetime:
    with db.unit_of_work(stage.channel_id):
        return queries.get_asset(asset_id).playable_at or now() + timedelta(days=1)


def run(*tasks: str) -> None:
    """Do what waits of these tasks (and what hands it to them) as a worker does, to the end."""
    while True:
        with db.unit_of_work(platform=True) as session:
            due = "SELECT id FROM core.outbox WHERE done_at IS NULL AND dead_at IS NULL AND (task = ANY(:tasks) OR task LIKE '%process_it')"
            rows = session.execute(text(f"{due} ORDER BY run_at"), {"tasks": list(tasks)}).scalars().all()
        done = [perform(row) for row in rows]
        if not any(done):
            return
