"""Door 1: learning. `learning` for my courses, the lesson page, enrolling and what the player reports, `batches` for places in them,
`joining` for links and keys, `leaving` a course, `requests` for asking to be let in, `beside` for notes and what is said,
`working` for links that give a role.
"""

from lms.enrollments.views import batches, beside, joining, learning, leaving, requests, working
from lms.enrollments.views.door import bp

__all__ = ["batches", "beside", "bp", "joining", "learning", "leaving", "requests", "working"]
