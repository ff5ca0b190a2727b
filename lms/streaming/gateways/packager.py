"""From what comes in to what students see: each session's takes fed into ffmpeg, whose two-second segments lie in `hls/`.

Everything it knows lies on the disk: a packager that died goes on where it was, with a break of a second or two in the picture and
none in the recording, which is the takes themselves.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import structlog

from lms.core import sandbox
from lms.core.sandbox import MIB, Limits
from lms.streaming.gateways.tape import Reel, folder_root, folders, reels

LOOK_SECONDS = 0.1
SEGMENT_SECONDS = 2
KEPT_SEGMENTS = 12
PIECE = 256 * 1024
NOTE_SECONDS = 1.0
GONE_AFTER = 90.0  # a picture that is over stays that long for those who lag behind
TRIES = 5
FLV_HEAD, FLV_TAG = 13, 11  # bytes: of the file, of a tag before what it holds
CLUSTER = b"\x1f\x43\xb6\x75"  # Matroska: the element each stretch of a few seconds begins with
H264 = re.compile(r"avc1|h264", re.I)
LIMITS = Limits(wall_seconds=13 * 3600, cpu_seconds=24 * 3600, memory_bytes=2048 * MIB, file_bytes=256 * MIB)
log = structlog.get_logger(__name__)


def watch(program: str, stop: threading.Event) -> None:
    """Package every session that comes in, each in a thread of its own, until told to stop."""
    program = program or imageio_ffmpeg.get_ffmpeg_exe()
    at_work: dict[Path, threading.Thread] = {}
    while not stop.wait(LOOK_SECONDS):
        for folder in list(folders()):
            running = at_work.get(folder)
            if (running is None or not running.is_alive()) and _has_work(folder):
                at_work[folder] = threading.Thread(target=Packager(folder, program, stop).run, name=f"live-{folder.name[:8]}")
                at_work[folder].start()
    for thread in at_work.values():
        thread.join(timeout=3)


def _has_work(folder: Path) -> bool:
    found = reels(folder)
    return bool(found) and (not found[-1].is_ended or _place(folder)[0] <= found[-1].number) and not (folder / "packaged.all").exists()


def _place(folder: Path) -> tuple[int, int]:
    """How far the picture is: the number of the take, and the bytes of it that were fed."""
    try:
        kept = json.loads((folder / "packaged.json").read_text())
    except (FileNotFoundError, ValueError):
        return 1, 0
    return int(kept["take"]), int(kept["bytes"])


class Packager:
    """One session's picture."""

    def __init__(self, folder: Path, program: str, stop: threading.Event) -> None:
        self.folder = folder
        self.hls = folder / "hls"
        self.program = program
        self.stop = stop
        self.noted = 0.0

    def run(self) -> None:
        """Package takes in order until the session's folder is gone, all are done for a while, or we are told to stop."""
        with contextlib.suppress(FileNotFoundError):
            self.hls.mkdir(exist_ok=True, mode=0o755)
            sandbox.give(self.hls)
            number, done = _place(self.folder)
            while not self.stop.is_set():
                reel = next((one for one in reels(self.folder) if one.number >= number), None)
                if reel is None:
                    break
                if self.package(reel, done if reel.number == number else 0):
                    number, done = reel.number + 1, 0
                    self.note(number, 0)
            log.info("live_packaged", session=self.folder.name, take=number)

    def package(self, reel: Reel, done: int) -> bool:
        """Feed one take from where it was left to its end; false when we were told to stop."""
        while not reel.data.exists() and not reel.is_ended:  # nginx makes the file with the first picture
            if not self.folder.exists():
                raise FileNotFoundError(self.folder)
            if self.stop.wait(LOOK_SECONDS):
                return False
        if not reel.data.exists():
            return True
        copies = bool(H264.search(reel.mime))
        for attempt in range(TRIES):
            begun = time.monotonic()
            with self.ffmpeg(reel, copies=copies) as process:
                done, over = self.feed(process, reel, done)
            if over:
                return True
            if self.stop.is_set():
                return False
            log.warning("live_picture_broke", session=self.folder.name, take=reel.number, attempt=attempt, error=self.last_words())
            copies = copies and time.monotonic() - begun > 10  # it did not like the pictures as they are
            time.sleep(0.2)
        return True

    @contextlib.contextmanager
    def ffmpeg(self, reel: Reel, *, copies: bool) -> Iterator["subprocess.Popen[bytes]"]:
        """ffmpeg in its sandbox, its input open; ended when the block ends."""
        with (self.folder / "ffmpeg.log").open("wb") as errors:
            process = sandbox.start(
                [self.program, *arguments(reel.demuxer, copies=copies)], self.hls, LIMITS, errors, readable=(Path(self.program).parent,)
            )
        try:
            yield process
        finally:
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0 if self.stop.is_set() else 10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def feed(self, process: "subprocess.Popen[bytes]", reel: Reel, done: int) -> tuple[int, bool]:
        """Hand over what there is and what comes; (bytes handed over, whether that was all)."""
        assert process.stdin is not None
        with reel.data.open("rb") as source:
            source.seek(self.go_on(source.fileno(), reel, done, process))
            while not self.stop.is_set():
                ended = reel.is_ended
                room = min(reel.size - source.tell(), PIECE)
                if room > 0:
                    try:
                        process.stdin.write(source.read(room))
                        process.stdin.flush()
                    except OSError:
                        return source.tell(), False
                    self.note(reel.number, source.tell())
                elif ended:
                    return source.tell(), True
                elif process.poll() is not None:
                    return source.tell(), False
                else:
                    if not self.folder.exists():
                        raise FileNotFoundError(self.folder)
                    time.sleep(LOOK_SECONDS / 2)
            return source.tell(), False

    def go_on(self, handle: int, reel: Reel, done: int, process: "subprocess.Popen[bytes]") -> int:
        """Where to read from: the start, or after a break the head of the file and then the last whole stretch."""
        if done == 0:
            return 0
        assert process.stdin is not None
        if reel.demuxer == "flv":
            head_of_film, place = flv_places(handle, done)
            with contextlib.suppress(OSError):
                process.stdin.write(head_of_film if place else b"")
            return place
        head, last = boundaries(os.pread(handle, min(done, 64 << 20), max(0, done - (64 << 20))), os.pread(handle, PIECE, 0), reel.demuxer)
        if head == 0 or last is None:
            return 0
        with contextlib.suppress(OSError):
            process.stdin.write(os.pread(handle, head, 0))
        return max(0, done - (64 << 20)) + last

    def note(self, number: int, done: int) -> None:
        """Keep how far the picture is, now and then."""
        if done and time.monotonic() - self.noted < NOTE_SECONDS:
            return
        self.noted = time.monotonic()
        aside = self.folder / ".packaged"
        aside.write_text(json.dumps({"take": number, "bytes": done}))
        aside.replace(self.folder / "packaged.json")

    def last_words(self) -> str:
        """The end of what ffmpeg complained of."""
        with contextlib.suppress(OSError):
            return (self.folder / "ffmpeg.log").read_text(errors="replace")[-400:]
        return ""


