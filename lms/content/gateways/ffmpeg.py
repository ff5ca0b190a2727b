"""ffmpeg on one file in a sandbox: look, remux, poster, ladder. The commands are measured; change them with figures in hand."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import imageio_ffmpeg
import structlog

from lms.content.gateways import probe
from lms.core import sandbox
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.sandbox import MIB, Limits, Stopped
from lms.core.sniff import Format, WrongFile

MAX_SIDE = 8192
MAX_PIXELS = 40_000_000
MAX_SECONDS = 12 * 3600
# short side: (quality, most bits a second, audio bits a second)
LADDER = {1080: (21, 5_000_000, 128_000), 720: (22, 2_800_000, 128_000), 480: (23, 1_200_000, 96_000), 240: (24, 400_000, 64_000)}
PHONE_SIDE = 720
PHONE_RATE = 8_000_000
log = structlog.get_logger(__name__)
Progress = Callable[[float], None]


class ProcessingFailed(Refusal):
    """The file may be fine, but making something of it did not work this time; trying again may."""

    code = "processing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a media file holds. Width and height are as shown: turned upright, pixels square; `duration` is seconds."""

    duration: float
    streams: int = 1
    video_index: int = -1
    video_codec: str = ""
    pixel_format: str = ""
    profile: str = ""
    width: int = 0
    height: int = 0
    rotation: int = 0
    fps: float = 0.0
    audio_index: int = -1
    audio_codec: str = ""
    channels: int = 0

    @property
    def has_video(self) -> bool:
        """Whether there are moving pictures."""
        return self.video_index >= 0

    @property
    def has_audio(self) -> bool:
        """Whether there is sound."""
        return self.audio_index >= 0

    @property
    def short_side(self) -> int:
        """What people call the height: 720 of 1280×720 and of 720×1280."""
        return min(self.width, self.height)

    @property
    def can_copy_video(self) -> bool:
        """Whether every browser plays the pictures as they are."""
        return self.video_codec == "h264" and self.pixel_format in ("yuv420p", "yuvj420p")

    def as_dict(self) -> dict[str, Any]:
        """For the asset's row."""
        return asdict(self)


class Rendition(NamedTuple):
    """One size of the ladder: its name in addresses, pixels, quality and most bits a second."""

    name: str
    width: int
    height: int
    crf: int
    rate: int
    audio_rate: int


def ladder(facts: Facts) -> list[Rendition]:
    """The sizes to make, biggest first: those of the ladder not above the source, and the source's own when it lies well between two."""
    top = facts.short_side & ~1
    sides = [side for side in LADDER if side <= top]
    if not sides or (top < max(LADDER) and top > sides[0] * 1.2):
        sides.insert(0, max(top, 2))
    return [_rendition(facts, side) for side in sides]


def _rendition(facts: Facts, side: int) -> Rendition:
    scale = side / facts.short_side
    width, height = (max(2, round(length * scale / 2) * 2) for length in (facts.width, facts.height))
    like = next((known for known in sorted(LADDER) if known >= side), max(LADDER))
    crf, rate, audio = LADDER[like]
    return Rendition(f"{side}p", width, height, crf, rate, audio)


