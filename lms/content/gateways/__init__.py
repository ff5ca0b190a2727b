"""What content leans on outside: ffmpeg in its sandbox, and Redis for grants to play."""

from lms.content.gateways.ffmpeg import Facts, Ffmpeg, Rendition, ladder, media, use_ffmpeg
from lms.content.gateways.grant import GRANT_SECONDS, Grants, grants

__all__ = ["GRANT_SECONDS", "Facts", "Ffmpeg", "Grants", "Rendition", "grants", "ladder", "media", "use_ffmpeg"]
