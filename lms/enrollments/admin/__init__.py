"""Door 2: who learns what. `enrolled` for enrolments one by one, and why somebody cannot open a lesson."""

from lms.enrollments.admin import enrolled
from lms.enrollments.admin.door import bp

__all__ = ["bp", "enrolled"]
