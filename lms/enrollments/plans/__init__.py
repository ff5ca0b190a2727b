"""Bulk acts on enrolments: the `acts`, answers to `requests`, and what is `standing` and changed in a handful of statements."""

from lms.enrollments.plans.acts import (
    EndEnrollments,
    EnrollPeople,
    ExtendEnrollments,
    ImportEnrollments,
    MoveEnrollments,
    RestoreEnrollments,
    UnenrollPeople,
)
from lms.enrollments.plans.requests import ApproveRequests, RefuseRequests
from lms.enrollments.plans.standing import STANDING

__all__ = [
    "STANDING",
    "ApproveRequests",
    "EndEnrollments",
    "EnrollPeople",
    "ExtendEnrollments",
    "ImportEnrollments",
    "MoveEnrollments",
    "RefuseRequests",
    "RestoreEnrollments",
    "UnenrollPeople",
]
