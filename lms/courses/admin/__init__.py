"""Door 2: the courses of the back office. `courses` and `wizard` for the whole, `outline` and `lessons` for what is inside."""

from lms.courses.admin import categories, courses, entry, files, lessons, lifecycle, outline, wizard
from lms.courses.admin.door import bp

__all__ = ["bp", "categories", "courses", "entry", "files", "lessons", "lifecycle", "outline", "wizard"]