class Ffmpeg:
    """The program, and the one folder it works in: ./input goes in, what it makes lies beside it."""

    def __init__(self, program: str, folder: Path, form: Format, size: int) -> None:
        self.program = program
        self.folder = folder
        self.form = form
        self.size = size

    def look(self) -> Facts:
        """The facts of ./input; raises WrongFile when it is broken or past a cap."""
        command = sandbox.python_command(Path(probe.__file__), self.form.demuxer)
        limits = Limits(wall_seconds=120, cpu_seconds=100, memory_bytes=2048 * MIB, disk_bytes=self.size + 64 * MIB)
        try:
            outcome = sandbox.run(command, self.folder, limits, readable=sandbox.python_paths())
            answer = json.loads(outcome.out)
        except (Stopped, ValueError) as error:
            raise self._broken(str(error)) from error
        if "refused" in answer:
            raise self._over_cap(answer)
        return _facts(answer)

    def remux(self, facts: Facts, on_progress: Progress) -> Path:
        """video.mp4: the same pictures in an MP4 that starts at once; sound is encoded anew only when browsers would not play it."""
        sound = ["-map", f"0:{facts.audio_index}", *(["-c:a", "copy"] if facts.audio_codec == "aac" else _AAC)] if facts.has_audio else []
        output = ["-map", f"0:{facts.video_index}", *sound, "-c:v", "copy", *_CLEAN, "-movflags", "+faststart", "-f", "mp4", "video.mp4"]
        self._run(output, facts, on_progress)
        return self.folder / "video.mp4"

    def sound(self, facts: Facts, on_progress: Progress) -> Path:
        """audio.m4a: the sound as AAC."""
        copy = ["-c:a", "copy"] if facts.audio_codec == "aac" and self.form.demuxer == "mov" else _AAC
        self._run(
            ["-map", f"0:{facts.audio_index}", *copy, *_CLEAN, "-vn", "-movflags", "+faststart", "-f", "mp4", "audio.m4a"],
            facts,
            on_progress,
        )
        return self.folder / "audio.m4a"

    def poster(self, facts: Facts) -> Path:
        """poster.jpg: a telling picture near a tenth of the way, no side over 1280."""
        scale = min(1.0, 1280 / max(facts.width, facts.height))
        width, height = (max(2, round(length * scale / 2) * 2) for length in (facts.width, facts.height))
        look = f"thumbnail=24,scale={width}:{height},setsar=1,format=yuvj420p"
        for start in (facts.duration * 0.1, 0.0):
            output = [
                "-map",
                f"0:{facts.video_index}",
                "-an",
                "-vf",
                look,
                "-frames:v",
                "1",
                "-q:v",
                "3",
                "-update",
                "1",
                "-f",
                "image2",
                "poster.jpg",
            ]
            self._run(output, facts, _ignore, start=start, must_be_whole=False)
            if (self.folder / "poster.jpg").exists():
                break
        else:
            raise self._broken("no poster")
        return self.folder / "poster.jpg"

    def hls(self, facts: Facts, renditions: list[Rendition], on_progress: Progress) -> Path:
        """hls/: a master playlist and one folder for each rendition, fMP4 segments of 6 s on keyframes every 2 s, all in one run.

        Sound is in each rendition: players without alternate tracks (hls.js light) stay silent otherwise.
        """
        (self.folder / "hls").mkdir()
        sandbox.give(self.folder / "hls")
        for rendition in renditions:
            (self.folder / "hls" / rendition.name).mkdir()
            sandbox.give(self.folder / "hls" / rendition.name)
        self._run(_hls_arguments(facts, renditions), facts, on_progress, memory=6144 * MIB)
        return self.folder / "hls"

    def whole(self, rendition: Rendition) -> Path:
        """video.mp4 out of one finished rendition, without encoding again: for phones and for downloads in the player."""
        parts = self.folder / "hls" / rendition.name
        joined = self.folder / "joined"
        with joined.open("wb") as target:
            for piece in (parts / f"init_{rendition.name}.mp4", *sorted(parts.glob("seg_*.m4s"))):
                target.write(piece.read_bytes())
        sandbox.give(joined)
        head = [self.program, *_QUIET, "-f", "mov", "-i", "file:joined"]
        self._watch(
            [*head, "-map", "0", "-c", "copy", *_CLEAN, "-movflags", "+faststart", "-f", "mp4", "video.mp4"], 3600, 2048 * MIB, None
        )
        joined.unlink()
        return self.folder / "video.mp4"

    def _run(
        self,
        output: list[str],
        facts: Facts,
        on_progress: Progress,
        *,
        start: float = 0.0,
        memory: int = 2048 * MIB,
        must_be_whole: bool = True,
    ) -> None:
        reached = 0.0

        def hear(line: str) -> None:
            nonlocal reached
            name, _equals, value = line.partition("=")
            if name == "out_time_us" and value.strip().isdigit():
                reached = max(reached, int(value) / 1e6)
                on_progress(min(reached / max(facts.duration, 0.1), 1.0))

        seek = ["-ss", f"{start:.3f}"] if start else []
        head = [self.program, *_QUIET, *seek, "-max_pixels", str(MAX_PIXELS), "-f", self.form.demuxer, "-i", "file:input"]
        self._watch([*head, *output], 900 + facts.duration * 12, memory, hear, facts.duration)
        if must_be_whole and reached < facts.duration * 0.9 - 1:
            raise WrongFile(_("The file ends before its end: part of it is missing. Upload it again from the original."), rule="truncated")

    def _watch(self, command: list[str], seconds: float, memory: int, hear: Callable[[str], None] | None, duration: float = 0.0) -> None:
        limits = Limits(
            wall_seconds=min(seconds, 5.5 * 3600),
            cpu_seconds=int(min(seconds, 5.5 * 3600) * 4),
            memory_bytes=memory,
            file_bytes=max(self.size * 2, 256 * MIB) + int(duration * 1_500_000),
            disk_bytes=self.size * 3 + int(duration * 2_000_000) + 512 * MIB,
        )
        try:
            outcome = sandbox.run(command, self.folder, limits, readable=(Path(self.program).parent,), on_line=hear)
        except Stopped as stopped:
            log.warning("media_stopped", limit=stopped.limit)
            sentence = _("Preparing this file took more time or room than allowed. Save it in a smaller size, then upload that.")
            raise ProcessingFailed(sentence, rule=stopped.limit) from stopped
        if outcome.code == 0:
            return
        log.warning("media_refused", code=outcome.code, error=outcome.err[-500:])
        if outcome.code in (120, 121, 122, 152, 137) or "Cannot allocate memory" in outcome.err or "No space left" in outcome.err:
            raise ProcessingFailed(
                _("Preparing this file did not work this time. Try again; if it fails twice, save it anew first."), rule="runner"
            )
        raise self._broken(outcome.err[-300:])

    def _broken(self, why: str) -> WrongFile:
        log.info("media_broken", why=why[:300])
        sentence = _("The file is damaged or cut short, so it cannot be played. Save it anew or upload it again from the original.")
        return WrongFile(sentence, rule="broken")

    def _over_cap(self, answer: dict[str, Any]) -> WrongFile:
        sentences = {
            "streams": _("The file holds too many tracks. Save it with one picture and one sound track, then upload that."),
            "pixels": _("The pictures are larger than 40 million pixels. Save it in 4K or smaller, then upload that."),
        }
        if answer["refused"] in sentences:
            return WrongFile(sentences[answer["refused"]], rule=answer["refused"])
        return self._broken(str(answer.get("error", "")))


