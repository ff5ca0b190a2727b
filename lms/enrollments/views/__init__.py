"""Door 1: learning. `learning` for my courses, the lesson page, enrolling, and what the player reports; `joining` for links and keys,
`requests` for asking to be let in.
"""

from lms.enrollments.views import joining, learning, requests
from lms.enrollments.views.door import bp

__all__ = ["bp", "joining", "learning", "requests"]
