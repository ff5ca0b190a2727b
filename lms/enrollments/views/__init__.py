"""Door 1: learning. `learning` for my courses, the lesson page, enrolling and what the player reports, `batches` for places in them,
`joining` for links and keys, `requests` for asking to be let in.
"""

from lms.enrollments.views import batches, joining, learning, requests
from lms.enrollments.views.door import bp

__all__ = ["batches", "bp", "joining", "learning", "requests"]
