"""What a host's browser sends, as it lies on this machine's disk: one folder for a session, one tape for each take.

A tape is a file the chunks are appended to, and beside it eight bytes for each chunk: where it ends. A chunk is confirmed when both
are written, so whoever opens the tape after a crash knows how many it holds, and cuts off what was written half. What comes over RTMP
is written by nginx, into a file of its own that the take's note names; every byte of it counts.
"""

import json
import os
import re
import shutil
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from lms.core.errors import Unavailable
from lms.core.i18n import gettext as _

PLACE = struct.Struct(">Q")
RESERVE = 512 << 20
MOST_BYTES = 20 << 30
SYNC_SECONDS = 2.0
NAME = re.compile(r"take-(\d{3})\.json")
RTMP = "rtmp"
DEMUXERS = {"video/mp4": "mov", "video/x-flv": "flv"}
_root: list[Path] = []


class Gap(Exception):
    """A chunk came whose predecessor did not; `wanted` is the number the tape goes on with."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        super().__init__(f"chunk {wanted} is missing")


def use_folder(root: Path) -> None:
    """Keep what comes in under this folder."""
    _root[:] = [root]


def folder_root() -> Path:
    """The folder of everything that comes in live."""
    if not _root:
        raise RuntimeError("no folder for live classes: create_app() or a test says where")
    return _root[0]


def folder_of(channel_id: UUID, session_id: UUID) -> Path:
    """The folder of one session."""
    return folder_root() / str(channel_id) / str(session_id)


def folders() -> Iterator[Path]:
    """The folders of every session there is."""
    for channel in sorted(folder_root().glob("*")) if folder_root().exists() else ():
        yield from sorted(path for path in channel.glob("*") if path.is_dir())


def forget(channel_id: UUID, session_id: UUID) -> None:
    """Take away everything of a session."""
    for reel in reels(folder_of(channel_id, session_id)):
        if reel.film is not None:
            reel.film.unlink(missing_ok=True)
    shutil.rmtree(folder_of(channel_id, session_id), ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Reel:
    """A take as a reader finds it: its data, what kind it is, and whether more will come."""

    folder: Path
    number: int

    @property
    def data(self) -> Path:
        """The file of bytes."""
        return self.film or self.folder / f"take-{self.number:03d}.data"

    @property
    def film(self) -> Path | None:
        """The file nginx writes of what comes over RTMP; None for a take of the browser."""
        name = self.note.get("film")
        return folder_root() / RTMP / f"{name}.flv" if name else None

    @property
    def index(self) -> Path:
        """The file of places."""
        return self.folder / f"take-{self.number:03d}.index"

    @property
    def about(self) -> Path:
        """The file that says what kind it is; it is there from the first chunk on."""
        return self.folder / f"take-{self.number:03d}.json"

    @property
    def note(self) -> dict[str, str]:
        """What is said of it; nothing before its first chunk."""
        try:
            said: dict[str, str] = json.loads(self.about.read_text())
        except FileNotFoundError:
            return {}
        return said

    @property
    def mime(self) -> str:
        """What the browser called it."""
        return self.note["mime"]

    @property
    def demuxer(self) -> str:
        """The ffmpeg demuxer that may open it."""
        return next((name for mime, name in DEMUXERS.items() if self.mime.startswith(mime)), "matroska")

    @property
    def is_ended(self) -> bool:
        """Whether nothing more comes."""
        return self.about.with_suffix(".end").exists()

    @property
    def size(self) -> int:
        """How many confirmed bytes there are."""
        film = self.film
        try:
            if film is not None:
                return film.stat().st_size
            with self.index.open("rb") as index:
                index.seek(0, os.SEEK_END)
                whole = index.tell() // PLACE.size
                if not whole:
                    return 0
                index.seek((whole - 1) * PLACE.size)
                return int(PLACE.unpack(index.read(PLACE.size))[0])
        except FileNotFoundError:
            return 0

    @property
    def quiet_seconds(self) -> float:
        """How long nothing has come."""
        try:
            return time.time() - (self.film or self.index).stat().st_mtime
        except FileNotFoundError:
            return float("inf")

    def end(self) -> None:
        """Say that nothing more comes; saying it twice changes nothing."""
        if self.about.exists():
            self.about.with_suffix(".end").touch()


def reels(folder: Path) -> list[Reel]:
    """The takes of a session's folder, in order."""
    found = [NAME.fullmatch(path.name) for path in folder.glob("take-*.json")]
    return sorted((Reel(folder, int(match[1])) for match in found if match), key=lambda reel: reel.number)


def begin_film(channel_id: UUID, session_id: UUID, number: int, mime: str, film: str, client: str) -> None:
    """Note a take whose bytes nginx writes into a file of that name, of a connection with that number."""
    folder = folder_of(channel_id, session_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    Reel(folder, number).about.write_text(json.dumps({"mime": mime, "film": film, "client": client}))


def has_room() -> bool:
    """Whether the disk takes more; the folder nginx writes into is there afterwards."""
    (folder_root() / RTMP).mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder_root()).free >= RESERVE


class Tape:
    """One take being written; `wanted` is the number of the next chunk."""

    def __init__(self, channel_id: UUID, session_id: UUID, number: int, mime: str) -> None:
        folder = folder_of(channel_id, session_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        self.reel = Reel(folder, number)
        self._data = os.open(self.reel.data, os.O_RDWR | os.O_CREAT, 0o644)
        self._index = os.open(self.reel.index, os.O_RDWR | os.O_CREAT, 0o644)
        self.wanted = os.fstat(self._index).st_size // PLACE.size
        self.size = self.reel.size
        os.ftruncate(self._index, self.wanted * PLACE.size)
        os.ftruncate(self._data, self.size)
        os.lseek(self._index, 0, os.SEEK_END)
        os.lseek(self._data, 0, os.SEEK_END)
        self._synced = time.monotonic()
        if not self.reel.about.exists():
            self.reel.about.write_text(json.dumps({"mime": mime}))

    def append(self, number: int, data: bytes) -> None:
        """Write a chunk; one that is there already changes nothing. Raises Gap, or Unavailable when there is no room."""
        if number < self.wanted or self.reel.is_ended:
            return
        if number > self.wanted:
            raise Gap(self.wanted)
        if self.size + len(data) > MOST_BYTES or (number % 64 == 0 and shutil.disk_usage(self.reel.folder).free < RESERVE):
            raise Unavailable(_("The disk of the platform is full. What came so far is kept."))
        self._write(self._data, data, self.size)
        self._write(self._index, PLACE.pack(self.size + len(data)), self.wanted * PLACE.size)
        self.size += len(data)
        self.wanted += 1
        if time.monotonic() - self._synced > SYNC_SECONDS:
            os.fdatasync(self._data)
            os.fdatasync(self._index)
            self._synced = time.monotonic()

    def _write(self, handle: int, data: bytes, at: int) -> None:
        """Write all of it behind what is there, or none: a full disk takes a part of it and then says so."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(handle, left) :]
        except OSError as error:
            os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
            raise Unavailable(_("The disk of the platform is full. What came so far is kept.")) from error

    def close(self) -> None:
        """Put it down; it can be taken up again."""
        for handle in (self._data, self._index):
            os.fsync(handle)
            os.close(handle)
