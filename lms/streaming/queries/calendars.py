"""Calendars: private addresses, and the dates behind them."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from lms.core import db, signing
from lms.core.clock import now
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.icalendar import Entry
from lms.streaming.models import Feed, Session
from lms.streaming.queries.sessions import is_open_to, with_course

FEED = "streaming:feed"


def feed_of(user_id: UUID) -> Feed | None:
    """The calendar address of a person that stands, when there is one."""
    return db.session().scalar(select(Feed).where(Feed.user_id == user_id, Feed.revoked_at.is_(None)))


def feed_token(feed: Feed) -> str:
    """The secret of a calendar address: its id and a signature only this install can make; nothing in the database tells it."""
    return f"{feed.id.hex}.{signing.digest(FEED, feed.id.hex).hex()[:40]}"


def get_feed(token: str) -> Feed:
    """The calendar address a secret belongs to; raises NotFound for a wrong or revoked one, with the same words."""
    name, _dot, signature = token.partition(".")
    if signing.same(signing.digest(FEED, name).hex()[:40], signature) and len(name) == 32:
        found = db.session().get(Feed, UUID(name))
        if found is not None and found.revoked_at is None:
            return found
    raise NotFound(_("There is no calendar at this address any more."))


def calendar_entry(session: Session, origin: str) -> Entry:
    """A session as a date in a calendar."""
    words = [session.course.title, session.description] if session.description else [session.course.title]
    return Entry(
        uid=f"{session.id}@{urlsplit(origin).hostname}",
        title=session.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        changed_at=session.cancelled_at or session.opened_at or session.created_at,
        sequence=session.version,
        description="\n\n".join(words),
        url=f"{origin}/streaming/sessions/{session.id}",
        is_cancelled=session.state == "cancelled",
    )


def calendar_of(user_id: UUID, origin: str) -> list[Entry]:
    """A person's dates: the classes to come and those of the last thirty days, cancelled ones marked as such."""
    query = with_course().where(
        is_open_to(user_id),
        Session.starts_at > now() - timedelta(days=30),
    )
    return [calendar_entry(one, origin) for one in db.session().scalars(query.order_by(Session.starts_at, Session.id).limit(500))]
