"""What a host sends: takes begin and end, the picture is granted, moments are marked."""

from datetime import timedelta
from uuid import UUID

from lms.content import operations as content
from lms.core import audit, db, pubsub
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid, Unavailable
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.streaming import gateways, queries
from lms.streaming.errors import IllegalMove
from lms.streaming.gateways import Reel, rtmp
from lms.streaming.models import Moment, Session, Take
from lms.streaming.operations.moving import open_session, start_session

OVER = "streaming:over"
MOST_AGE = timedelta(minutes=2)
MOST_MOMENTS = 100
MOST_KEYS = 1000
MIMES = ("video/webm", "video/x-matroska", "video/mp4", "video/x-flv")


def begin_take(session: Session, take_id: UUID, mime: str, *, age_ms: int, by: Actor) -> Take:
    """Take what a host begins to send, opening and starting the class when that is still to do; beginning twice begins once.

    `age_ms` is how long ago the browser began. Takes before this one are over: the newest window of the host wins.
    """
    known = queries.find_take(take_id)
    if known is not None:
        if known.session_id != session.id or session.is_over:
            raise IllegalMove(_("This class is over. What came so far is kept."), rule="state")
        return known
    if not mime.startswith(MIMES) or len(mime) > 100:
        raise Invalid(_("This browser records in a way that is not understood here. Use a newer one."), rule="mime")
    if session.state == "scheduled":
        open_session(session, by=by)
    if session.state == "open":
        start_session(session, by=by)
    if session.state != "live":
        raise IllegalMove(_("This class is over. Plan a new one."), rule="state")
    end_takes(session)
    begun_at = now() - min(timedelta(milliseconds=max(age_ms, 0)), MOST_AGE)
    take = Take(id=take_id, session_id=session.id, number=queries.last_number(session.id) + 1, mime=mime, begun_at=begun_at)
    db.session().add(take)
    db.session().flush()
    return take


def begin_stream(session: Session, client: str, *, by: Actor) -> Take:
    """Take what OBS begins to send over a connection with this number; nginx writes it into the file of the take's name."""
    if not gateways.has_room():
        raise Unavailable(_("The disk of the platform is full."))
    take = begin_take(session, uuid7(), rtmp.MIME, age_ms=0, by=by)
    channel_id, session_id, number, film = session.channel_id, session.id, take.number, gateways.film_name(take.id)
    db.after_commit(lambda: gateways.begin_film(channel_id, session_id, number, rtmp.MIME, film, client))
    return take


def end_stream(session: Session, client: str) -> None:
    """The connection with this number is gone: nothing more comes of its take. A newer one of the same host goes on."""
    reel = _reel_of(session, client)
    if reel is None:
        return
    for take in queries.takes_of(session.id):
        if take.number == reel.number:
            end_take(take)
    db.after_commit(reel.end)


def goes_on(session: Session, client: str) -> bool:
    """Whether what comes over that connection is still wanted: its take is the newest, the class is live, the disk has room."""
    reel = _reel_of(session, client)
    return reel is not None and session.state == "live" and gateways.has_room()


def _reel_of(session: Session, client: str) -> Reel | None:
    found = gateways.reels(gateways.folder_of(session.channel_id, session.id))
    return next((reel for reel in reversed(found) if reel.note.get("client") == client and not reel.is_ended), None)


def change_key(session: Session, *, by: Actor) -> None:
    """Make the key with which a class is sent worthless, and have a new one; what is being sent with the old one is sent away."""
    before = session.key_version
    if before >= MOST_KEYS:
        raise IllegalMove(_("The key of this class was changed too often. Plan a new class."), rule="key")
    audit.update(session, "streaming.change_key", by=by, key_version=before + 1)
    end_takes(session)


def end_take(take: Take) -> None:
    """Nothing more comes of a take; ending twice changes nothing."""
    if take.ended_at is None:
        take.ended_at = now()


def end_takes(session: Session) -> None:
    """Nothing more comes of any take of a session so far."""
    for take in queries.takes_of(session.id):
        end_take(take)
    channel_id, session_id = session.channel_id, session.id
    db.after_commit(lambda: _put_down(channel_id, session_id))


def _put_down(channel_id: UUID, session_id: UUID) -> None:
    for reel in gateways.reels(gateways.folder_of(channel_id, session_id)):
        reel.end()


def hang_up(session_id: UUID) -> None:
    """Tell the host's browser that the class is over, wherever its socket is."""
    db.after_commit(lambda: pubsub.publish(OVER, str(session_id).encode()))


def show_picture(session_id: UUID, viewer: Actor) -> None:
    """Let a viewer whose right was just checked go on watching."""
    content.renew_grant(session_id, viewer)


def mark_moment(session: Session, title: str, *, by: Actor) -> Moment:
    """Mark the present moment of a running class: it becomes a chapter of the recording."""
    if session.state != "live":
        raise IllegalMove(_("Moments are marked while the class is live."), rule="state")
    marked = queries.moments_of(session.id)
    if len(marked) >= MOST_MOMENTS:
        raise IllegalMove(_("A class takes %(most)s marked moments.", most=MOST_MOMENTS), rule="moments")
    words = " ".join(title.split())[:120] or _("Moment %(number)s", number=len(marked) + 1)
    moment = Moment(session_id=session.id, at=now(), title=words)
    db.session().add(moment)
    db.session().flush()
    audit.record("streaming.mark", session, by=by, after={"moment": words})
    return moment


def unmark_moment(session: Session, moment: Moment, *, by: Actor) -> None:
    """Take a marked moment away."""
    audit.record("streaming.unmark", session, by=by, before={"moment": moment.title})
    db.session().delete(moment)
    db.session().flush()
