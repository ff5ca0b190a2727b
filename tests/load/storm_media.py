"""Media made to hurt: films past every limit through the workers of production (T055), and pictures that swell when opened (T056)."""

import io
import json
import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
from PIL import Image
from sqlalchemy import text

from lms.content import operations
from lms.content.errors import WrongUpload
from lms.content.gateways import at_once
from lms.core import db, sandbox
from lms.core.errors import Refusal
from lms.core.images import LIMITS, make_pictures
from lms.core.sandbox import MIB, Limits, Stopped
from lms.core.serving import QUICK_QUEUES
from lms.core.sniff import WrongFile
from lms.core.storage import LocalStorage, storage
from tests.factories import people
from tests.load import storm_tasks
from tests.load.bench_media import FFMPEG
from tests.load.figure import Figure, Wish
from tests.load.stage import ROOT, Stage, a_stage
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


def media(wish: Wish) -> list[Figure]:
    """The films through two workers, with healthy jobs beside them; the limits of the sandbox one by one; the pictures."""
    return [*_films(wish), *_limits(), *_pictures()]


# --- T055 ---------------------------------------------------------------------------------------------------------------------------


def _films(wish: Wish) -> list[Figure]:
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
        Figure("media", f"{made} films past a limit, and one without a byte ({refused})", f"{len(open_still)} without an end {open_still}; "
               f"{sum(row.state == 'ready' for row in rows)} made all the same, {sum(row.state == 'failed' for row in rows)} refused with a sentence", "",
               "all end", not open_still and all(row.failure for row in rows if row.state == "failed") and bool(refused)),
        Figure("media", f"healthy jobs beside them ({len(beside)}; {at_once()} of two workers at media), p95 from written to done",
               f"{wait_beside * 1000:.0f} ms (longest {beside[-1]:.1f} s)", f"{wait * 1000:.0f} ms alone", "< 5 s", wait_beside < 5),
        Figure("media", "the fattest program at a film", f"{fattest[0] / MIB:,.0f} MiB", "", "≤ 6,144 MiB (its limit)", fattest[0] <= 6144 * MIB),
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
        "a header that says 24 h.mp4": _says(first, 24 * 3600),
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
    """An MP4 whose header claims another length: mvhd's, in its own time scale."""
    at = data.index(b"mvhd") + 4
    scale = struct.unpack(">I", data[at + 12 : at + 16])[0]
    return data[: at + 16] + struct.pack(">I", seconds * scale) + data[at + 20 :]


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


# --- the limits, each by itself -----------------------------------------------------------------------------------------------------

WRITES = "import os\nn = 0\nwhile True:\n f = open(str(n), 'wb')\n for _ in range(8): f.write(bytes(4 << 20)); f.flush()\n n += 1"
GREEDY: dict[str, tuple[str, Limits]] = {
    "wall": ("import time\ntime.sleep(60)", Limits(wall_seconds=6, cpu_seconds=20)),
    "cpu": ("while True: pass", Limits(wall_seconds=60, cpu_seconds=4)),
    "memory": (
        "a = []\nwhile True: a.append(bytearray(b'x' * (8 << 20)))",
        Limits(wall_seconds=60, cpu_seconds=20, memory_bytes=512 * MIB),
    ),
    "file": ("f = open('big', 'wb')\nwhile True: f.write(bytes(1 << 20))", Limits(wall_seconds=60, cpu_seconds=20, file_bytes=256 * MIB)),
    "disk": (WRITES, Limits(wall_seconds=60, cpu_seconds=20, disk_bytes=1024 * MIB)),
    "output": ("import os\nwhile True: os.write(1, bytes(65536))", Limits(wall_seconds=60, cpu_seconds=20)),
}


def _limits() -> list[Figure]:
    """How far past each limit a program comes, as a share of the limit."""
    shares = {}
    for name, (code, limits) in GREEDY.items():
        with sandbox.scratch() as folder:
            began, before = time.monotonic(), os.times()
            size = [0]
            ended = threading.Event()
            watcher = threading.Thread(target=_weigh, args=(folder, size, ended))
            watcher.start()
            with suppress(Stopped):
                sandbox.run([sys.executable, "-I", "-S", "-c", code], folder, limits, readable=sandbox.python_paths())
            wall, cpu = time.monotonic() - began, sum(os.times()[2:4]) - sum(before[2:4])
            ended.set()
            watcher.join()
        used = {
            "wall": wall / limits.wall_seconds,
            "cpu": cpu / limits.cpu_seconds,
            "memory": size[0] / limits.memory_bytes,
            "file": size[0] / limits.file_bytes,
            "disk": size[0] / limits.disk_bytes,
            "output": wall / limits.wall_seconds,
        }
        shares[name] = used[name]
    value = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    return [
        Figure(
            "media",
            "a program that wants more than it may, killed at this share of each limit",
            value,
            "",
            "≤ 1.1",
            max(shares.values()) <= 1.1,
        )
    ]


