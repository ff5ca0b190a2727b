"""Door 3: courses for machines. `courses` for the whole, `outline` and `lessons` for what is inside."""

from lms.courses.api import categories, courses, lessons, lifecycle, outline
from lms.courses.api.door import bp

__all__ = ["bp", "categories", "courses", "lessons", "lifecycle", "outline"]
