"""Every change to live classes: planning, the moves from state to state, and attendance."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.events import Event, emit
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel
from lms.courses.models import Course
from lms.streaming import queries
from lms.streaming.errors import BadTimes, IllegalMove
from lms.streaming.events import SessionCancelled, SessionEnded, SessionMoved, SessionOpened, SessionScheduled, SessionStarted
from lms.streaming.gateways import PROVIDERS, provider_of
from lms.streaming.models import MOVES, Session, Visit

LONGEST = timedelta(hours=12)
OVERTIME = timedelta(hours=2)


def schedule_session(
    course: Course,
    *,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor,
    description: str = "",
    join_url: str = "",
    host_id: UUID | None = None,
    provider: str = "link",
) -> Session:
    """Plan a class of a course; its host is the course's instructor unless named."""
    _check_times(starts_at, ends_at)
    session = Session(
        course_id=course.id,
        host_id=host_id or course.instructor_id,
        title=title.strip(),
        description=description.strip(),
        starts_at=starts_at,
        ends_at=ends_at,
        provider=provider,
        join_url=PROVIDERS[provider].check(join_url),
    )
    db.session().add(session)
    db.session().flush()
    audit.record("streaming.schedule", session, by=by, after={"starts_at": starts_at, "ends_at": ends_at, "course_id": course.id})
    emit(SessionScheduled(by=by.user_id, session_id=session.id, course_id=course.id))
    return session


def edit_session(
    session: Session, *, title: str, starts_at: datetime, ends_at: datetime, description: str, join_url: str, by: Actor
) -> None:
    """Change what was planned; the times only while it has not begun."""
    moved = (starts_at, ends_at) != (session.starts_at, session.ends_at)
    if session.is_over:
        raise IllegalMove(_("This class is over, so its plan stays as it was."))
    if moved:
        if session.state != "scheduled":
            raise IllegalMove(_("The room is open already, so the times stay. End it, then plan a new one."))
        _check_times(starts_at, ends_at)
    changed = audit.update(
        session,
        "streaming.edit",
        by=by,
        title=title.strip(),
        starts_at=starts_at,
        ends_at=ends_at,
        description=description.strip(),
        join_url=provider_of(session).check(join_url),
    )
    if changed and moved:
        emit(SessionMoved(by=by.user_id, session_id=session.id, course_id=session.course_id))


def open_session(session: Session, *, by: Actor) -> None:
    """Open the room, so that people may come in; opening twice changes nothing."""
    _move(session, "open", by=by, fact=SessionOpened, opened_at=now())


def start_session(session: Session, *, by: Actor) -> None:
    """Begin the class; starting twice changes nothing."""
    _move(session, "live", by=by, fact=SessionStarted, started_at=now())


def end_session(session: Session, *, by: Actor) -> None:
    """End the class and close its room; ending twice changes nothing."""
    _move(session, "ended", by=by, fact=SessionEnded, ended_at=now())
    _close_visits(session.id)


def cancel_session(session: Session, *, by: Actor, reason: str = "") -> None:
    """Call the class off before it begins; cancelling twice changes nothing."""
    _move(session, "cancelled", by=by, fact=SessionCancelled, cancelled_at=now(), cancel_reason=reason.strip())
    _close_visits(session.id)


def record_session(session: Session, *, by: Actor) -> None:
    """Note that an ended class has its recording; noting it twice changes nothing."""
    _move(session, "recorded", by=by, fact=None)


def _move(session: Session, state: str, *, by: Actor, fact: type[Event] | None, **values: Any) -> None:
    """Take the step in one conditional UPDATE, so that of two people pressing at once one does it and the other finds it done."""
    before = tuple(known for known, after in MOVES.items() if state in after)
    was = session.state
    taken = db.session().execute(
        update(Session)
        .where(Session.id == session.id, Session.state.in_(before))
        .values(state=state, version=Session.version + 1, **values)
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    done = taken.one_or_none() is not None
    db.session().refresh(session)
    if not done:
        if session.state == state:
            return
        raise IllegalMove(_refusal(session.state, state), rule="state")
    audit.record(f"streaming.{state}", session, by=by, before={"state": was}, after={"state": state})
    if fact is not None:
        emit(fact(by=by.user_id, session_id=session.id, course_id=session.course_id))  # type: ignore[call-arg]


def _refusal(state: str, wanted: str) -> str:
    """Why that step is not possible from where the session stands, and what to do."""
    if state == "cancelled":
        return _("This class was cancelled. Plan a new one.")
    if state in ("ended", "recorded"):
        return _("This class is over. Plan a new one.")
    if wanted == "cancelled":
        return _("This class is running. End it instead.")
    if wanted == "live":
        return _("Open the room first, then start the class.")
    if wanted in ("ended", "recorded"):
        return _("This class has not begun. Cancel it instead.")
    return _("This class is running already.")


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise BadTimes(_("The end lies before the start."), fields={"ends_at": _("Choose a time after the start.")})
    if ends_at - starts_at > LONGEST:
        raise BadTimes(_("A class lasts 12 hours at most."), fields={"ends_at": _("Choose an end within 12 hours of the start.")})
    if ends_at <= now():
        raise BadTimes(_("That time has passed."), fields={"starts_at": _("Choose a time to come.")})


def keep_time(*, by: Actor) -> int:
    """Open the rooms whose time has come and end what was forgotten; the number of sessions moved."""
    moment = now()
    moved = 0
    for session in queries.sessions_to_open(moment):
        open_session(session, by=by)
        moved += 1
    for session in queries.sessions_left_running(moment - OVERTIME):
        if session.state == "live":
            end_session(session, by=by)
        else:
            cancel_session(session, by=by, reason=_("Nobody started it."))
        moved += 1
    return moved


# --- attendance ---------------------------------------------------------------------------------------------------------------


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


def _close_visits(session_id: UUID) -> None:
    moment = now()
    gone = update(Visit).where(Visit.session_id == session_id, Visit.left_at.is_(None)).values(left_at=Visit.seen_at, seen_at=Visit.seen_at)
    db.session().execute(gone.where(Visit.seen_at < moment).execution_options(synchronize_session=False))
