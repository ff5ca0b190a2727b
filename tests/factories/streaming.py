"""Live classes for tests, in English; each is made by the operations themselves."""

from datetime import datetime, timedelta

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.courses.models import Course
from lms.enrollments.models import Enrollment
from lms.streaming import operations
from lms.streaming.models import Session
from tests.factories.courses import a_course
from tests.factories.people import ada, root


def a_session(
    course: Course | None = None,
    *,
    state: str = "scheduled",
    starts_at: datetime | None = None,
    minutes: int = 60,
    join_url: str = "",
    provider: str = "link",
) -> Session:
    """A class of Ada's course, brought to a state step by step; it starts in an hour unless told otherwise."""
    starts_at = starts_at or now() + timedelta(hours=1)
    session = operations.schedule_session(
        course or a_course(published=True),
        title="Questions and answers",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        join_url=join_url,
        provider=provider,
        by=ada(),
    )
    bring_to(session, state)
    return session


def bring_to(session: Session, state: str) -> None:
    """Take the steps that lead a scheduled session to a state."""
    if state == "cancelled":
        operations.cancel_session(session, by=root())
        return
    steps = {
        "open": operations.open_session,
        "live": operations.start_session,
        "ended": operations.end_session,
        "recorded": operations.record_session,
    }
    for name in ("open", "live", "ended", "recorded")[: ("scheduled", "open", "live", "ended", "recorded").index(state)]:
        steps[name](session, by=root())


def enrol(person: Actor, session: Session) -> Enrollment:
    """Have somebody in the session's course."""
    made = Enrollment(user_id=person.user_id, course_id=session.course_id, source="manual", status="active")
    db.session().add(made)
    db.session().flush()
    return made
