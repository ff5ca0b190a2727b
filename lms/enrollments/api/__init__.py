"""Door 3: enrolments for machines. `batches` with their places, `enrolled` for enrolments, the lesson, and what a player reports."""

from lms.enrollments.api import batches, enrolled
from lms.enrollments.api.door import bp

__all__ = ["batches", "bp", "enrolled"]
