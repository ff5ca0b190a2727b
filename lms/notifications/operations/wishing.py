"""What people wish to hear, said on the preferences page or by the link in a mail."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db, signing
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.notifications import queries
from lms.notifications.models import KINDS, Wish
from lms.notifications.queries import Reader, Ways

PURPOSE = "notifications:unsubscribe"
LASTS = 10 * 365 * 86_400


def set_wishes(user_id: UUID, on: Collection[str], *, by: Actor) -> bool:
    """Keep what a person wishes: `on` holds `kind:in_app` and `kind:mail` of what is wanted, for the kinds that can reach them."""
    before = queries.wishes_of(user_id)
    changed = False
    for kind in queries.kinds_for(by):
        wanted = Ways(f"{kind.key}:in_app" in on, f"{kind.key}:mail" in on)
        if wanted != before[kind.key]:
            _keep(user_id, kind.key, wanted, before[kind.key], by=by)
            changed = True
    return changed


def unsubscribe_token(user_id: UUID, kind: str) -> str:
    """The part of an address that stops the mails of one kind to one person; it lasts."""
    return signing.sign(PURPOSE, {"u": str(user_id), "k": kind, "c": str(current_channel())}, seconds=LASTS)


def who_unsubscribes(token: str) -> tuple[Reader, str]:
    """The person and the kind of news a link in a mail stands for; raises Forbidden for any other."""
    claims = signing.unsign(PURPOSE, token)
    reader = queries.find_reader(UUID(claims["u"])) if claims["c"] == str(current_channel()) else None
    if reader is None or claims["k"] not in KINDS:
        raise Forbidden(_("This link is not valid here any more."), rule="signature")
    return reader, claims["k"]


def unsubscribe(reader: Reader, kind: str) -> None:
    """Stop the mails of one kind to one person; notices in the app stay, and stopping twice changes nothing."""
    before = queries.ways_of([reader.user_id], kind)[reader.user_id]
    if before.mail:
        by = Actor(user_id=reader.user_id, name=reader.name, email=reader.email, channel_id=current_channel())
        _keep(reader.user_id, kind, Ways(before.in_app, False), before, by=by)


def _keep(user_id: UUID, kind: str, wanted: Ways, before: Ways, *, by: Actor) -> None:
    values = {"in_app": wanted.in_app, "mail": wanted.mail, "changed_at": now()}
    row = {"id": uuid7(), "channel_id": current_channel(), "user_id": user_id, "kind": kind, **values}
    statement = insert(Wish).values(row).on_conflict_do_update(constraint="uq_wishes_channel_id_user_id_kind", set_=values)
    db.session().execute(statement)
    was = {"kind": kind, "in_app": before.in_app, "mail": before.mail}
    audit.record("notifications.wish", "wishes", by=by, before=was, after={"kind": kind, "in_app": wanted.in_app, "mail": wanted.mail})
