"""The blueprint of door 2, and what each of its views begins with."""

from uuid import UUID

from flask import Blueprint

from lms.streaming import policies, queries
from lms.streaming.models import Session
from lms.web.access import actor, allow

bp = Blueprint("streaming_admin", __name__, url_prefix="/admin/streaming")


def run_by_me(session_id: UUID) -> Session:
    """A class with its course and host, for those who run it."""
    session = queries.get_session(session_id)
    allow(policies.can_run(actor(), session, session.course.instructor_id))
    return session
