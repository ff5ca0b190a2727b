"""What streaming does when facts happen."""

from lms.content import operations as content
from lms.core.events import on
from lms.enrollments.events import EnrollmentEnded
from lms.streaming import operations, queries
from lms.streaming.events import SessionCancelled, SessionEnded


@on(SessionEnded)
def stop_taking(fact: SessionEnded) -> None:
    """Nothing more is taken of a class that is over, and its host's browser is told."""
    operations.end_takes(queries.get_session(fact.session_id))
    operations.hang_up(fact.session_id)


@on(SessionCancelled)
def send_the_host_away(fact: SessionCancelled) -> None:
    """A host who waits in the studio of a cancelled class is told."""
    operations.hang_up(fact.session_id)


@on(EnrollmentEnded)
def take_the_picture_away(fact: EnrollmentEnded) -> None:
    """Who is no longer in a course sees no more of its running classes, at once."""
    content.revoke_grants(fact.user_id, queries.running_ids(fact.user_id, fact.course_id))
