"""What a file is, told from its own first bytes; what people call it is never believed."""

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from lms.core.errors import Invalid

HEAD = 8192


class Format(NamedTuple):
    """A kind of file we take: what it holds, our ending for it, its media type, and the ffmpeg demuxer that may open it."""

    kind: str  # video · audio · image · document · archive · text
    ending: str
    content_type: str
    demuxer: str = ""


class WrongFile(Invalid):
    """A file that is not what it should be; the sentence says what it is and what would do."""


MP4 = Format("video", "mp4", "video/mp4", "mov")
MOV = Format("video", "mov", "video/quicktime", "mov")
M4A = Format("audio", "m4a", "audio/mp4", "mov")
MKV = Format("video", "mkv", "video/x-matroska", "matroska")
WEBM = Format("video", "webm", "video/webm", "matroska")
AVI = Format("video", "avi", "video/x-msvideo", "avi")
MP3 = Format("audio", "mp3", "audio/mpeg", "mp3")
WAV = Format("audio", "wav", "audio/wav", "wav")
OGG = Format("audio", "ogg", "audio/ogg", "ogg")
FLAC = Format("audio", "flac", "audio/flac", "flac")
JPG = Format("image", "jpg", "image/jpeg")
PNG = Format("image", "png", "image/png")
GIF = Format("image", "gif", "image/gif")
WEBP = Format("image", "webp", "image/webp")
PDF = Format("document", "pdf", "application/pdf")
OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = Format("document", "docx", f"{OFFICE}wordprocessingml.document")
XLSX = Format("document", "xlsx", f"{OFFICE}spreadsheetml.sheet")
PPTX = Format("document", "pptx", f"{OFFICE}presentationml.presentation")
ODT = Format("document", "odt", "application/vnd.oasis.opendocument.text")
ODS = Format("document", "ods", "application/vnd.oasis.opendocument.spreadsheet")
ODP = Format("document", "odp", "application/vnd.oasis.opendocument.presentation")
ZIP = Format("archive", "zip", "application/zip")
TEXT = Format("text", "txt", "text/plain")

PLAYLISTS = re.compile(
    rb"#EXTM3U|#EXT-X-|ffconcat version|<MPD[\s>]|<SmoothStreamingMedia|\[playlist\]|<smil[\s>]|\[Reference\]|<asx[\s>]|^file\s+['\"]", re.I
)
ACTIVE = re.compile(
    rb"<\s*(?:!doctype|html|head|body|script|svg|xml|\?xml|\?php|iframe|object|embed)|^#!|^MZ|^\x7fELF|\x00asm|^[CF]WS", re.I
)
MEMBERS = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX}
OPEN_DOCUMENTS = {form.content_type.encode(): form for form in (ODT, ODS, ODP)}


def sniff(path: Path) -> Format:
    """The format of a file by its content; raises WrongFile with the reason when it is none that we take."""
    with path.open("rb") as source:
        head = source.read(HEAD)
    if not head:
        raise WrongFile("The file is empty. Choose it again, or save it anew first.", rule="empty")
    found = _by_magic(head)
    if found is not None:
        return _zipped(path) if found is ZIP else found
    if PLAYLISTS.search(_plain(head)):
        raise WrongFile("This is a playlist, which only points to other files. Upload the video itself.", rule="playlist")
    if ACTIVE.search(head) or ACTIVE.search(_plain(head)):
        raise WrongFile("This is a web page, a script or a program, and those are not taken. Put it into a zip file first.", rule="active")
    if _is_text(head):
        return TEXT
    raise WrongFile(
        "This kind of file is not known here. Save it as MP4, MP3, JPEG, PNG, PDF, an office document or a zip file, then upload that.",
        rule="unknown",
    )


def _by_magic(head: bytes) -> Format | None:
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot") and b"\n" not in head[:4]:
        return _movie(head)
    if head[:4] == b"\x1aE\xdf\xa3":
        return WEBM if b"webm" in head[:64] else MKV
    if head[:4] == b"RIFF":
        return {b"AVI ": AVI, b"WAVE": WAV, b"WEBP": WEBP}.get(head[8:12])
    for magic, form in (
        (b"\xff\xd8\xff", JPG),
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"GIF87a", GIF),
        (b"GIF89a", GIF),
        (b"%PDF-", PDF),
        (b"PK\x03\x04", ZIP),
        (b"OggS", OGG),
        (b"fLaC", FLAC),
        (b"ID3", MP3),
    ):
        if head.startswith(magic):
            return form
    return MP3 if _is_mpeg_audio(head) else None


def _movie(head: bytes) -> Format:
    if head[4:8] != b"ftyp":
        return MOV
    brand = head[8:12]
    if brand in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"hevc"):
        raise WrongFile("HEIC and AVIF pictures are not taken. Save the picture as JPEG or PNG, then upload that.", rule="format")
    if brand in (b"M4A ", b"M4B ", b"F4A "):
        return M4A
    return MOV if brand == b"qt  " else MP4


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether a layer III frame begins here: sync, version, layer, a bit rate and a sample rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    return head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def _zipped(path: Path) -> Format:
    """An office document by the names in its directory; anything else is a plain archive. Nothing is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if len(infos) > 10_000:
                raise WrongFile("This archive holds more than 10,000 files. Split it.", rule="archive")
            names = [info.filename for info in infos]
            if names and names[0] == "mimetype" and infos[0].file_size < 100:
                return OPEN_DOCUMENTS.get(archive.read("mimetype").strip(), ZIP)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise WrongFile("This archive is damaged. Save it anew, then upload that.", rule="archive") from error
    if "[Content_Types].xml" not in names:
        return ZIP
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise WrongFile("This document holds macros. Save it without them, then upload that.", rule="macros")
    return next((form for prefix, form in MEMBERS.items() if any(name.startswith(prefix) for name in names)), ZIP)


def _plain(head: bytes) -> bytes:
    """The head as readers of text see it: without a byte-order mark, UTF-16 folded, leading space gone."""
    if (
        head[:2] in (b"\xff\xfe", b"\xfe\xff")
        or (len(head) > 3 and head[1] == 0 and head[0] != 0)
        or (head[:1] == b"\0" and head[1:2] != b"\0")
    ):
        head = head.replace(b"\0", b"").lstrip(b"\xff\xfe")
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(c in "\t\n\r\f" or c.isprintable() or ord(c) > 159 for c in text)
