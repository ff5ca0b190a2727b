"""What comes in live: the tape on the disk after a crash, and the picture made of it after its maker died."""

import os
import subprocess
import threading
import time
from pathlib import Path
from uuid import uuid4

import av
import imageio_ffmpeg
import pytest

from lms.core import sandbox
from lms.streaming import gateways
from lms.streaming.gateways import Gap, Tape, packager
from tests.conftest import CHANNEL

MKV = "video/x-matroska;codecs=avc1,opus"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gateways.use_folder(tmp_path / "live")
    sandbox.use_scratch(tmp_path / "scratch")
    return tmp_path


def test_tape__confirms_in_order_and_knows_after_a_crash_what_it_holds(folder: Path) -> None:
    session_id = uuid4()
    tape = Tape(CHANNEL, session_id, 1, MKV)
    for number in (0, 1, 0, 1, 2):
        tape.append(number, b"%d" % number * 10)
    with pytest.raises(Gap) as gap:
        tape.append(9, b"x")
    assert (gap.value.wanted, tape.wanted) == (3, 3)
    with tape.reel.data.open("ab") as data:  # the process dies inside the next chunk
        data.write(b"half")
    with tape.reel.index.open("ab") as index:
        index.write(b"\0\0\0")
    again = Tape(CHANNEL, session_id, 1, MKV)
    assert (again.wanted, again.reel.size) == (3, 30)
    again.append(3, b"3" * 10)
    again.close()
    assert again.reel.data.read_bytes() == b"".join(b"%d" % number * 10 for number in range(4))
    again.reel.end()
    again = Tape(CHANNEL, session_id, 1, MKV)
    again.append(4, b"late")
    assert again.reel.size == 40 and [reel.number for reel in gateways.reels(tape.reel.folder)] == [1]


def a_film(path: Path, seconds: int) -> bytes:
    """A film as browsers record it: H.264 with a keyframe each second in Matroska, sound in Opus."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:d={seconds}:r=15", "-f", "lavfi", "-i", f"sine=d={seconds}"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-pix_fmt", "yuv420p", "-c:a", "libopus", "-f", "matroska"]
    shape = ["-cluster_time_limit", "1000", "-live", "1", str(path)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *picture, *coding, *shape], check=True)
    return path.read_bytes()


def test_packager__goes_on_where_another_died(folder: Path) -> None:
    film, session_id = a_film(folder / "film.mkv", 14), uuid4()
    tape = Tape(CHANNEL, session_id, 1, MKV)
    pieces = [film[at : at + 20_000] for at in range(0, len(film), 20_000)]
    half = len(pieces) // 2
    playlist = tape.reel.folder / "hls" / "index.m3u8"

    def packaged(begin: int, end: int, wanted: int) -> None:
        stop = threading.Event()
        thread = threading.Thread(target=packager.watch, args=("", stop))
        thread.start()
        for number in range(begin, end):
            tape.append(number, pieces[number])
        if end == len(pieces):
            tape.close()
            tape.reel.end()
        until = time.monotonic() + 60
        while not (playlist.exists() and playlist.read_text().count("#EXTINF") >= wanted):
            assert time.monotonic() < until, (tape.reel.folder / "ffmpeg.log").read_text()
            time.sleep(0.05)
        stop.set()
        thread.join(timeout=20)
        assert not thread.is_alive()

    packaged(0, half, 2)
    packaged(half, len(pieces), 6)
    text = playlist.read_text()
    assert "#EXT-X-DISCONTINUITY" in text
    names = [line for line in text.splitlines() if line.endswith(".ts")]
    assert len(names) == len(set(names))
    lengths = []
    for name in names:
        with av.open(str(playlist.parent / name)) as segment:
            frames = [frame for frame in segment.decode(video=0)]
            lengths.append(len(frames) / 15)
            assert frames[0].key_frame
    assert 11 <= sum(lengths) <= 18  # a second or two more or less around the break
    assert (os.stat(tape.reel.data).st_size, tape.reel.data.read_bytes() == film) == (len(film), True)
