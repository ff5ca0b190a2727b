"""Lists of enrollments: who learns what, who completed which lesson, each person's courses side by side, who needs a hand,
the ways into courses and the requests.
"""

from lms.enrollments.reports import gathering
from lms.enrollments.reports.links import Links, LinkUses
from lms.enrollments.reports.lists import Enrollments, Lessons
from lms.enrollments.reports.matrix import Matrix
from lms.enrollments.reports.requests import Requests
from lms.enrollments.reports.risk import AtRisk

__all__ = ["AtRisk", "Enrollments", "Lessons", "LinkUses", "Links", "Matrix", "Requests", "gathering"]
