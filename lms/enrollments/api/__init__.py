"""Door 3: enrolments for machines. `enrolled` for enrolments, the lesson as a learner has it, and what a player reports; `links` for
links and keys, `requests` for asking to be let in.
"""

from lms.enrollments.api import enrolled, links, requests
from lms.enrollments.api.door import bp

__all__ = ["bp", "enrolled", "links", "requests"]
