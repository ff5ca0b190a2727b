"""Door 1: learning. `learning` for my courses, the lesson page, enrolling and what the player reports, `batches` for places in them."""

from lms.enrollments.views import batches, learning
from lms.enrollments.views.door import bp

__all__ = ["batches", "bp", "learning"]