_QUIET = [
    "-y",
    "-hide_banner",
    "-nostdin",
    "-nostats",
    "-loglevel",
    "error",
    "-protocol_whitelist",
    "file,pipe",
    "-progress",
    "pipe:1",
    "-stats_period",
    "1",
]
_CLEAN = ["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn"]
_AAC = ["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000", "-af", "aresample=async=1:first_pts=0"]


def _ignore(_fraction: float) -> None:
    return


def _facts(answer: dict[str, Any]) -> Facts:
    """The program's answer as Facts; raises WrongFile past a cap."""
    video, audio = answer.get("video") or {}, answer.get("audio") or {}
    width, height = video.get("width", 0), video.get("height", 0)
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise WrongFile(_("The pictures are larger than 8192 pixels on a side. Save it in 4K or smaller, then upload that."), rule="pixels")
    aspect = video.get("aspect", 1.0)
    if 0.1 < aspect < 10 and not math.isclose(aspect, 1.0):
        width = min(max(2, round(width * aspect)), MAX_SIDE)
    if video.get("rotation", 0) in (90, 270):
        width, height = height, width
    duration = float(answer["duration"])
    if not 0 < duration <= MAX_SECONDS:
        sentence = _("The file is longer than 12 hours. Cut it into parts.") if duration > 0 else _("The file holds nothing to play.")
        raise WrongFile(sentence, rule="duration")
    return Facts(
        duration=duration,
        streams=answer["streams"],
        video_index=video.get("index", -1),
        video_codec=video.get("codec", ""),
        pixel_format=video.get("pixel_format", ""),
        profile=video.get("profile", ""),
        width=width,
        height=height,
        rotation=video.get("rotation", 0),
        fps=video.get("fps", 0.0),
        audio_index=audio.get("index", -1),
        audio_codec=audio.get("codec", ""),
        channels=audio.get("channels", 0),
    )


def _hls_arguments(facts: Facts, renditions: list[Rendition]) -> list[str]:
    count = len(renditions)
    before = "fps=60," if facts.fps > 60.5 else ""
    names = [f"[s{i}]" for i in range(count)]
    graph = [f"[0:{facts.video_index}]{before}split={count}{''.join(names)}"]
    graph += [f"[s{i}]scale={r.width}:{r.height}:flags=bicubic,setsar=1,format=yuv420p[o{i}]" for i, r in enumerate(renditions)]
    arguments = ["-filter_complex", ";".join(graph)]
    for i, rendition in enumerate(renditions):
        arguments += ["-map", f"[o{i}]"]
        arguments += [
            f"-crf:v:{i}",
            str(rendition.crf),
            f"-maxrate:v:{i}",
            str(rendition.rate),
            f"-bufsize:v:{i}",
            str(rendition.rate * 3 // 2),
        ]
    arguments += ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-sc_threshold", "0"]
    arguments += ["-force_key_frames", "expr:gte(t,n_forced*2)"]
    if facts.has_audio:
        for i, rendition in enumerate(renditions):
            arguments += ["-map", f"0:{facts.audio_index}", f"-b:a:{i}", str(rendition.audio_rate)]
        arguments += ["-c:a", "aac", "-ac", "2", "-ar", "48000", "-af", "aresample=async=1:first_pts=0"]
    streams = " ".join(f"v:{i}{f',a:{i}' if facts.has_audio else ''},name:{r.name}" for i, r in enumerate(renditions))
    arguments += [*_CLEAN, "-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod", "-hls_flags", "independent_segments"]
    first = "init_%v.mp4" if count > 1 else f"init_{renditions[0].name}.mp4"  # with one variant %v stays as it is
    arguments += ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", first, "-hls_segment_filename", "hls/%v/seg_%05d.m4s"]
    return [*arguments, "-master_pl_name", "master.m3u8", "-var_stream_map", streams, "hls/%v/index.m3u8"]


_program: list[str] = []


def use_ffmpeg(program: str) -> None:
    """Run this ffmpeg; "" is the one out of the wheel."""
    _program[:] = [program] if program else []


def media(folder: Path, form: Format, size: int) -> Ffmpeg:
    """ffmpeg for the file ./input of a scratch folder."""
    return Ffmpeg(_program[0] if _program else imageio_ffmpeg.get_ffmpeg_exe(), folder, form, size)
