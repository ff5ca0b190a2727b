"""Playlists and time line written by us out of what the pieces hold. All pure but for reading the small files ffmpeg wrote."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lms.content.gateways.facts import Facts
from lms.content.gateways.ladder import TILES_A_ROW, Rendition, tile_seconds, tile_size

SEGMENT = re.compile(r"#EXTINF:([0-9.]+),\s*\n(\S+)")
SOUND = "sound"


class Segment(NamedTuple):
    """One segment: its file, seconds and bytes."""

    name: str
    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class Track:
    """What one piece holds of one size (or of the sound): its first bytes, their codec, and its segments."""

    init: str
    init_hash: str
    codec: str
    segments: list[Segment]

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Track":
        """A track out of a piece's row."""
        return cls(kept["init"], kept["init_hash"], kept["codec"], [Segment(*one) for one in kept["segments"]])

    def as_dict(self) -> dict[str, Any]:
        """For the piece's row."""
        return asdict(self)


def read_segments(folder: Path) -> list[Segment]:
    """The segments a playlist of ffmpeg names, with their bytes."""
    found = SEGMENT.findall((folder / "index.m3u8").read_text())
    return [Segment(name, float(seconds), (folder / name).stat().st_size) for seconds, name in found]


def codec_of(init: bytes) -> str:
    """The codec as playlists name it (RFC 6381), out of the first bytes of a stream."""
    at = init.find(b"avcC")
    if at < 0:
        return "mp4a.40.2"
    return "avc1." + init[at + 5 : at + 8].hex()


def media_playlist(tracks: Sequence[Track]) -> str:
    """The playlist of one size, all pieces one after the other; their clocks run on, so nothing tells the player of the cuts."""
    longest = max((one.seconds for track in tracks for one in track.segments), default=1.0)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{round(longest + 0.5)}", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += ["#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS"]
    shown = ""
    for track in tracks:
        if track.init_hash != shown:
            lines.append(f'#EXT-X-MAP:URI="{track.init}"')
            shown = track.init_hash
        for one in track.segments:
            lines += [f"#EXTINF:{one.seconds:.6f},", one.name]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def bits(tracks: Sequence[Track]) -> tuple[int, int]:
    """The highest and the average bits a second of a stream."""
    segments = [one for track in tracks for one in track.segments]
    seconds, size = sum(one.seconds for one in segments), sum(one.size for one in segments)
    highest = max((one.size * 8 / max(one.seconds, 0.5) for one in segments), default=0)
    return round(highest), round(size * 8 / max(seconds, 0.5))


def master_playlist(facts: Facts, sizes: Sequence[Rendition], made: dict[str, list[Track]]) -> str:
    """The playlist of playlists: every size, and the sound once for all of them."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    sound = made.get(SOUND, [])
    most, average = bits(sound)
    if sound:
        lines.append('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="sound/index.m3u8"')
    for size in sizes:
        tracks = made[size.name]
        high, middle = bits(tracks)
        codecs = ",".join(sorted({one.codec for one in tracks}, reverse=True)[:1] + ([sound[0].codec] if sound else []))
        stream = f"BANDWIDTH={high + most},AVERAGE-BANDWIDTH={middle + average},RESOLUTION={size.width}x{size.height}"
        stream += f',FRAME-RATE={min(facts.fps or 30.0, 60.0):.3f},CODECS="{codecs}"' + (',AUDIO="sound"' if sound else "")
        lines += [f"#EXT-X-STREAM-INF:{stream}", f"{size.name}/index.m3u8"]
    return "\n".join([*lines, ""])


def storyboard(facts: Facts, moments: Sequence[float], picture: str) -> str:
    """WebVTT that says which part of the picture shows which moment."""
    width, height = tile_size(facts)
    lines = ["WEBVTT", ""]
    ends = [*moments[1:], max(facts.duration, (moments[-1] if moments else 0) + tile_seconds(facts))]
    for index, (start, end) in enumerate(zip(moments, ends, strict=True)):
        x, y = index % TILES_A_ROW * width, index // TILES_A_ROW * height
        lines += [f"{_clock(start)} --> {_clock(end)}", f"{picture}#xywh={x},{y},{width},{height}", ""]
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}.{whole % 1000:03d}"
