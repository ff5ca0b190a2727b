"""How many bytes of originals an academy holds, and may hold; the database settles races."""

from sqlalchemy import CursorResult, text

from lms.content import queries
from lms.core import audit, db
from lms.core.decisions import Actor
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel

BEGIN = text(
    """
    INSERT INTO content.usage (channel_id, id, held_bytes)
    SELECT :channel, :id, coalesce(sum(size), 0) FROM content.assets WHERE state <> 'deleted' AND channel_id = :channel
    ON CONFLICT (channel_id) DO NOTHING
    """
)
TAKE = text("UPDATE content.usage SET held_bytes = held_bytes + :size WHERE quota_bytes IS NULL OR held_bytes + :size <= quota_bytes")
GIVE = text("UPDATE content.usage SET held_bytes = greatest(0, held_bytes - :size)")
LIMIT = text("UPDATE content.usage SET quota_bytes = :quota")


def take_room(size: int) -> None:
    """Reserve room for a file; two uploads at once never take more than there is."""
    _begin()
    done = db.session().execute(TAKE, {"size": size})
    assert isinstance(done, CursorResult)
    if not done.rowcount:
        raise Conflict(
            _("There is no room left for this file: the academy may hold no more. Delete files nobody uses, or ask for more room."),
            rule="quota",
        )


def give_room(size: int) -> None:
    """Give the room of a file that is gone back."""
    _begin()
    db.session().execute(GIVE, {"size": size})


def set_quota(quota: int | None, *, by: Actor) -> None:
    """Say how many bytes this academy may hold; None: as many as the disk."""
    _begin()
    db.session().execute(LIMIT, {"quota": quota})
    audit.record("content.set_quota", queries.usage(), by=by, after={"bytes": quota}, name=_("Room for files"))


def _begin() -> None:
    db.session().execute(BEGIN, {"channel": current_channel(), "id": uuid7()})
