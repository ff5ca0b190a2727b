"""Lists of enrollments: who learns what, who completed which lesson, each person's courses side by side, and who needs a hand."""

from lms.enrollments.reports import gathering
from lms.enrollments.reports.lists import Enrollments, Lessons
from lms.enrollments.reports.matrix import Matrix
from lms.enrollments.reports.risk import AtRisk

__all__ = ["AtRisk", "Enrollments", "Lessons", "Matrix", "gathering"]
