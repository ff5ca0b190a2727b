"""Door 1: learning. `learning` for my courses, the lesson page, enrolling, and what the player reports."""

from lms.enrollments.views import learning
from lms.enrollments.views.door import bp

__all__ = ["bp", "learning"]
