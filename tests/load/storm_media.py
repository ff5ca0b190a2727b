"""Media made to hurt: programs that want more than the sandbox gives (T055), and pictures that swell when opened (T056)."""

import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from PIL import Image

from lms.core import sandbox
from lms.core.errors import Refusal
from lms.core.images import LIMITS, make_pictures
from lms.core.sandbox import MIB, Limits, Stopped
from lms.core.sniff import WrongFile
from tests.load.figure import Figure, Wish
from tests.load.stage import ROOT


def media(wish: Wish) -> list[Figure]:
    """The limits of the sandbox one by one, then the pictures."""
    with tempfile.TemporaryDirectory(prefix="lectern-storm-") as folder:
        Path(folder).chmod(0o755)
        sandbox.use_scratch(Path(folder) / "scratch")
        return [*_limits(), *_pictures()]


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
