"""What a file is, told from its content alone."""

import io
import zipfile
from pathlib import Path

import pytest

from lms.core import sniff as sniffing
from lms.core.sniff import Format, WrongFile, sniff


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("XX", "[Content_Types]."), data)
    return target.getvalue()


GOOD: dict[str, tuple[bytes, Format]] = {
    "mp4": (b"\0\0\0\x20ftypisom\0\0", sniffing.MP4),
    "mov": (b"\0\0\0\x14ftypqt  ", sniffing.MOV),
    "old mov": (b"\0\0\0\x08wide\0\0\0\0mdat", sniffing.MOV),
    "m4a": (b"\0\0\0\x20ftypM4A ", sniffing.M4A),
    "mkv": (b"\x1aE\xdf\xa3\x01\0\0\0B\x82\x88matroska", sniffing.MKV),
    "webm": (b"\x1aE\xdf\xa3\x01\0\0\0B\x82\x84webm", sniffing.WEBM),
    "avi": (b"RIFF\0\0\0\0AVI LIST", sniffing.AVI),
    "wav": (b"RIFF\0\0\0\0WAVEfmt ", sniffing.WAV),
    "webp": (b"RIFF\0\0\0\0WEBPVP8 ", sniffing.WEBP),
    "mp3 with tag": (b"ID3\x04\0", sniffing.MP3),
    "mp3": (b"\xff\xfb\x90\x64\0", sniffing.MP3),
    "ogg": (b"OggS\0", sniffing.OGG),
    "flac": (b"fLaC\0", sniffing.FLAC),
    "jpg": (b"\xff\xd8\xff\xe0", sniffing.JPG),
    "png": (b"\x89PNG\r\n\x1a\n", sniffing.PNG),
    "gif": (b"GIF89a", sniffing.GIF),
    "pdf": (b"%PDF-1.7", sniffing.PDF),
    "zip": (zipped(a=b"x"), sniffing.ZIP),
    "docx": (zipped(XXxml=b"<Types/>", word__document=b"x"), sniffing.DOCX),
    "xlsx": (zipped(XXxml=b"<Types/>", xl__workbook=b"x"), sniffing.XLSX),
    "odt": (zipped(mimetype=b"application/vnd.oasis.opendocument.text", content=b"x"), sniffing.ODT),
    "text": ("Übung macht den Meister\n".encode(), sniffing.TEXT),
    "long text": (b"word " * 4000, sniffing.TEXT),
}
BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "m3u8": (b"#EXTM3U\n", "playlist"),
    "utf-16 m3u8": ("#EXTM3U\n".encode("utf-16-le"), "playlist"),
    "html": (b"<!DOCTYPE html><p>", "active"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg">', "active"),
    "xml": (b"<?xml version='1.0'?><a/>", "active"),
    "shell": (b"#!/bin/sh\n", "active"),
    "exe": (b"MZ\x90\0\x03", "active"),
    "elf": (b"\x7fELF\x02\x01", "active"),
    "swf": (b"FWS\x09aaaa", "active"),
    "wasm": (b"\0asm\x01\0\0\0", "active"),
    "heic": (b"\0\0\0\x18ftypheic", "format"),
    "noise": (bytes(range(128, 256)) * 3, "unknown"),
    "half a zip": (zipped(a=b"x" * 100)[:60], "archive"),
}


@pytest.mark.parametrize("name", GOOD)
def test_sniff__knows_what_we_take(tmp_path: Path, name: str) -> None:
    (tmp_path / "lies.exe").write_bytes(GOOD[name][0])
    assert sniff(tmp_path / "lies.exe") == GOOD[name][1]


@pytest.mark.parametrize("name", BAD)
def test_sniff__refuses_in_words(tmp_path: Path, name: str) -> None:
    (tmp_path / "lecture.mp4").write_bytes(BAD[name][0])
    with pytest.raises(WrongFile) as refusal:
        sniff(tmp_path / "lecture.mp4")
    assert refusal.value.rule == BAD[name][1] and refusal.value.sentence.endswith(".")


def test_sniff__refuses_macros_and_huge_archives(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"):
            archive.writestr(name, "x")
    (tmp_path / "a.docx").write_bytes(target.getvalue())
    with pytest.raises(WrongFile, match="macros"):
        sniff(tmp_path / "a.docx")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), "")
    with pytest.raises(WrongFile, match="10,000"):
        sniff(tmp_path / "b.zip")
