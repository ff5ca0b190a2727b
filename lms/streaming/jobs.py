"""Background work of live classes."""

from datetime import timedelta
from uuid import UUID

from lms.core import sandbox
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.jobs import Every, job, step
from lms.core.outbound import CallFailed
from lms.core.storage.keys import safe_name
from lms.core.tenancy import current_channel
from lms.streaming import gateways, operations, queries
from lms.streaming.models import Session

QUIET_SECONDS = 5.0
ASK_AGAIN = (1, 5, 15, 60, 240)  # minutes until a room that did not answer is asked again


@job(every=Every(minutes=1))
def keep_time() -> None:
    """Each minute, open the rooms whose time has come and end the classes that were forgotten."""
    operations.keep_time(by=the_platform(current_channel()))
    operations.give_up_lost(fetch_recording.name)


@job(queue="media", in_steps=True, lease_seconds=1800, tries=4)
def keep_recording(session_id: UUID | str) -> None:
    """Make one film of what came in of a class that is over, and hand it to content as a draft lesson."""
    wanted = UUID(str(session_id))
    with step():
        session = queries.get_session(wanted)
        recording = operations.expect_recording(session)
        reels = gateways.reels(gateways.folder_of(session.channel_id, wanted))
        if recording.asset_id is not None:
            return
        if reels and min(reel.quiet_seconds for reel in reels) < QUIET_SECONDS:  # the last chunks are on their way
            keep_recording.put({"session_id": wanted}, run_at=now() + timedelta(seconds=QUIET_SECONDS))
            return
    with sandbox.scratch() as folder:
        film = gateways.join(reels, folder)
        with step():
            session = queries.get_session(wanted)
            if film.path is None:
                recording = operations.expect_recording(session)
                reason = _("No picture came in: nobody went live in the studio, or the line broke at once.")
                operations.miss_recording(recording, reason, course_id=session.course_id)
                return
            operations.keep_film(session, film.path, safe_name(f"{session.title}.{film.ending}"), film.seconds)


@job()
def take_receipt(receipt_id: UUID | str) -> None:
    """Do what an outside room reported."""
    session_id = operations.take_receipt(UUID(str(receipt_id)))
    if session_id is not None:
        fetch_recording.put({"session_id": session_id}, key=fetch_key(session_id))


def fetch_key(session_id: UUID, turn: int = 0) -> str:
    """What the job is known by that fetches the recording of a class, the first time or another."""
    return f"fetch:{session_id}:{turn}"


@job(queue="media", in_steps=True, lease_seconds=600, tries=4)
def fetch_recording(session_id: UUID | str, turn: int = 0) -> None:
    """Fetch the recording of an outside room and hand it to content as a draft lesson; a room that does not answer is asked again."""
    wanted = UUID(str(session_id))
    with step():
        session = queries.get_session(wanted)
        recording = queries.find_recording(wanted)
        if recording is None or recording.state != "fetching":
            return
        url = recording.url

    def tell(received: int, total: int | None) -> None:
        with step():
            operations.note_fetched(session, received, total)

    try:
        with sandbox.scratch() as folder:
            fetched = gateways.fetch_film(url, folder / "film", tell)
            tell(fetched.size, fetched.size)
            with step():
                session = queries.get_session(wanted)
                ending = "webm" if fetched.content_type == "video/webm" else "mp4"
                operations.keep_film(session, folder / "film", safe_name(f"{session.title}.{ending}"), {})
    except CallFailed as failed:
        with step():
            _ask_again(session, turn, failed.sentence)
    except Refusal as refusal:
        with step():
            operations.give_up_fetching(session, refusal.sentence)


def _ask_again(session: Session, turn: int, reason: str) -> None:
    if turn >= len(ASK_AGAIN):
        operations.give_up_fetching(session, reason)
        return
    operations.put_off_fetching(session, reason)
    at = now() + timedelta(minutes=ASK_AGAIN[turn])
    fetch_recording.put({"session_id": session.id, "turn": turn + 1}, run_at=at, key=fetch_key(session.id, turn + 1))


@job(queue="bulk", every=Every(at="02:50"))
def forget_recordings() -> None:
    """Each night, put recordings into the bin that are older than the academy's rule."""
    operations.forget_old(by=the_platform(current_channel()))
