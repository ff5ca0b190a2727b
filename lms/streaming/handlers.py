"""What streaming does when facts happen."""

from lms.content import operations as content
from lms.content.events import AssetFailed, AssetReady
from lms.core.decisions import the_platform
from lms.core.events import on
from lms.core.tenancy import current_channel
from lms.enrollments.events import EnrollmentEnded, EnrollmentMoved
from lms.streaming import jobs, operations, queries
from lms.streaming.events import SessionCancelled, SessionEnded
from lms.streaming.gateways import provider_of


@on(SessionEnded)
def stop_taking(fact: SessionEnded) -> None:
    """Nothing more is taken of a class that is over, its host's browser is told, and what came in becomes a recording."""
    session = queries.get_session(fact.session_id)
    operations.end_takes(session)
    operations.hang_up(fact.session_id)
    if provider_of(session).stages:
        operations.expect_recording(session)
        jobs.keep_recording.put({"session_id": session.id}, key=f"recording:{session.id}")
    operations.settle_recording(session, by=the_platform(current_channel()))


@on(AssetReady)
def finish_the_recording(fact: AssetReady) -> None:
    """A class whose film is ready is recorded."""
    operations.finish_recording(fact.asset_id, by=the_platform(current_channel()))


@on(AssetFailed)
def say_why_there_is_no_recording(fact: AssetFailed) -> None:
    """The page of a class says why its film could not be made ready."""
    operations.fail_recording(fact.asset_id, fact.reason)


@on(SessionCancelled)
def send_the_host_away(fact: SessionCancelled) -> None:
    """A host who waits in the studio of a cancelled class is told."""
    operations.hang_up(fact.session_id)


@on(EnrollmentEnded)
def take_the_picture_away(fact: EnrollmentEnded) -> None:
    """Who is no longer in a course sees no more of its running classes, at once."""
    content.revoke_grants(fact.user_id, queries.running_ids(fact.user_id, fact.course_id))


@on(EnrollmentMoved)
def take_the_picture_of_the_batch_away(fact: EnrollmentMoved) -> None:
    """Who is in another batch now sees no more of the running classes of the one they left."""
    content.revoke_grants(fact.user_id, queries.running_ids(fact.user_id, fact.course_id))
