"""Private calendar addresses: one standing for each person of a channel, given back for a new one at any time."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.streaming import queries
from lms.streaming.models import Feed


def make_feed(user_id: UUID, *, by: Actor) -> Feed:
    """The person's calendar address; making it twice gives the same one."""
    values = {"id": uuid7(), "channel_id": current_channel(), "user_id": user_id, "created_at": now()}
    made = db.session().execute(insert(Feed).values(values).on_conflict_do_nothing().returning(Feed.id)).one_or_none()
    found = queries.feed_of(user_id)
    assert found is not None
    if made is not None:
        audit.record("streaming.make_feed", found, by=by)
    return found


def revoke_feed(user_id: UUID, *, by: Actor) -> None:
    """Close the person's calendar address for good; closing twice changes nothing."""
    found = queries.feed_of(user_id)
    if found is not None:
        audit.update(found, "streaming.revoke_feed", by=by, revoked_at=now())
        db.session().flush()
