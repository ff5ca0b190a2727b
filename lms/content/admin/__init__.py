"""Door 2: files. `files` for uploads and what becomes of them, `tracks` for what belongs to videos, `watching` and `room` for the rules."""

from lms.content.admin import files, room, tracks, watching
from lms.content.admin.door import bp

__all__ = ["bp", "files", "room", "tracks", "watching"]