def boundaries(tail: bytes, start: bytes, demuxer: str) -> tuple[int, int | None]:
    """How long the head of a file is, and where in `tail` its last whole stretch begins; 0 and None when that cannot be told."""
    if demuxer == "mov":
        head = start.find(b"moof") - 4
        found = tail.rfind(b"moof") - 4
        return (head, found) if head > 0 and found >= 0 else (0, None)
    head, found = start.find(CLUSTER), tail.rfind(CLUSTER)
    return (head, found) if head > 0 and found >= 0 else (0, None)


def flv_places(handle: int, done: int) -> tuple[bytes, int]:
    """Of an FLV file: its head with every tag that says how to read the others, and where the last key picture before `done` begins."""
    head, at, last = os.pread(handle, FLV_HEAD, 0), FLV_HEAD, 0
    while at + FLV_TAG <= done:
        tag = os.pread(handle, FLV_TAG + 2, at)
        end = at + FLV_TAG + int.from_bytes(tag[1:4]) + 4
        is_picture, is_sound = tag[0] == 9, tag[0] == 8
        if tag[0] == 18 or ((is_picture or (is_sound and tag[11] >> 4 == 10)) and tag[12] == 0):
            head += os.pread(handle, end - at, at)
        elif is_picture and tag[11] >> 4 == 1 and end <= done:
            last = at
        at = end
    return head, last


def arguments(demuxer: str, *, copies: bool) -> list[str]:
    """ffmpeg's words: from its standard input to segments and a playlist that goes on with the one there is."""
    video = ["-c:v", "copy"] if copies else [
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-maxrate", "2500k", "-bufsize", "2500k",
        "-vf", "scale='min(1280,iw)':-2", "-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_SECONDS})",
    ]  # fmt: skip
    return [
        "-y", "-hide_banner", "-nostats", "-loglevel", "error", "-protocol_whitelist", "file,pipe",
        "-probesize", "500000", "-analyzeduration", "500000", "-max_pixels", "40000000", "-f", demuxer, "-i", "pipe:0",
        "-map", "0:v:0", "-map", "0:a:0?", *video, "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000",
        "-af", "aresample=async=1:first_pts=0", "-map_metadata", "-1", "-dn", "-sn",
        "-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_init_time", "1", "-hls_list_size", str(KEPT_SEGMENTS),
        "-hls_delete_threshold", "4", "-hls_flags", "delete_segments+append_list+omit_endlist+program_date_time+temp_file",
        "-hls_segment_filename", "seg_%05d.ts", "index.m3u8",
    ]  # fmt: skip


def sweep(older_than: float) -> int:
    """Take away folders nobody wrote to for that many seconds and that hold no take; how many."""
    swept = 0
    for folder in folders() if folder_root().exists() else ():
        if not reels(folder) and folder.stat().st_mtime < time.time() - older_than:
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept
