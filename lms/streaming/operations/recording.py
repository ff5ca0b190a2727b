"""From a class that was to a lesson: the film handed to content, the draft made, tried again when it failed, gone by the rule."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid5

from babel.dates import format_date

from lms.channels.queries import actor_of_user
from lms.content import operations as content
from lms.content.models import Asset
from lms.content.queries import get_asset
from lms.core import audit, db
from lms.core.clock import local_day, now
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.i18n import locale
from lms.courses import operations as courses
from lms.courses import queries as course_queries
from lms.courses.models import Lesson, Section
from lms.streaming import gateways, queries
from lms.streaming.errors import IllegalMove
from lms.streaming.events import RecordingMissing, RecordingReady
from lms.streaming.models import Recording, Session
from lms.streaming.operations.moving import record_session


def expect_recording(session: Session) -> Recording:
    """Note that a recording of a class that was is on its way; noting it twice changes nothing."""
    found = queries.find_recording(session.id, lock=True)
    if found is None:
        found = Recording(session_id=session.id, source=session.provider)
        db.session().add(found)
        db.session().flush()
    return found


def miss_recording(recording: Recording, reason: str, *, course_id: UUID) -> None:
    """Say that there is nothing to keep, and why: on the page of its class, and to its host."""
    recording.state, recording.reason = "missing", reason
    emit(RecordingMissing(session_id=recording.session_id, course_id=course_id, reason=reason))


def keep_film(session: Session, film: Path, filename: str, seconds: Mapping[int, float]) -> Recording:
    """Hand the film of a class to content and make its draft lesson; keeping it twice keeps it once."""
    recording = expect_recording(session)
    if recording.asset_id is not None:
        return recording
    for take in queries.takes_of(session.id):
        take.seconds = seconds.get(take.number, take.seconds)
    host = actor_of_user(session.host_id)
    asset = content.receive_path(film, filename, "video", by=host)
    recording.asset_id, recording.state, recording.reason = asset.id, "processing", ""
    recording.lesson_id = _draft(session, asset, by=host).id
    audit.record("streaming.keep", session, by=host, after={"asset_id": asset.id, "lesson_id": recording.lesson_id})
    return recording


def _draft(session: Session, asset: Asset, *, by: Actor) -> Lesson:
    """The lesson of a recording, at the end of the course's section for recordings."""
    course = course_queries.get_course(session.course_id)
    section = _section(session, by)
    begun = session.started_at or session.starts_at
    body = _("Recorded live on %(day)s.", day=format_date(local_day(begun, by.zone), "d MMMM y", locale=locale()))
    lesson = courses.add_lesson(section, session.title[:150], by=by, kind="video", lesson_id=uuid5(session.id, "lesson"), body=body)
    if lesson.is_deleted:
        courses.restore_lesson(lesson, by=by)
    if lesson.asset_id != asset.id:
        courses.set_video(lesson, asset.id, by=by)
    lesson.session_id = session.id
    assert course.id == lesson.course_id
    return lesson


def _section(session: Session, by: Actor) -> Section:
    course = course_queries.get_course(session.course_id)
    section = courses.add_section(course, _("Recordings"), by=by, section_id=uuid5(session.course_id, "recordings"))
    if section.deleted_at is not None:
        section = courses.add_section(course, _("Recordings"), by=by)
    return section


def finish_recording(asset_id: UUID, *, by: Actor) -> None:
    """The film of a class is ready: the class is recorded, what came in raw may go. Safe to repeat."""
    recording = queries.recording_of_asset(asset_id)
    if recording is None or recording.state == "ready":
        return
    session = queries.get_session(recording.session_id)
    recording.state, recording.reason = "ready", ""
    if recording.url:
        measure(session, get_asset(asset_id).duration_seconds)
    settle_recording(session, by=by)
    emit(RecordingReady(session_id=session.id, course_id=session.course_id, lesson_id=recording.lesson_id))
    channel_id, session_id = session.channel_id, session.id
    db.after_commit(lambda: gateways.forget(channel_id, session_id))


def settle_recording(session: Session, *, by: Actor) -> None:
    """A class that is over and whose recording is ready is recorded; whichever of the two comes last."""
    recording = queries.find_recording(session.id)
    if session.state == "ended" and recording is not None and recording.state == "ready":
        record_session(session, by=by)


def measure(session: Session, seconds: float | None) -> None:
    """A recording from elsewhere is one take, as long as its film."""
    for take in queries.takes_of(session.id):
        take.seconds = take.seconds or seconds


def fail_recording(asset_id: UUID, reason: str) -> None:
    """The film of a class could not be made ready: say why on its page."""
    recording = queries.recording_of_asset(asset_id)
    if recording is not None and recording.state != "ready":
        recording.state, recording.reason = "failed", reason


def retry_recording(session: Session, *, by: Actor) -> str:
    """Try again to make a recording; what a job has to do for it: "join" what came in, "fetch" it, or "" when content tries anew."""
    recording = queries.find_recording(session.id, lock=True)
    if recording is None or recording.state not in ("failed", "missing"):
        raise IllegalMove(_("There is nothing to try again: the recording is there or on its way."), rule="recording")
    card = queries.card_of(session.id)
    audit.record("streaming.retry_recording", session, by=by)
    if card is not None and card.asset is not None and card.asset.can_retry:
        content.retry_asset(card.asset, by=by)
        recording.state, recording.reason = "processing", ""
        return ""
    if recording.url:
        recording.state, recording.reason, recording.asset_id = "fetching", "", None
        recording.fetched_bytes, recording.total_bytes = 0, None
        return "fetch"
    if not gateways.reels(gateways.folder_of(session.channel_id, session.id)):
        raise IllegalMove(_("Nothing of this class is left to make a recording of. Upload a video of it to the course."), rule="recording")
    recording.state, recording.reason, recording.asset_id = "waiting", "", None
    return "join"


def keep_rule(days: int | None, *, by: Actor) -> None:
    """Say for how long recordings stay of which nobody made a published lesson; None keeps them for good."""
    rule = queries.rule()
    if audit.update(rule, "streaming.rule", by=by, keep_days=days):
        db.session().add(rule)
        db.session().flush()


def change_hook_secret(*, by: Actor) -> None:
    """Have a new secret for reports of outside rooms; the one before counts for a day, so that nothing is lost meanwhile."""
    rule = queries.rule()
    audit.update(rule, "streaming.change_secret", by=by, hook_version=rule.hook_version + 1, hook_changed_at=now())
    db.session().add(rule)
    db.session().flush()


def forget_old(*, by: Actor) -> int:
    """Put recordings into the bin that are older than the academy's rule and no published lesson; how many."""
    gone = 0
    for recording, lesson, asset in queries.old_recordings(now()):
        if lesson is not None and not lesson.is_deleted:
            courses.delete_lesson(lesson, by=by)
        if asset is not None:
            gone += _to_the_bin(recording, lesson, asset, by)
    return gone


def _to_the_bin(recording: Recording, lesson: Lesson | None, asset: Asset, by: Actor) -> int:
    if lesson is not None and lesson.asset_id == asset.id:
        lesson.asset_id = None
    recording.asset_id = None
    db.session().flush()
    try:
        content.delete_asset(asset, by=by)
    except Refusal:  # used elsewhere since: it stays there
        recording.asset_id = asset.id
        return 0
    recording.state, recording.reason = "gone", _("Older than this academy keeps recordings that are no published lesson.")
    return 1
