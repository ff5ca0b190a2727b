"""The recording of an outside room on its way here: begun, counted, ended, given up with the reason."""

from datetime import datetime, timedelta
from uuid import uuid5

from lms.content.queries import usage
from lms.core import db
from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.streaming import queries
from lms.streaming.errors import IllegalMove, NotFetched
from lms.streaming.models import Recording, Session, Take
from lms.streaming.operations.recording import expect_recording, miss_recording

LOST = timedelta(minutes=15)


def begin_fetching(session: Session, url: str) -> Recording:
    """Note where a recording lies and that it is to be fetched; a recording that is here, or on its way, is not fetched again."""
    recording = expect_recording(session)
    if recording.state in ("fetching", "processing", "ready", "gone") or recording.asset_id is not None:
        raise IllegalMove(_("A recording of this class is here already, or on its way."), rule="recording")
    recording.url, recording.state, recording.reason = url, "fetching", ""
    recording.fetched_bytes, recording.total_bytes = 0, None
    return recording


def note_fetched(session: Session, received: int, total: int | None) -> None:
    """Say how much of a recording is here; raises NotFetched where it has no room, or is not wanted any more."""
    recording = queries.find_recording(session.id, lock=True)
    if recording is None or recording.state != "fetching":
        raise IllegalMove(_("This recording is not waited for any more."), rule="recording")
    held = usage()
    if held is not None and held.quota_bytes is not None and held.held_bytes + max(total or 0, received) > held.quota_bytes:
        raise NotFetched(_("There is no room left for it: the academy may hold no more. Delete files nobody uses, then try again."))
    recording.fetched_bytes, recording.total_bytes, recording.updated_at = received, total, now()


def put_off_fetching(session: Session, reason: str) -> None:
    """Say why a recording is not here yet although somebody tries."""
    recording = queries.find_recording(session.id, lock=True)
    if recording is not None and recording.state == "fetching":
        recording.reason = reason


def give_up_fetching(session: Session, reason: str) -> None:
    """Say why a recording could not be fetched, on the page of its class."""
    recording = queries.find_recording(session.id, lock=True)
    if recording is not None and recording.state == "fetching":
        miss_recording(recording, reason, course_id=session.course_id)


def note_beginning(session: Session, begun: datetime) -> None:
    """Note when the recording of an outside room began: its only take. Noting it again moves it."""
    take_id = uuid5(session.id, "provider")
    take = queries.find_take(take_id)
    if take is None:
        db.session().add(Take(id=take_id, session_id=session.id, number=1, mime="", begun_at=begun))
    else:
        take.begun_at = begun
    db.session().flush()


def give_up_lost(task: str) -> int:
    """Say of recordings whose fetching stopped without a word that they are missing; how many."""
    lost = queries.lost_fetches(now() - LOST, task)
    for recording in lost:
        session = queries.get_session(recording.session_id)
        miss_recording(recording, _("The fetching stopped unexpectedly. Try again."), course_id=session.course_id)
    return len(lost)
