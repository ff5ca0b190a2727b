"""Background work of live classes."""

from datetime import timedelta
from uuid import UUID

from lms.core import sandbox
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.i18n import gettext as _
from lms.core.jobs import Every, job, step
from lms.core.storage.keys import safe_name
from lms.core.tenancy import current_channel
from lms.streaming import gateways, operations, queries

QUIET_SECONDS = 5.0


@job(every=Every(minutes=1))
def keep_time() -> None:
    """Each minute, open the rooms whose time has come and end the classes that were forgotten."""
    operations.keep_time(by=the_platform(current_channel()))


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
                operations.miss_recording(recording, _("No picture came in: nobody went live in the studio, or the line broke at once."))
                return
            operations.keep_film(session, film.path, safe_name(f"{session.title}.{film.ending}"), film.seconds)


@job()
def take_receipt(receipt_id: UUID | str) -> None:
    """Do what an outside room reported."""
    operations.take_receipt(UUID(str(receipt_id)))


@job(queue="bulk", every=Every(at="02:50"))
def forget_recordings() -> None:
    """Each night, put recordings into the bin that are older than the academy's rule."""
    operations.forget_old(by=the_platform(current_channel()))
