"""One readable log of many programs: each line carries its speaker's name; the same lines, with times, go to a file."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
LARGEST = 10_000_000
LONGEST_LINE = 65_536


class Journal:
    """Writes `speaker | line` to a stream (coloured on a terminal) and to a file that begins anew past 10 MB."""

    def __init__(self, path: Path, stream: IO[str] | None = None) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("a", encoding="utf-8")
        self._stream: IO[str] | None = sys.stdout if stream is None else stream
        self._coloured = self._stream.isatty()
        self._speakers: dict[str, int] = {}

    def say(self, speaker: str, text: str, *, kept: bool = True) -> None:
        """Write one line; with `kept` false it is shown and not filed (it holds a password)."""
        self._show(speaker, text)
        if kept:
            self._file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {speaker} | {text}\n")
            self._file.flush()
            if self._file.tell() > LARGEST:
                self._turn_over()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _show(self, speaker: str, text: str) -> None:
        if self._stream is None:
            return
        colour = self._speakers.setdefault(speaker, COLOURS[len(self._speakers) % len(COLOURS)])
        label = f"\x1b[{colour}m{speaker:<9} |\x1b[0m" if self._coloured else f"{speaker:<9} |"
        try:
            self._stream.write(f"{label} {text}\n")
            self._stream.flush()
        except OSError:  # whoever read us is gone; the file goes on
            self._stream = None

    def _turn_over(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_suffix(".log.1"))
        self._file = self._path.open("a", encoding="utf-8")


class Lines:
    """Cuts a stream of bytes into lines of text."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines completed by `data`; a line past 64 KB is cut."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            whole, self._rest = [*whole, self._rest], b""
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

    def last(self) -> list[str]:
        """What is left when the stream has ended."""
        return self.feed(b"\n") if self._rest else []
