"""The moves of a class from state to state: each one conditional UPDATE, taken once whoever presses."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.events import Event, emit
from lms.core.i18n import gettext as _
from lms.streaming import queries
from lms.streaming.errors import IllegalMove
from lms.streaming.events import SessionCancelled, SessionEnded, SessionOpened, SessionStarted
from lms.streaming.models import MOVES, Session
from lms.streaming.operations.attending import close_visits

OVERTIME = timedelta(hours=2)


def open_session(session: Session, *, by: Actor) -> None:
    """Open the room, so that people may come in; opening twice changes nothing."""
    _move(session, "open", by=by, fact=SessionOpened, opened_at=now())


def start_session(session: Session, *, by: Actor) -> None:
    """Begin the class; starting twice changes nothing."""
    _move(session, "live", by=by, fact=SessionStarted, started_at=now())


def end_session(session: Session, *, by: Actor) -> None:
    """End the class and close its room; ending twice changes nothing."""
    _move(session, "ended", by=by, fact=SessionEnded, ended_at=now())
    close_visits(session.id)


def cancel_session(session: Session, *, by: Actor, reason: str = "", is_quiet: bool = False) -> None:
    """Call the class off before it begins; cancelling twice changes nothing. A quiet one is told by the first of its series."""
    _move(session, "cancelled", by=by, fact=SessionCancelled, quiet=is_quiet, cancelled_at=now(), cancel_reason=reason.strip())
    close_visits(session.id)


def cancel_following(session: Session, *, by: Actor, reason: str = "") -> int:
    """Call this class of a series off and all after it that have not begun; how many."""
    later = [one for one in queries.following_sessions(session) if one.id != session.id]
    cancel_session(session, by=by, reason=reason)
    for one in later:
        cancel_session(one, by=by, reason=reason, is_quiet=True)
    return 1 + len(later)


def record_session(session: Session, *, by: Actor) -> None:
    """Note that an ended class has its recording; noting it twice changes nothing."""
    _move(session, "recorded", by=by, fact=None)


def _move(session: Session, state: str, *, by: Actor, fact: type[Event] | None, quiet: bool = False, **values: Any) -> None:
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
        more = {"is_quiet": True} if quiet else {}
        emit(fact(by=by.user_id, session_id=session.id, course_id=session.course_id, **more))  # type: ignore[call-arg]


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
