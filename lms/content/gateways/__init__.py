"""What content leans on outside: ffmpeg in its sandbox, and Redis for grants to play."""

from lms.content.gateways.facts import Facts
from lms.content.gateways.ffmpeg import Ffmpeg, ProcessingFailed, at_once, media, program, use_ffmpeg
from lms.content.gateways.grant import GRANT_SECONDS, Grants, grants
from lms.content.gateways.ladder import Rendition, ladder

__all__ = [
    "GRANT_SECONDS",
    "Facts",
    "Ffmpeg",
    "Grants",
    "ProcessingFailed",
    "Rendition",
    "at_once",
    "grants",
    "ladder",
    "media",
    "program",
    "use_ffmpeg",
]
