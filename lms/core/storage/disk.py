"""Files in a folder of this machine, with signed addresses of our own.

A file appears under its key whole or not at all: bytes are written aside, hashed, synced, then renamed. An upload in parts
waits in `.staging/<id>/`: one file, each part written at its place, and beside it a note for each part that is whole. So ending
an upload moves one file, however big. Keys are checked before they become paths, so nothing outside the folder can be named.
"""

import errno
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast
from uuid import UUID, uuid4

from lms.core import signing
from lms.core.errors import Forbidden, Unavailable
from lms.core.i18n import gettext as _
from lms.core.storage.keys import (
    CHUNK,
    COLD,
    MAX_PARTS,
    PART_SIZE,
    Missing,
    Part,
    Stored,
    Stretch,
    TooLarge,
    WrongKey,
    WrongPart,
    checked_key,
    type_of,
    whole,
)

READ = "storage:get"
PART = "storage:part"
STAGED_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class FileGrant(NamedTuple):
    """What a signed address allows: to read this file, so named, as this type."""

    key: str
    filename: str | None
    inline: bool
    content_type: str


class PartGrant(NamedTuple):
    """What a signed address allows: to send this part of this upload, of exactly this size."""

    key: str
    upload_id: str
    number: int
    size: int


class LocalStorage:
    """The store of a one-machine install."""

    def __init__(self, root: Path, base_url: str = "/content") -> None:
        self.root = root
        self.base_url = base_url.rstrip("/")
        self.staging = root / ".staging"

    def put(self, key: str, data: bytes | BinaryIO, content_type: str = "") -> Stored:
        """Store the bytes under the key, all or nothing; storing again replaces."""
        return self._write(self._path(key), iter([data]) if isinstance(data, bytes) else _chunks(data))

    def put_file(self, key: str, path: Path, content_type: str = "") -> Stored:
        """Store a file of this machine under the key."""
        with path.open("rb") as source:
            return self.put(key, source, content_type)

    def move_file(self, key: str, path: Path, *, settles: bool = True) -> Stored:
        """Store a file of this machine under the key without a copy: it is gone from where it was. Its hash is not counted.

        Unless it `settles`, it is there at once, but outlives a power cut only after `settle`.
        """
        target, found = self._path(key), path.lstat()
        if not stat.S_ISREG(found.st_mode) or path.parent.resolve() != path.parent:
            raise WrongKey(f"{path.name} is no plain file")
        with _room():
            with path.open("rb") as made:
                os.fchmod(made.fileno(), 0o644)
                if found.st_uid != os.geteuid():
                    os.fchown(made.fileno(), os.geteuid(), os.getegid())
                if settles:
                    os.fsync(made.fileno())
            try:
                self._move(path, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self.put_file(key, path)
                path.unlink()
        return Stored(found.st_size, "")

    def settle(self, key: str) -> None:
        """Wait until the disk has all of a file."""
        with self.open(key) as held:
            os.fsync(held.fileno())

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        """A reader of the file, or of `length` bytes from `start`; close it."""
        try:
            source = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError) as error:
            raise Missing("This file is no longer here.") from error
        if start == 0 and length is None:
            return source
        source.seek(start)
        return cast(BinaryIO, Stretch(source, length))

    def fetch(self, key: str, path: Path) -> Stored:
        """Copy the file to a path of this machine."""
        with self.open(key) as source, path.open("wb") as target:
            return _copy(_chunks(source), target, hashlib.sha256())

    def size(self, key: str) -> int:
        """How many bytes the file has."""
        path = self._path(key)
        if not path.is_file():
            raise Missing("This file is no longer here.")
        return path.stat().st_size

    def exists(self, key: str) -> bool:
        """Whether there is a file under the key."""
        return self._path(key).is_file()

    def copy(self, key: str, target: str, tell: Callable[[], None] = lambda: None) -> None:
        """Have the file under a second key as well: a second name on the same disk, a copy where the target is another one."""
        source, place = self.path_of(key), self._path(target)
        with _room():
            place.parent.mkdir(parents=True, exist_ok=True)
            aside = place.parent / f".{uuid4().hex}"
            try:
                _link(source, aside, tell)
                self._move(aside, place)
            finally:
                aside.unlink(missing_ok=True)  # two names of one file: a rename leaves both

    def delete(self, key: str) -> None:
        """Take the file away, and the folders it leaves empty."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        self._prune(path.parent)

    def delete_all(self, prefix: str) -> None:
        """Take away every file under `prefix/`."""
        shutil.rmtree(self._path(prefix), ignore_errors=True)

    def delete_channel(self, channel_id: UUID) -> None:
        """Take away every file of a channel."""
        for folder in (self.root, self.root / COLD):
            shutil.rmtree(folder / str(channel_id), ignore_errors=True)

    def get_url(
        self, key: str, seconds: int = 300, filename: str | None = None, inline: bool = False, content_type: str | None = None
    ) -> str:
        """A signed address that gives this file to whoever holds it, for that long; a download unless `inline`."""
        claims = {"m": "GET", "k": checked_key(key), "n": filename, "i": inline, "t": content_type or type_of(key)}
        return f"{self.base_url}/files/{signing.sign(READ, claims, seconds=seconds)}"

    def read_grant(self, token: str) -> FileGrant:
        """What the token of a `get_url` allows; raises Forbidden."""
        claims = signing.unsign(READ, token)
        return FileGrant(claims["k"], claims["n"], claims["i"], claims["t"])

    def path_of(self, key: str) -> Path:
        """Where the file lies, for the door that serves it; raises Missing."""
        path = self._path(key)
        if not path.is_file():
            raise Missing("This file is no longer here.")
        return path

    def begin(self, key: str, content_type: str = "", part_size: int = PART_SIZE) -> str:
        """Start an upload in parts, each but the last of exactly `part_size` bytes; its id."""
        checked_key(key)
        upload_id = uuid4().hex
        with _room():
            (self.staging / upload_id).mkdir(parents=True)
            (self.staging / upload_id / "data").touch()
            (self.staging / upload_id / "key").write_text(f"{key}\n{part_size}")
        return upload_id

    def part_url(self, key: str, upload_id: str, number: int, size: int, seconds: int = 3600) -> str:
        """A signed address that takes one PUT body of exactly `size` bytes as part `number` (from 1)."""
        if not 1 <= number <= MAX_PARTS:
            raise WrongPart("A file has at most 10,000 parts.", rule="parts")
        claims = {"m": "PUT", "k": checked_key(key), "u": upload_id, "p": number, "s": size}
        return f"{self.base_url}/parts/{signing.sign(PART, claims, seconds=seconds)}"

    def part_grant(self, token: str) -> PartGrant:
        """What the token of a `part_url` allows; raises Forbidden."""
        claims = signing.unsign(PART, token)
        return PartGrant(claims["k"], claims["u"], claims["p"], claims["s"])

    def put_part(self, key: str, upload_id: str, number: int, stream: BinaryIO, size: int) -> Part:
        """Write one part of exactly `size` bytes at its place; sending it again replaces it, and a broken one counts as not sent."""
        folder, part_size = self._open_upload(key, upload_id)
        if size > part_size:
            raise WrongPart("This part is larger than was agreed. Start the upload again.", rule="size")
        note = folder / f"{number:05d}"
        try:
            with _room(), (folder / "data").open("r+b") as target:
                note.unlink(missing_ok=True)
                target.seek((number - 1) * part_size)
                stored = _copy(_chunks(stream), target, hashlib.sha256(), at_most=size)
                target.flush()
                os.fdatasync(target.fileno())  # a part that was confirmed is kept, and ending the upload waits for nothing
            if stored.size != size:
                raise WrongPart("The connection broke off inside this part. Send it again.", rule="part")
            with _room():
                aside = folder / f".{uuid4().hex}"
                aside.write_text(f"{size} {stored.sha256}")
                os.replace(aside, note)
        except FileNotFoundError as error:
            raise Missing("This upload is no longer open. Start it again.") from error
        return Part(number, size, stored.sha256)

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts received so far, by number."""
        folder, _part_size = self._open_upload(key, upload_id)
        notes = [(path.name, path.read_text().partition(" ")) for path in sorted(folder.glob("[0-9]*"))]
        return [Part(int(name), int(size), sha256) for name, (size, _space, sha256) in notes]

    def complete(self, key: str, upload_id: str) -> Stored:
        """Make one file of parts 1 to n; done again it changes nothing. Its hash is not counted."""
        path = self._path(key)
        try:
            folder, part_size = self._open_upload(key, upload_id)
            ordered = whole(self.parts(key, upload_id))
            if any(part.size != part_size for part in ordered[:-1]):
                raise WrongPart("A part of the file is shorter than was agreed. Start the upload again.", rule="size")
            size = sum(part.size for part in ordered)
            with _room(), (folder / "data").open("r+b") as data:
                data.truncate(size)
                os.fsync(data.fileno())
            with _room():
                self._move(folder / "data", path)
        except (Missing, FileNotFoundError):  # it was ended before
            return Stored(self.size(key), "")
        shutil.rmtree(folder, ignore_errors=True)
        return Stored(size, "")

    def abort(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; forgetting twice changes nothing."""
        try:
            shutil.rmtree(self._open_upload(key, upload_id)[0], ignore_errors=True)
        except (Missing, Forbidden):
            return

    def origins(self) -> tuple[str, ...]:
        """Our own pages only."""
        return ()

    def sweep(self, older_than: float = 86_400) -> int:
        """Take away staged bytes nobody touched for that many seconds (a killed worker's leavings); the number of folders and files."""
        swept = 0
        for path in (*self.staging.glob("*"), *(self.root / COLD).glob("*/*/*/.*")):
            newest = max((p.stat().st_mtime for p in (path, *path.glob("*"))), default=0.0)
            if newest < time.time() - older_than:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)

    def _open_upload(self, key: str, upload_id: str) -> tuple[Path, int]:
        if not STAGED_ID.fullmatch(upload_id):
            raise WrongKey(repr(upload_id[:200]))
        folder = self.staging / upload_id
        try:
            kept, _line, part_size = (folder / "key").read_text().partition("\n")
        except FileNotFoundError as error:
            raise Missing("This upload is no longer open. Start it again.") from error
        if kept != checked_key(key):
            raise Forbidden(_("This upload is of another file."), rule="upload")
        return folder, int(part_size or PART_SIZE)

    def _write(self, path: Path, source: Iterator[bytes]) -> Stored:
        aside = self.staging / f"write-{uuid4().hex}"
        try:
            with _room():
                self.staging.mkdir(parents=True, exist_ok=True)
                with aside.open("wb") as target:
                    stored = _copy(source, target, hashlib.sha256())
                    target.flush()
                    os.fsync(target.fileno())
                self._move(aside, path)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
        return stored

    def _move(self, aside: Path, path: Path) -> None:
        for _attempt in range(5):  # another thread may prune the empty folder between the two calls
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.replace(aside, path)
                break
            except FileNotFoundError:
                continue
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _prune(self, folder: Path) -> None:
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


@contextmanager
def _room() -> Iterator[None]:
    """Turn a full or broken disk into a sentence; a missing file stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unavailable(_("The disk of the platform takes no more files right now. Try again later."), rule="disk") from error


def _link(source: Path, aside: Path, tell: Callable[[], None]) -> None:
    try:
        os.link(source, aside)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        with source.open("rb") as warm, aside.open("wb") as copy:
            for data in _chunks(warm):
                copy.write(data)
                tell()
            copy.flush()
            os.fsync(copy.fileno())


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while data := source.read(CHUNK):
        yield data


def _copy(source: Iterator[bytes], target: BinaryIO, digest: "hashlib._Hash", at_most: int | None = None) -> Stored:
    size = 0
    for data in source:
        size += len(data)
        if at_most is not None and size > at_most:
            raise TooLarge("More was sent than was announced. Start the upload again.", rule="size")
        digest.update(data)
        target.write(data)
    return Stored(size, digest.hexdigest())
