"""Lists of enrollments: batches and waitlists, who learns what, lessons completed, people by courses, who needs a hand,
what films cost,
the ways into courses and the requests.
"""

from lms.enrollments.reports import gathering
from lms.enrollments.reports.batches import Batches, BatchPeople, Waits
from lms.enrollments.reports.costs import Costs
from lms.enrollments.reports.links import Hires, Links, LinkUses
from lms.enrollments.reports.lists import SOURCES, Enrollments, Lessons
from lms.enrollments.reports.matrix import Matrix
from lms.enrollments.reports.requests import Requests
from lms.enrollments.reports.risk import AtRisk

__all__ = [
    "SOURCES",
    "AtRisk",
    "BatchPeople",
    "Batches",
    "Costs",
    "Enrollments",
    "Hires",
    "Lessons",
    "LinkUses",
    "Links",
    "Matrix",
    "Requests",
    "Waits",
    "gathering",
]
