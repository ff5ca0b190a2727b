"""Making pictures of people's files safe to show: one function for covers, avatars, logos and pictures in lessons."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import structlog

from lms.core import pictures, sandbox
from lms.core.errors import Unavailable
from lms.core.i18n import gettext as _
from lms.core.sniff import WrongFile, sniff

MIB = 1 << 20
MAX_BYTES = 25 * MIB
LIMITS = sandbox.Limits(wall_seconds=30, cpu_seconds=20, memory_bytes=768 * MIB, file_bytes=64 * MIB, disk_bytes=128 * MIB)
log = structlog.get_logger(__name__)


class Picture(NamedTuple):
    """A picture made anew: WebP bytes and their size in pixels."""

    data: bytes
    width: int
    height: int


def make_pictures(source: bytes | BinaryIO | Path, sides: Sequence[int]) -> list[Picture]:
    """The picture made anew as WebP, once for each longest side asked for; raises WrongFile with the reason.

    Raises Unavailable where this machine cannot open pictures at all.
    It costs about 0.2 s a size: for uploads in a request (an avatar) and for jobs.
    """
    with sandbox.scratch() as folder:
        place = folder / "input"
        _copy(source, place)
        if sniff(place).kind != "image":
            raise WrongFile(_("This is not a picture. Choose a JPEG, PNG, WebP or GIF file."), rule="kind")
        sandbox.give(place)
        return [_remake(folder, side) for side in sides]


def _copy(source: bytes | BinaryIO | Path, place: Path) -> None:
    if isinstance(source, Path):
        with source.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    else:
        data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise WrongFile(_("The picture is larger than 25 MB. Save it smaller, then upload that."), rule="size")
    place.write_bytes(data)


def _remake(folder: Path, side: int) -> Picture:
    command = sandbox.python_command(Path(pictures.__file__), "input", "output", str(side))
    broken = WrongFile(_("The picture is damaged. Open it, save it anew as JPEG or PNG, then upload that."), rule="broken")
    try:
        outcome = sandbox.run(command, folder, LIMITS, readable=sandbox.python_paths())
    except sandbox.Stopped as stopped:
        raise broken from stopped
    if outcome.never_began:
        log.error("pictures_cannot_be_opened", reason=outcome.err[-300:])
        raise Unavailable(_("Pictures cannot be taken in right now: the server has to be looked after. Try again later."), rule="runner")
    try:
        answer = json.loads(outcome.out)
    except ValueError as error:
        raise broken from error
    if answer.get("refused") == "pixels":
        raise WrongFile(
            _("The picture has more than 40 million pixels, or 24 million as WebP. Save it smaller, then upload that."), rule="pixels"
        )
    if "width" not in answer:
        raise broken
    return Picture((folder / "output").read_bytes(), answer["width"], answer["height"])
