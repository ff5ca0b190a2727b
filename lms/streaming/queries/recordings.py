"""What comes in and what is left: takes, recordings, moments, and the way to the picture."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Text, cast, func, select

from lms.content import queries as content
from lms.content.models import Asset
from lms.core import db, signing
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, NotFound
from lms.core.i18n import gettext as _
from lms.core.models import Outbox
from lms.core.tenancy import current_channel
from lms.courses.models import Lesson
from lms.enrollments.models import Enrollment
from lms.streaming.gateways import make_key
from lms.streaming.models import Moment, Recording, Rule, Session, Take
from lms.streaming.queries.sessions import IS_MEANT

LIVE = "streaming:live"
LIVE_SECONDS = 12 * 3600


def takes_of(session_id: UUID) -> Sequence[Take]:
    """The takes of a session, in order."""
    return db.session().scalars(select(Take).where(Take.session_id == session_id).order_by(Take.number)).all()


def find_take(take_id: UUID) -> Take | None:
    """A take by the id its browser gave it."""
    return db.session().get(Take, take_id)


def last_number(session_id: UUID) -> int:
    """The number of a session's newest take; 0 before the first."""
    return db.session().scalar(select(func.max(Take.number)).where(Take.session_id == session_id)) or 0


def find_recording(session_id: UUID, *, lock: bool = False) -> Recording | None:
    """The recording of a session, when there is or will be one."""
    query = select(Recording).where(Recording.session_id == session_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session().scalar(query)


def recording_of_asset(asset_id: UUID) -> Recording | None:
    """The recording whose file that is."""
    return db.session().scalar(select(Recording).where(Recording.asset_id == asset_id).with_for_update())


def moments_of(session_id: UUID) -> Sequence[Moment]:
    """The moments marked in a session, in order."""
    return db.session().scalars(select(Moment).where(Moment.session_id == session_id).order_by(Moment.at, Moment.id)).all()


def get_moment(session_id: UUID, moment_id: UUID) -> Moment:
    """One moment of a session."""
    found = db.session().scalar(select(Moment).where(Moment.session_id == session_id, Moment.id == moment_id))
    if found is None:
        raise NotFound(_("There is no such moment."))
    return found


def running_ids(user_id: UUID, course_id: UUID) -> list[UUID]:
    """The classes of a course that are on, for taking their picture away from somebody who left the course or its batch."""
    still_in = select(Enrollment.id).where(
        Enrollment.user_id == user_id, Enrollment.course_id == course_id, Enrollment.status != "ended", IS_MEANT
    )
    query = select(Session.id).where(
        Session.course_id == course_id, Session.state.in_(("open", "live")), ~still_in.correlate(Session).exists()
    )
    return list(db.session().scalars(query))


@dataclass(frozen=True, slots=True)
class Card:
    """What the page of a class says of its recording."""

    recording: Recording
    asset: Asset | None
    lesson: Lesson | None


def card_of(session_id: UUID) -> Card | None:
    """The recording of a class with its file and lesson; None while there is nothing to say of it."""
    found = find_recording(session_id)
    if found is None:
        return None
    asset = db.session().get(Asset, found.asset_id) if found.asset_id is not None else None
    return Card(found, asset, db.session().get(Lesson, found.lesson_id) if found.lesson_id is not None else None)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A take as it lies in the recording: since when, and from which second for how many."""

    begun_at: datetime
    offset: float
    seconds: float


def stretches_of(session_id: UUID) -> list[Stretch]:
    """How the recording's seconds lie on the clock; takes that were never measured are left out."""
    found, offset = [], 0.0
    for take in takes_of(session_id):
        if take.seconds:
            found.append(Stretch(take.begun_at, offset, take.seconds))
            offset += take.seconds
    return found


def second_of(moment: datetime, stretches: Sequence[Stretch]) -> float:
    """The second of the recording that was on at a moment; what fell into a break belongs to the end of what was before it."""
    second = 0.0
    for one in stretches:
        passed = (moment - one.begun_at).total_seconds()
        if passed < 0:
            break
        second = one.offset + min(passed, one.seconds)
    return second


def rule() -> Rule:
    """For how long this academy keeps recordings; a new, unwritten rule while nobody said anything."""
    return db.session().scalar(select(Rule)) or Rule(keep_days=None, hook_version=1)


def old_recordings(moment: datetime) -> list[tuple[Recording, Lesson | None, Asset | None]]:
    """Recordings past the academy's rule of which nobody made a published lesson; none where they are kept for good."""
    days = rule().keep_days
    if days is None:
        return []
    query = (
        select(Recording, Lesson, Asset)
        .join(Session, Session.id == Recording.session_id)
        .outerjoin(Lesson, Lesson.id == Recording.lesson_id)
        .outerjoin(Asset, Asset.id == Recording.asset_id)
        .where(
            Recording.state == "ready",
            Session.ended_at < moment - timedelta(days=days),
            func.coalesce(Lesson.status, "draft") != "published",
        )
        .limit(200)
    )
    return [(row[0], row[1], row[2]) for row in db.session().execute(query)]


def lost_fetches(before: datetime, task: str) -> Sequence[Recording]:
    """Recordings that say they are being fetched while no job does or will."""
    at_work = select(Outbox.id).where(
        Outbox.task == task, Outbox.key.contains(cast(Recording.session_id, Text)), Outbox.done_at.is_(None), Outbox.dead_at.is_(None)
    )
    query = select(Recording).where(Recording.state == "fetching", Recording.updated_at < before, ~at_work.exists())
    return db.session().scalars(query.with_for_update()).all()


# --- the picture ----------------------------------------------------------------------------------------------------------------


def stream_url(session_id: UUID, viewer: Actor) -> str:
    """Where this viewer finds the picture of a running class; the caller has decided that they may, and opens their grant."""
    who = content.viewer_key(viewer)
    if not who:
        raise Forbidden(_("Sign in first."), rule="sign_in")
    claims = {"i": str(session_id), "c": str(current_channel()), "v": who, "s": int(time.time())}
    return f"{place_of(session_id)}{signing.sign(LIVE, claims, seconds=LIVE_SECONDS)}/index.m3u8"


def place_of(session_id: UUID) -> str:
    """The path all addresses of a running class's picture begin with; a pass for nginx is good for one of these."""
    return f"/streaming/live/{current_channel()}/{session_id}/"


def stream_key(session: Session) -> str:
    """The key with which this class is sent over RTMP, for those who run it."""
    return make_key(session.channel_id, session.id, session.key_version)


def read_stream(token: str) -> content.Ticket:
    """Which class's picture an address is for, and whose; raises Forbidden when it was changed, is too old or is another channel's."""
    claims = signing.unsign(LIVE, token)
    if claims["c"] != str(current_channel()):
        raise Forbidden(_("This link is of another academy."), rule="channel")
    return content.Ticket(UUID(claims["i"]), claims["v"], claims["s"])
