"""Door 2: who learns what. `enrolled` for enrolments one by one and why somebody cannot open a lesson, `batches` and their `waits`,
`links` for links and keys into courses, `places` that were missed, `requests` for those who ask.
"""

from lms.enrollments.admin import batches, enrolled, heat, links, places, requests, waits
from lms.enrollments.admin.door import bp

__all__ = ["batches", "bp", "enrolled", "heat", "links", "places", "requests", "waits"]
