"""Door 3: enrolments for machines. `enrolled` for enrolments, the lesson as a learner has it, and what a player reports."""

from lms.enrollments.api import enrolled
from lms.enrollments.api.door import bp

__all__ = ["bp", "enrolled"]
