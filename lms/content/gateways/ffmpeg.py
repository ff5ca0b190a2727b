"""ffmpeg on one file in a sandbox: look, remux, cut, poster, sizes, sound. The commands are measured; change them with figures in hand."""

import array
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import structlog

from lms.content.gateways import probe
from lms.content.gateways.facts import MAX_PIXELS, Facts, facts_of
from lms.content.gateways.ladder import AAC, CLEAN, TILES_A_ROW, Loudness, Rendition, pictures_arguments, sound_arguments
from lms.content.gateways.playlists import Track, codec_of, read_segments
from lms.core import sandbox
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.sandbox import MIB, Limits, Outcome, Stopped
from lms.core.sniff import Format, WrongFile

BIG, MOST_HEAD = 128 * MIB, 0.02  # from so many bytes on, at most such a share of them
HEAD_OF_PICTURE, HEAD_OF_SOUND = 28, 47 * 16  # bytes of an MP4's head for each picture, and for each second of sound
WAVE_POINTS = 400
WAVE_SAMPLES = 4_000_000
CUTTABLE = {"mov": "mov", "matroska": "matroska"}
log = structlog.get_logger(__name__)
Progress = Callable[[float], None]


class ProcessingFailed(Refusal):
    """The file may be fine, but making something of it did not work this time; trying again may."""

    code = "processing"


