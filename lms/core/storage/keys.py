"""What every store speaks: keys, parts, what was stored, the refusals, and the words of a download."""

import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol
from urllib.parse import quote
from uuid import UUID

from lms.core.errors import Invalid, NotFound

CHUNK = 1 << 20
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # categories of Unicode that have no place in a file name
COLD = "cold"
KEY = re.compile(r"(?:cold/)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,8}", re.ASCII)
UPLOAD_ID = re.compile(r"[A-Za-z0-9._~-]{8,512}", re.ASCII)
MAX_PARTS = 10_000
PART_SIZE = 8 << 20
TYPES = {
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
    "m3u8": "application/vnd.apple.mpegurl",
    "webm": "video/webm",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


class Missing(NotFound):
    """No file is stored under the key."""


class WrongKey(ValueError):
    """A key that we did not make: a bug or an attack, never shown to people."""


class TooLarge(Invalid):
    """More bytes came than were agreed."""


class WrongPart(Invalid):
    """A part that is not there, or not of the size that was agreed."""


class Part(NamedTuple):
    """One received part of an upload; `etag` is the store's own mark of its content."""

    number: int
    size: int
    etag: str


class Stored(NamedTuple):
    """What a store holds now: bytes, and the SHA-256 in hex ("" where only reading the file would tell)."""

    size: int
    sha256: str


class Storage(Protocol):
    """A place for files. Sizes are bytes, times seconds; every method raises `Missing` or `Unavailable`, nothing of the store's own."""

    def put(self, key: str, data: bytes | BinaryIO, content_type: str = "") -> Stored:
        """Store the bytes under the key, all or nothing; storing again replaces."""

    def put_file(self, key: str, path: Path, content_type: str = "") -> Stored:
        """Store a file of this machine under the key."""

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        """A reader of the file, or of `length` bytes from `start`; close it."""

    def fetch(self, key: str, path: Path) -> Stored:
        """Copy the file to a path of this machine."""

    def size(self, key: str) -> int:
        """How many bytes the file has."""

    def exists(self, key: str) -> bool:
        """Whether there is a file under the key."""

    def copy(self, key: str, target: str, tell: Callable[[], None] = lambda: None) -> None:
        """Have the file under a second key as well, its bytes staying in the store; `tell` is called while a long one is on its way."""

    def delete(self, key: str) -> None:
        """Take the file away; taking away what is not there changes nothing."""

    def delete_all(self, prefix: str) -> None:
        """Take away every file under `prefix/`; two parts or more, so that no whole channel goes by mistake."""

    def delete_channel(self, channel_id: UUID) -> None:
        """Take away every file of a channel."""

    def get_url(
        self, key: str, seconds: int = 300, filename: str | None = None, inline: bool = False, content_type: str | None = None
    ) -> str:
        """A signed address that gives this file to whoever holds it, for that long; a download unless `inline`."""

    def begin(self, key: str, content_type: str = "", part_size: int = PART_SIZE) -> str:
        """Start an upload in parts, each but the last of exactly `part_size` bytes; its id."""

    def part_url(self, key: str, upload_id: str, number: int, size: int, seconds: int = 3600) -> str:
        """A signed address that takes one PUT body of exactly `size` bytes as part `number` (from 1)."""

    def put_part(self, key: str, upload_id: str, number: int, stream: BinaryIO, size: int) -> Part:
        """Take one part of exactly `size` bytes; sending it again replaces it."""

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts received so far, by number; raises Missing when the upload is not open."""

    def complete(self, key: str, upload_id: str) -> Stored:
        """Make one file of parts 1 to n; done again it changes nothing. Raises WrongPart when one between is missing."""

    def abort(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; forgetting twice changes nothing."""

    def origins(self) -> tuple[str, ...]:
        """The origins a page must be allowed to load from and send to, for the content security policy."""


class Stretch(io.RawIOBase):
    """A reader over a stretch of something that has `read` and `close`."""

    def __init__(self, source: BinaryIO, length: int | None) -> None:
        super().__init__()
        self.source = source
        self.left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # the typeshed Buffer has no len()
        want = len(buffer) if self.left is None else min(len(buffer), self.left)
        data = self.source.read(want) if want else b""
        buffer[: len(data)] = data
        if self.left is not None:
            self.left -= len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self.source.close()
        super().close()


def checked_key(key: str) -> str:
    """The key, when it is one of ours: perhaps the cold prefix, a channel's id, then 1 to 8 plain names; raises WrongKey."""
    if not KEY.fullmatch(key):
        raise WrongKey(repr(key[:200]))
    return key


def cold(key: str) -> str:
    """The same key under the cold prefix, where files lie that are seldom asked for; a cold key stays what it is."""
    return key if is_cold(key) else f"{COLD}/{key}"


def is_cold(key: str) -> bool:
    """Whether a key lies under the cold prefix."""
    return key.startswith(f"{COLD}/")


def checked_upload(upload_id: str) -> str:
    """The upload's id, when it is plainly one; raises WrongKey."""
    if not UPLOAD_ID.fullmatch(upload_id):
        raise WrongKey(repr(upload_id[:200]))
    return upload_id


def whole(parts: list[Part]) -> list[Part]:
    """The parts in order, when none between 1 and the last is missing; raises WrongPart."""
    ordered = sorted(parts)
    if not ordered or [part.number for part in ordered] != list(range(1, len(ordered) + 1)):
        raise WrongPart("Part of the file has not arrived yet. Resume the upload.", rule="parts")
    return ordered


def type_of(key: str) -> str:
    """The media type of a key by its last letters; bytes when unknown. Names are ours, so this is no guess."""
    return TYPES.get(key.rpartition(".")[2], "application/octet-stream")


def safe_name(filename: str) -> str:
    """A file name fit for a header: no controls, no direction marks, no slashes, at most 150 characters, its ending kept."""
    kept = "".join(c if c not in '/\\:*?"<>|' else "_" for c in filename if unicodedata.category(c) not in HIDDEN).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: 149 - len(ending)].rstrip(' .') or 'file'}.{ending}"
    return kept[:150] or "file"


def disposition(filename: str | None, *, inline: bool) -> str:
    """The Content-Disposition of a download (RFC 6266): a plain name, and the full one in UTF-8."""
    kind = "inline" if inline else "attachment"
    if not filename:
        return kind
    name = safe_name(filename)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace('"', "_").strip() or "file"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
