"""Door 2: files. `files` for uploads and what becomes of them, `tracks` for captions, chapters and pictures of videos."""

from lms.content.admin import files, tracks
from lms.content.admin.door import bp

__all__ = ["bp", "files", "tracks"]