class Ffmpeg:
    """The program, and the one folder it works in: ./input goes in, what it makes lies beside it."""

    def __init__(self, program: str, folder: Path, form: Format, size: int, lent: tuple[Path, ...] = ()) -> None:
        self.program = program
        self.folder = folder
        self.form = form
        self.size = size
        self.lent = lent  # what ./input leads to, when it is no file of the folder

    def look(self) -> Facts:
        """The facts of ./input; raises WrongFile when it is broken or past a cap."""
        answer = self._probe(120)
        if "refused" in answer:
            raise self._over_cap(answer)
        return facts_of(answer)

    def moments(self) -> list[float]:
        """The seconds at which the pictures may be cut without a seam; none for a container that is not cut, or is hard to read."""
        if self.form.demuxer not in CUTTABLE:
            return []
        try:
            return [float(one) for one in self._probe(600, "moments").get("moments", [])]
        except WrongFile:
            return []

    def _probe(self, seconds: int, *what: str) -> dict[str, Any]:
        command = sandbox.python_command(Path(probe.__file__), self.form.demuxer, *what)
        limits = Limits(wall_seconds=seconds, cpu_seconds=seconds, memory_bytes=2048 * MIB, disk_bytes=self.size * 2 + 64 * MIB)
        lines: list[str] = []
        try:
            outcome = sandbox.run(command, self.folder, limits, readable=(*sandbox.python_paths(), *self.lent), on_line=lines.append)
            if outcome.never_began:
                raise self._ours(outcome)
            answer: dict[str, Any] = json.loads("".join(lines) or outcome.out)
        except (Stopped, ValueError) as error:
            raise self._broken(str(error)) from error
        return answer

    def remux(self, facts: Facts, on_progress: Progress) -> Path:
        """video.mp4: the same pictures in an MP4 that starts at once; sound is encoded anew only when browsers would not play it.

        Of a big file the room for its head is kept free in front; of a small one, or when that was too little, all is moved once more.
        """
        sound = ["-map", f"0:{facts.audio_index}", *(["-c:a", "copy"] if facts.can_copy_audio else _SOUND)] if facts.has_audio else []
        output = ["-map", f"0:{facts.video_index}", *sound, "-c:v", "copy", *CLEAN, "-f", "mp4"]
        room = int(facts.duration * (max(facts.fps, 30.0) * HEAD_OF_PICTURE + HEAD_OF_SOUND)) + 65_536
        if self.size > BIG and room < self.size * MOST_HEAD:
            try:
                self._run([*output, "-moov_size", str(room), "video.mp4"], facts, on_progress)
                return self.folder / "video.mp4"
            except WrongFile:
                log.info("head_too_small", room=room)
        self._run([*output, "-movflags", "+faststart", "video.mp4"], facts, on_progress)
        return self.folder / "video.mp4"

    def sound(self, facts: Facts, on_progress: Progress) -> Path:
        """audio.m4a: the sound as AAC."""
        copy = ["-c:a", "copy"] if facts.audio_codec == "aac" and self.form.demuxer == "mov" else _SOUND
        self._run(
            ["-map", f"0:{facts.audio_index}", *copy, *CLEAN, "-vn", "-movflags", "+faststart", "-f", "mp4", "audio.m4a"],
            facts,
            on_progress,
        )
        return self.folder / "audio.m4a"

    def poster(self, facts: Facts, at: float | None = None) -> Path:
        """poster.jpg: the picture at a moment, else a telling one near a tenth of the way; no side over 1280."""
        scale = min(1.0, 1280 / max(facts.width, facts.height))
        width, height = (max(2, round(length * scale / 2) * 2) for length in (facts.width, facts.height))
        look = f"{'thumbnail=24,' if at is None else ''}scale={width}:{height},setsar=1,format=yuvj420p"
        for start in (facts.duration * 0.1 if at is None else min(at, facts.duration - 0.1), 0.0):
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

    def cut(self, facts: Facts, moments: Sequence[float]) -> list[Path]:
        """pieces/: the pictures alone, as they are, cut at these moments; one file more than moments, or none when it did not work out."""
        container = CUTTABLE[self.form.demuxer]
        self._folder("pieces")
        times = ",".join(f"{moment - 0.001:.6f}" for moment in moments)
        output = ["-map", f"0:{facts.video_index}", "-c", "copy", *CLEAN, "-an", "-f", "segment", "-segment_times", times]
        output += ["-segment_format", container, "-reset_timestamps", "1", f"pieces/%04d.{self.form.ending}"]
        self._run(output, facts, _ignore)
        found = sorted((self.folder / "pieces").iterdir())
        return found if len(found) == len(moments) + 1 else []

    def pictures(
        self, facts: Facts, sizes: list[Rendition], on_progress: Progress, *, number: int = 0, starts_at: float = 0.0, seconds: float = 0.0
    ) -> dict[str, Track]:
        """hls/ and tiles/: every size of ./input (the whole video, or piece `number` of it), aligned, in one run; the tracks by size."""
        if seconds:
            facts = replace(facts, video_index=0, duration=seconds)
        self._folder("hls", "tiles", *(f"hls/{size.name}" for size in sizes))
        tonemap, threads = _has_tonemap(self.program), _threads()
        arguments = pictures_arguments(facts, sizes, number=number, starts_at=starts_at, has_tonemap=tonemap, threads=threads)
        self._run(arguments, facts, on_progress, memory=6144 * MIB)
        return {size.name: self._track(size.name, number) for size in sizes}

    def sounds(self, facts: Facts, on_progress: Progress) -> Track:
        """hls/sound: the sound once, as loud as others; sound.m4a the same in one file."""
        gain = self.loudness(facts).gain
        self._folder("hls", "hls/sound")
        self._run(sound_arguments(facts, gain), facts, on_progress)
        track = self._track("sound", 0)
        self.join("sound.m4a", None, self.folder / "hls" / "sound")
        return track

    def loudness(self, facts: Facts) -> Loudness:
        """How loud the sound is; silence where nothing can be measured."""
        head = [self.program, *_QUIET, "-loglevel", "info", "-f", self.form.demuxer, "-i", "file:input"]
        said = self._watch(
            [*head, "-map", f"0:{facts.audio_index}", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"],
            900 + facts.duration,
            2048 * MIB,
            None,
        ).err
        integrated, peak = _LOUD.findall(said), _PEAK.findall(said)
        return Loudness(float(integrated[-1]), float(peak[-1])) if integrated and peak else Loudness(-70.0, -70.0)

    def wave(self, name: str, duration: float) -> list[int]:
        """The outline of a made sound file: how loud it is (0 to 100) at so many points along it."""
        rate = int(max(100, min(8000, WAVE_SAMPLES / max(duration, 1.0))))
        head = [self.program, *_QUIET, "-f", "mov", "-i", f"file:{name}"]
        self._watch([*head, "-map", "0:a:0", "-ac", "1", "-ar", str(rate), "-f", "s16le", "wave.raw"], 1800, 2048 * MIB, None)
        samples = array.array("h")
        data = (self.folder / "wave.raw").read_bytes()
        samples.frombytes(data[: len(data) // 2 * 2])
        width = max(1, math.ceil(len(samples) / WAVE_POINTS))
        peaks = [max(map(abs, samples[at : at + width])) for at in range(0, len(samples), width)]
        most = max([*peaks, 1])
        return [round(100 * peak / most) for peak in peaks]

    def join(self, name: str, pictures: Path | None, sound: Path | None) -> Path:
        """One MP4 that starts at once out of finished segments (folders of first bytes and segments), without encoding again."""
        inputs: list[str] = []
        for place, kind in ((pictures, "pictures"), (sound, "sound")):
            if place is None:
                continue
            joined = self.folder / f"joined-{kind}"
            with joined.open("wb") as target:
                for part in (sorted(place.glob("init_*.mp4"))[0], *sorted(place.glob("seg_*.m4s"))):
                    target.write(part.read_bytes())
            sandbox.give(joined)
            inputs += ["-f", "mov", "-i", f"file:{joined.name}"]
        maps = [part for index in range(inputs.count("-i")) for part in ("-map", f"{index}:0")]
        made = ["-c", "copy", *CLEAN, "-movflags", "+faststart", "-f", "mp4", name]
        self._watch([self.program, *_QUIET, *inputs, *maps, *made], 3600, 2048 * MIB, None)
        for joined in self.folder.glob("joined-*"):
            joined.unlink()
        return self.folder / name

    def sprite(self, count: int) -> Path:
        """storyboard.jpg: the pictures tiles/00001.jpg and on as rows of one."""
        rows = math.ceil(count / TILES_A_ROW)
        head = [self.program, *_QUIET, "-f", "image2", "-framerate", "1", "-i", "file:tiles/%05d.jpg"]
        look = f"tile={min(count, TILES_A_ROW) if rows == 1 else TILES_A_ROW}x{rows}"
        made = ["-vf", look, "-frames:v", "1", "-q:v", "5", "-update", "1", "-f", "image2", "storyboard.jpg"]
        self._watch([*head, *made], 300, 2048 * MIB, None)
        return self.folder / "storyboard.jpg"

    def _folder(self, *names: str) -> None:
        for name in names:
            (self.folder / name).mkdir(exist_ok=True)
            sandbox.give(self.folder / name)

    def _track(self, name: str, number: int) -> Track:
        """What a run made of one size; its first bytes get the piece's number."""
        place = self.folder / "hls" / name
        init = place / f"init_{number:04d}.mp4"
        made = next(path for path in (place / f"init_{name}.mp4", place / "init_%v.mp4") if path.exists())
        made.rename(init)
        data = init.read_bytes()
        return Track(init.name, hashlib.sha256(data).hexdigest(), codec_of(data), read_segments(place))

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

    def _watch(self, command: list[str], seconds: float, memory: int, hear: Callable[[str], None] | None, duration: float = 0.0) -> Outcome:
        limits = Limits(
            wall_seconds=min(seconds, 5.5 * 3600),
            cpu_seconds=int(min(seconds, 5.5 * 3600) * 4),
            memory_bytes=memory,
            file_bytes=max(self.size * 2, 256 * MIB) + int(duration * 1_500_000),
            disk_bytes=self.size * 3 + int(duration * 2_000_000) + 512 * MIB,
        )
        try:
            outcome = sandbox.run(command, self.folder, limits, readable=(Path(self.program).parent, *self.lent), on_line=hear)
        except Stopped as stopped:
            log.warning("media_stopped", limit=stopped.limit)
            sentence = _("Preparing this file took more time or room than allowed. Save it in a smaller size, then upload that.")
            raise ProcessingFailed(sentence, rule=stopped.limit) from stopped
        if outcome.code == 0:
            return outcome
        words = ("Cannot allocate memory", "No space left")
        if outcome.never_began or outcome.code in (152, 137) or any(part in outcome.err for part in words):
            raise self._ours(outcome)
        log.warning("media_refused", code=outcome.code, error=outcome.err[-500:])
        raise self._broken(outcome.err[-300:])

    def _ours(self, outcome: Outcome) -> ProcessingFailed:
        """What is said when the machine could not do it."""
        log.warning("media_not_begun" if outcome.never_began else "media_out_of_room", code=outcome.code, error=outcome.err[-500:])
        sentence = _("Preparing this file did not work this time. Try again; if it fails twice, save it anew first.")
        return ProcessingFailed(sentence, rule="runner")

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


_QUIET = ["-y", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-protocol_whitelist", "file,pipe", "-progress", "pipe:1"]
_QUIET += ["-stats_period", "1"]
_SOUND = [*AAC, "-af", "aresample=async=1:first_pts=0"]
_LOUD = re.compile(r"\bI:\s+(-?[0-9.]+) LUFS")
_PEAK = re.compile(r"\bPeak:\s+(-?[0-9.]+) dBFS")


def _ignore(_fraction: float) -> None:
    return


@cache
def _has_tonemap(program: str) -> bool:
    """Whether this ffmpeg can bring HDR pictures down to what ordinary screens show."""
    with sandbox.scratch() as folder:
        limits = Limits(wall_seconds=20, cpu_seconds=10)
        lines: list[str] = []
        sandbox.run([program, "-hide_banner", "-filters"], folder, limits, readable=(Path(program).parent,), on_line=lines.append)
    names = {words[1] for words in (line.split() for line in lines) if len(words) > 1}
    return {"zscale", "tonemap"} <= names


_program: list[str] = []
_at_once = [1]


def use_ffmpeg(program: str, workers: int = 1) -> None:
    """Run this ffmpeg ("" is the one out of the wheel) in all workers but one, which is left for everything that cannot wait."""
    _program[:] = [program] if program else []
    _at_once[:] = [max(1, workers - 1)]


def at_once() -> int:
    """How many pieces of one channel are in the workers' hands or next in line."""
    return _at_once[0]


def _threads() -> int:
    """The threads of each size where several pieces are made at once, so that they do not crowd one another; 0 for the whole machine."""
    return max(1, (os.cpu_count() or 1) // at_once()) if at_once() > 1 else 0


def media(folder: Path, form: Format, size: int, lent: tuple[Path, ...] = ()) -> Ffmpeg:
    """ffmpeg for the file ./input of a scratch folder, or for one of the store that was lent to it."""
    return Ffmpeg(program(), folder, form, size, lent)


def program() -> str:
    """The path of ffmpeg."""
    return _program[0] if _program else str(imageio_ffmpeg.get_ffmpeg_exe())
