"""Door 2: who learns what. `enrolled` for enrolments one by one and why somebody cannot open a lesson, `batches` and their `waits`."""

from lms.enrollments.admin import batches, enrolled, waits
from lms.enrollments.admin.door import bp

__all__ = ["batches", "bp", "enrolled", "waits"]