def _weigh(folder: Path, size: list[int], ended: threading.Event) -> None:
    """Note the most that lies in a folder, and the most memory that a program of it has."""
    while not ended.wait(0.02):
        size[0] = max(size[0], sandbox._used(folder))
        for one in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                size[0] = max(size[0], one.memory_info().rss)


# --- T056 ---------------------------------------------------------------------------------------------------------------------------


def _png(width: int, height: int, *more: bytes) -> bytes:
    """A PNG of one bit a pixel, all black, and more chunks before its end."""
    rows = zlib.compressobj(9)
    line = bytes(width // 8 + 2)
    data = b"".join(rows.compress(line[: 1 + (width + 7) // 8]) for _row in range(height)) + rows.flush()
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def _gps() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    exif.get_ifd(0x8825)[2] = (30.0, 2.0, 40.0)
    return exif


def _animated(form: str, frames: int) -> bytes:
    small = [Image.effect_noise((16, 16), 80).convert("P") for _frame in range(frames)]
    return _saved(small[0], form, save_all=True, append_images=small[1:], duration=20)


BOMBS: dict[str, Callable[[], bytes]] = {
    "12,800² PNG": lambda: _png(12_800, 12_800),
    "30,000² PNG": lambda: _png(30_000, 30_000),
    "10,000 frames, APNG": lambda: _animated("PNG", 10_000),
    "10,000 frames, GIF": lambda: _animated("GIF", 10_000),
    "24 MB of colour profile": lambda: _png(
        300,
        200,
        _chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(200 << 20), 9)),
        _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 << 20), 9)),
    ),
    "20 MB of EXIF": lambda: _png(300, 200, _chunk(b"eXIf", b"II*\0\x08\0\0\0" + os.urandom(20 << 20))),
    "CMYK JPEG of 39 million": lambda: _saved(Image.new("CMYK", (6200, 6200), (9, 80, 70, 5)), "JPEG"),
    "GPS in a JPEG": lambda: _saved(Image.new("RGB", (900, 600), "red"), "JPEG", exif=_gps()),
    "RGBA PNG of 39 million, on its side": lambda: _saved(Image.new("RGBA", (6200, 6200), (9, 80, 70, 5)), "PNG", exif=_gps()),
    "progressive JPEG of 39 million, on its side": lambda: _saved(
        Image.new("RGB", (6200, 6200), "blue"), "JPEG", progressive=True, exif=_gps()
    ),
    "WebP of 39 million": lambda: _saved(Image.new("RGBA", (6200, 6200), (9, 80, 70, 5)), "WEBP", quality=20, method=0),
    "palette PNG with holes, 39 million": lambda: _saved(Image.new("P", (6200, 6200), 3), "PNG", transparency=3),
    "16 bits a colour, 39 million": lambda: _saved(Image.new("I;16", (6200, 6200), 40_000), "PNG"),
}


def _pictures() -> list[Figure]:
    """Each picture made anew in a small process, which measures what the program in the sandbox took."""
    with sandbox.scratch() as folder:
        lines = {}
        for number, (name, make) in enumerate(BOMBS.items()):
            place = folder / f"picture-{number}"
            place.write_bytes(make())
            done = subprocess.run(
                [sys.executable, "-m", "tests.load.storm_media", str(place)], cwd=ROOT, capture_output=True, text=True, check=True
            )
            lines[name] = json.loads(done.stdout)
            print(f"  {name}, {place.stat().st_size / 1000:,.0f} kB: {lines[name]}", flush=True)
    fattest = max(line["bytes"] for line in lines.values())
    told = [name for name, line in lines.items() if line["leaks"] or not (line["made"] or line["said"])]
    value = f"{fattest / MIB:,.0f} MiB; {sum(bool(line['made']) for line in lines.values())} made anew, the others refused; {len(told)} not as they should {told}"
    return [Figure("media", f"{len(BOMBS)} pictures that swell or tell: most memory of any program", value, "", "≤ 512 MB, nothing hidden stays",
                   fattest <= 512_000_000 and not told)]  # fmt: skip


def _one_picture(place: Path) -> None:
    """What becomes of one picture, and the most memory that took: told as JSON."""
    sandbox.use_scratch(place.parent / "inside")
    size, ended = [0], threading.Event()
    watcher = threading.Thread(target=_weigh, args=(place.parent / "nowhere", size, ended))
    watcher.start()
    made, said, leaks = "", "", False
    try:
        for one in make_pictures(place, [1600, 64]):
            with Image.open(io.BytesIO(one.data)) as again:
                leaks = leaks or bool(again.getexif()) or "icc_profile" in again.info or getattr(again, "n_frames", 1) > 1
            made += f"{one.width}×{one.height} "
    except (WrongFile, Refusal) as refusal:
        said = str(refusal)
    ended.set()
    watcher.join()
    assert LIMITS.memory_bytes <= 768 * MIB
    print(json.dumps({"made": made, "said": said, "leaks": leaks, "bytes": size[0]}))


if __name__ == "__main__":
    _one_picture(Path(sys.argv[1]))
