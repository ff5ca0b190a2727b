"""Door 3: files for machines. `files` for uploads and what becomes of them, `ruling` for the rules of watching and room, and devices."""

from lms.content.api import files, ruling
from lms.content.api.door import bp
from lms.content.api.files import PlaybackAnswer

__all__ = ["PlaybackAnswer", "bp", "files", "ruling"]
