"""Door 1: learning. `learning` for my courses, the lesson page, enrolling and what the player reports, `batches` for places in them,
`beside` for notes and the words of a video."""

from lms.enrollments.views import batches, beside, learning
from lms.enrollments.views.door import bp

__all__ = ["batches", "beside", "bp", "learning"]
