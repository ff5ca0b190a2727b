"""Door 2: who learns what. `enrolled` for enrolments one by one, and why somebody cannot open a lesson,
`links` for links and keys into courses, `requests` for those who ask.
"""

from lms.enrollments.admin import enrolled, links, requests
from lms.enrollments.admin.door import bp

__all__ = ["bp", "enrolled", "links", "requests"]
