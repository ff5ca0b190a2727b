"""Door 3: enrolments for machines. `batches` with their places, `enrolled` for enrolments, the lesson, and what a player reports,
`links` for links and keys, `noting` for one's own notes, `places` that were missed,
`requests` for asking to be let in.
"""

from lms.enrollments.api import batches, enrolled, links, noting, places, requests
from lms.enrollments.api.door import bp

__all__ = ["batches", "bp", "enrolled", "links", "noting", "places", "requests"]
