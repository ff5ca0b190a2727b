"""A class held in the browser, from the chunk to the picture: a film fed as a browser records it, at the pace of life."""

import subprocess
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

import imageio_ffmpeg

from lms.core import sandbox
from lms.streaming import gateways
from lms.streaming.gateways import Tape, packager
from tests.load.figure import Figure
from tests.load.stage import Stage

SLICE = 0.25  # seconds of a chunk, as the studio cuts them
BEHIND = 2  # segments a player stays behind the newest (liveSyncDurationCount)


def live(stage: Stage, quick: bool) -> list[Figure]:
    """Seconds from the first chunk to the first playlist, and from a camera to a viewer, with H.264 as browsers record it."""
    seconds = 12 if quick else 20  # so many segments as one playlist keeps
    with tempfile.TemporaryDirectory() as folder:
        gateways.use_folder(Path(folder) / "live")
        sandbox.use_scratch(Path(folder) / "scratch")
        first, behind = _feed(stage, _film(Path(folder) / "film.mkv", seconds), seconds)
    glass = behind + BEHIND * packager.SEGMENT_SECONDS
    return [
        Figure("live", "first chunk to first playlist", f"{first:.1f} s", "", "≤ 4 s", first <= 4),
        Figure(
            "live",
            f"camera to viewer: {behind:.1f} s to its segment at worst, and {BEHIND} segments",
            f"{glass:.1f} s",
            "",
            "≤ 8 s",
            glass <= 8,
        ),
    ]


def _film(path: Path, seconds: int) -> bytes:
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=1280x720:d={seconds}:r=30", "-f", "lavfi", "-i", f"sine=d={seconds}"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "1800k", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "libopus"]
    shape = ["-f", "matroska", "-cluster_time_limit", "1000", "-live", "1", str(path)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *picture, *coding, *shape], check=True)
    return path.read_bytes()


def _feed(stage: Stage, film: bytes, seconds: int) -> tuple[float, float]:
    """Write the film at its own pace; (until the first playlist, how long the newest segment was waited for at worst)."""
    stop = threading.Event()
    thread = threading.Thread(target=packager.watch, args=("", stop))
    thread.start()
    tape = Tape(stage.channel_id, uuid4(), 1, "video/x-matroska;codecs=avc1,opus")
    playlist = tape.reel.folder / "hls" / "index.m3u8"
    count, began, first, worst, shown = int(seconds / SLICE), time.monotonic(), 0.0, 0.0, 0
    size = len(film) // count + 1
    for number in range(count):
        tape.append(number, film[number * size : (number + 1) * size])
        until = began + (number + 1) * SLICE
        while time.monotonic() < until:
            time.sleep(0.02)
            segments = playlist.read_text().count("#EXTINF") if playlist.exists() else 0
            if segments > shown:
                first = first or time.monotonic() - began
                worst = max(worst, time.monotonic() - began - _begin_of_newest(playlist))
                shown = segments
    tape.close()
    tape.reel.end()
    stop.set()
    thread.join(timeout=20)
    return first, worst


def _begin_of_newest(playlist: Path) -> float:
    """When the newest segment's first picture was taken, in seconds of the film; the playlist keeps every segment of so short a film."""
    lengths = [
        float(line.removeprefix("#EXTINF:").rstrip(",\n")) for line in playlist.read_text().splitlines() if line.startswith("#EXTINF")
    ]
    return sum(lengths[:-1])
