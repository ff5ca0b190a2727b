"""What a media file holds, as the program in the sandbox found it, and the caps beyond which it is refused."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from lms.core.i18n import gettext as _
from lms.core.sniff import WrongFile

MAX_SIDE = 8192
MAX_PIXELS = 40_000_000
MAX_SECONDS = 12 * 3600
PLAYED_PIXELS = {
    "h264": ("yuv420p", "yuvj420p"),
    "vp9": ("yuv420p",),
    "av1": ("yuv420p", "yuv420p10le"),
    "libdav1d": ("yuv420p", "yuv420p10le"),
}
PLAYED_SOUND = ("aac", "opus", "mp3", "mp3float", "libopus")
HDR_TRANSFERS = (16, 18)  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), as ITU-T H.273 numbers them


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
    transfer: int = 0
    audio_index: int = -1
    audio_codec: str = ""
    channels: int = 0

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Facts":
        """The facts out of an asset's row; what older rows do not have is as unknown."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in names})

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
        """Whether browsers play the pictures as they are."""
        return self.pixel_format in PLAYED_PIXELS.get(self.video_codec, ())

    @property
    def plays_everywhere(self) -> bool:
        """Whether the oldest phone plays the pictures as they are."""
        return self.can_copy_video and self.video_codec == "h264"

    @property
    def can_copy_audio(self) -> bool:
        """Whether browsers play the sound as it is."""
        return self.audio_codec in PLAYED_SOUND

    @property
    def is_hdr(self) -> bool:
        """Whether the pictures are brighter than ordinary screens show."""
        return self.transfer in HDR_TRANSFERS

    def as_dict(self) -> dict[str, Any]:
        """For the asset's row."""
        return asdict(self)


def facts_of(answer: dict[str, Any]) -> Facts:
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
        transfer=video.get("transfer", 0),
        audio_index=audio.get("index", -1),
        audio_codec=audio.get("codec", ""),
        channels=audio.get("channels", 0),
    )
