"""Lists of enrollments: batches and waitlists, who learns what, lessons completed, people by courses, and who needs a hand."""

from lms.enrollments.reports import gathering
from lms.enrollments.reports.batches import Batches, BatchPeople, Waits
from lms.enrollments.reports.lists import Enrollments, Lessons
from lms.enrollments.reports.matrix import Matrix
from lms.enrollments.reports.risk import AtRisk

__all__ = ["AtRisk", "BatchPeople", "Batches", "Enrollments", "Lessons", "Matrix", "Waits", "gathering"]
