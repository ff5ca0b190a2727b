"""From the takes of a session to one film: measured one by one, and joined when there are several."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import structlog

from lms.content import gateways as media
from lms.content.gateways import Facts
from lms.core import sandbox
from lms.core.errors import Unavailable
from lms.core.i18n import gettext as _
from lms.core.sandbox import MIB, Limits, Stopped
from lms.core.sniff import WrongFile, sniff
from lms.streaming.gateways.tape import Reel

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Film:
    """What the takes became: the file, and how many seconds of it each take has, by its number."""

    path: Path | None
    ending: str
    seconds: dict[int, float]


@dataclass(frozen=True, slots=True)
class _Part:
    path: Path
    facts: Facts
    ending: str


def join(reels: list[Reel], folder: Path) -> Film:
    """One film of the takes in a scratch folder; takes in which nothing can be seen are left out. No path when none is left."""
    parts: dict[int, _Part] = {}
    for reel in reels:
        part = _look(reel, folder)
        if part is not None:
            parts[reel.number] = part
    seconds = {number: part.facts.duration for number, part in parts.items()}
    if len(parts) < 2:
        only = next(iter(parts.values()), None)
        return Film(only.path if only else None, only.ending if only else "", seconds)
    return Film(_joined(list(parts.values()), folder), "mkv", seconds)


def _look(reel: Reel, folder: Path) -> _Part | None:
    """Copy what was confirmed of a take, and measure it; None when nothing can be seen in it."""
    place = folder / "input"
    with reel.data.open("rb") as source, place.open("wb") as copy:
        left = reel.size
        while left and (piece := source.read(min(left, MIB))):
            copy.write(piece)
            left -= len(piece)
    try:
        if reel.demuxer == "flv":
            _into_matroska(place, folder)
        form = sniff(place)
        sandbox.give(place)
        facts = media.media(folder, form, place.stat().st_size).look()
    except WrongFile as refusal:
        log.info("take_unseen", take=reel.number, why=refusal.rule)
        return None
    if not facts.has_video:
        return None
    target = folder / f"take-{reel.number:03d}.{form.ending}"
    place.rename(target)
    return _Part(target, facts, form.ending)


def _into_matroska(place: Path, folder: Path) -> None:
    """What nginx wrote of an RTMP stream, in a container whose every moment can be found; a torn end is left out."""
    sandbox.give(place)
    size, program = place.stat().st_size, media.program()
    limits = Limits(wall_seconds=1800, cpu_seconds=1800, memory_bytes=2048 * MIB, file_bytes=size * 2 + 64 * MIB, disk_bytes=size * 4 + MIB)
    words = "-y -hide_banner -nostdin -loglevel error -protocol_whitelist file,pipe -f flv -i file:input -map 0 -c copy -f matroska film"
    outcome = sandbox.run([program, *words.split()], folder, limits, readable=(Path(program).parent,))
    if outcome.never_began:
        raise RuntimeError(f"the take could not be opened: {outcome.err[-300:]}")
    if outcome.code != 0 or not (folder / "film").exists():
        raise WrongFile(_("Nothing of this take can be seen."), rule="broken")
    (folder / "film").replace(place)


def _joined(parts: list[_Part], folder: Path) -> Path:
    shapes = {(part.facts.video_codec, part.facts.audio_codec, part.facts.width, part.facts.height) for part in parts}
    alike = len(shapes) == 1 and parts[0].facts.video_codec == "h264"
    _run(_copied(parts, folder) if alike else _made_alike(parts), parts, folder)
    return folder / "film.mkv"


def _copied(parts: list[_Part], folder: Path) -> list[str]:
    """The same kind of pictures throughout: put one behind the other as they are."""
    lines = [f"file {part.path.name}\nduration {part.facts.duration:.3f}\n" for part in parts]
    (folder / "takes.txt").write_text("ffconcat version 1.0\n" + "".join(lines))
    return ["-f", "concat", "-safe", "1", "-i", "takes.txt", "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy"]


def _made_alike(parts: list[_Part]) -> list[str]:
    """Camera and screen differ: every take in the size of the biggest, on black where it does not fill it; silence where there is none."""
    wide = max(part.facts.width for part in parts) & ~1
    high = max(part.facts.height for part in parts) & ~1
    graph, inputs = [], []
    for place, part in enumerate(parts):
        inputs += ["-i", f"file:{part.path.name}"]
        fit = f"scale={wide}:{high}:force_original_aspect_ratio=decrease,pad={wide}:{high}:(ow-iw)/2:(oh-ih)/2"
        graph.append(f"[{place}:v:0]{fit},setsar=1,fps=30,format=yuv420p[v{place}]")
        sound = f"[{place}:a:0]aresample=48000:async=1" if part.facts.has_audio else f"aevalsrc=0:d={part.facts.duration:.3f}:s=48000"
        graph.append(f"{sound},aformat=channel_layouts=stereo[a{place}]")
    chain = "".join(f"[v{place}][a{place}]" for place in range(len(parts)))
    graph.append(f"{chain}concat=n={len(parts)}:v=1:a=1[v][a]")
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-c:a", "aac", "-b:a", "128k"]
    return [*inputs, "-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]", *coding]


def _run(words: list[str], parts: list[_Part], folder: Path) -> None:
    program = media.program()
    length = sum(part.facts.duration for part in parts)
    size = sum(part.path.stat().st_size for part in parts)
    if shutil.disk_usage(folder).free < size * 2:
        raise Unavailable(_("There is not enough room on the disk to join the recording."))
    limits = Limits(
        wall_seconds=900 + length * 4,
        cpu_seconds=int(900 + length * 16),
        memory_bytes=4096 * MIB,
        file_bytes=size * 3 + 512 * MIB,
        disk_bytes=size * 5 + 1024 * MIB,
    )
    head = [program, "-y", "-hide_banner", "-nostdin", "-loglevel", "error", "-protocol_whitelist", "file,pipe"]
    tail = ["-map_metadata", "-1", "-f", "matroska", "film.mkv"]
    try:
        outcome = sandbox.run([*head, *words, *tail], folder, limits, readable=(Path(program).parent,))
    except Stopped as stopped:
        raise RuntimeError(f"joining stopped at the {stopped.limit} limit") from stopped
    if outcome.code != 0:
        raise RuntimeError(f"joining failed: {outcome.err[-400:]}")
