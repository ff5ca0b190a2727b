"""Attendance: joins, signs of life and leaves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, update
from sqlalchemy.dialects.postgresql import insert

from lms.core import db
from lms.core.clock import now
from lms.core.tenancy import current_channel
from lms.streaming import queries
from lms.streaming.models import Visit

LATELY = timedelta(seconds=90)  # signs of life come once a minute


def note_join(session_id: UUID, user_id: UUID, *, source: str) -> UUID:
    """Write that a person came in; the visit's id, for signs of life and the leave."""
    visit = Visit(session_id=session_id, user_id=user_id, source=source)
    db.session().add(visit)
    db.session().flush()
    return visit.id


def note_joins(visits: Sequence[tuple[UUID, UUID, UUID, datetime]], *, source: str) -> None:
    """Write many joins at once, as (visit's id, session, person, moment); writing them again changes nothing."""
    if not visits:
        return
    rows = [
        {
            "id": one[0],
            "session_id": one[1],
            "user_id": one[2],
            "joined_at": one[3],
            "seen_at": one[3],
            "source": source,
            "channel_id": current_channel(),
        }
        for one in visits
    ]
    db.session().execute(insert(Visit).values(rows).on_conflict_do_nothing())


def note_alive(visit_ids: Sequence[UUID]) -> None:
    """Write that these visits still go on; one statement for any number."""
    if visit_ids:
        alive = update(Visit).where(Visit.id.in_(visit_ids), Visit.left_at.is_(None)).values(seen_at=now())
        db.session().execute(alive.execution_options(synchronize_session=False))


def note_leave(visit_ids: Sequence[UUID]) -> None:
    """Write that these visits ended now; leaving twice changes nothing."""
    if visit_ids:
        moment = now()
        gone = update(Visit).where(Visit.id.in_(visit_ids), Visit.left_at.is_(None)).values(seen_at=moment, left_at=moment)
        db.session().execute(gone.execution_options(synchronize_session=False))


def note_page(session_id: UUID, user_id: UUID) -> None:
    """Write a sign of life of somebody with the page open: it lengthens the visit of the last minutes, or begins one."""
    visit_id = queries.running_visit(session_id, user_id, source="page")
    if visit_id is None:
        note_join(session_id, user_id, source="page")
    else:
        note_alive([visit_id])


def close_visits(session_id: UUID) -> None:
    """Close the visits of a class that is over: now of those who gave a sign of life lately, the others at their last one."""
    moment = now()
    left = case((Visit.seen_at > moment - LATELY, moment), else_=Visit.seen_at)
    gone = update(Visit).where(Visit.session_id == session_id, Visit.left_at.is_(None)).values(left_at=left, seen_at=Visit.seen_at)
    db.session().execute(gone.execution_options(synchronize_session=False))
