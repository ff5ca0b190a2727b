"""What people wish to hear, said on the preferences page or by the link in a mail."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db, signing
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.notifications import queries
from lms.notifications.models import KINDS, NEVER, PACES, Default, Habit, Wish
from lms.notifications.queries import Reader, Ways

EVERYTHING = "all"
PURPOSE = "notifications:unsubscribe"
LASTS = 10 * 365 * 86_400
Said = tuple[bool | None, str | None]  # in the app, and how mails come; None: as the academy has it


def set_wishes(user_id: UUID, said: Mapping[str, Said], *, by: Actor) -> bool:
    """Keep what a person says for the kinds named, of those that can reach them; False when nothing is new."""
    before = queries.choices_of(user_id)
    reachable = {kind.key for kind in queries.kinds_for(by)}
    changed = False
    for kind, wanted in said.items():
        known = before.get(kind)
        if known is None or kind not in reachable or wanted == (known.said_in_app, known.said_mail):
            continue
        if wanted[1] not in (None, NEVER, *KINDS[kind].paces):
            raise Invalid(_("These mails cannot come that way. Choose another."))
        _keep(user_id, kind, wanted, (known.said_in_app, known.said_mail), by=by)
        changed = True
    return changed


def set_defaults(said: Mapping[str, Ways], *, by: Actor) -> bool:
    """Keep how news comes to everybody who said nothing else; False when nothing is new."""
    before = queries.defaults()
    changed = False
    for kind, wanted in said.items():
        if kind not in before or wanted == before[kind]:
            continue
        if wanted.pace not in KINDS[kind].paces:
            raise Invalid(_("These mails cannot come that way. Choose another."))
        values = {"in_app": wanted.in_app, "mail": wanted.mail, "pace": wanted.pace, "changed_at": now()}
        row = {"id": uuid7(), "channel_id": current_channel(), "kind": kind, **values}
        db.session().execute(insert(Default).values(row).on_conflict_do_update(constraint="uq_defaults_channel_id_kind", set_=values))
        was = {"kind": kind, "in_app": before[kind].in_app, "mail": before[kind].mail_word}
        audit.record(
            "notifications.default", "defaults", by=by, before=was, after={**was, "in_app": wanted.in_app, "mail": wanted.mail_word}
        )
        changed = True
    return changed


def set_habit(user_id: UUID, *, by: Actor, **values: Any) -> bool:
    """Keep when mails may reach a person, by the names of Habit's columns; False when nothing is new."""
    known = queries.habit_of(user_id)
    before = {name: getattr(known, name) for name in values}
    if before == values:
        return False
    if values.get("quiet_from") is not None and values.get("quiet_from") == values.get("quiet_to"):
        sentence = _("Choose another hour than the first one, or no quiet hours at all.")
        raise Invalid(sentence, fields={"quiet_to": sentence})
    if (values.get("quiet_from") is None) != (values.get("quiet_to") is None):
        sentence = _("Say both hours, or none.")
        raise Invalid(sentence, fields={"quiet_to": sentence})
    row = {"id": uuid7(), "channel_id": current_channel(), "user_id": user_id, **values}
    statement = (
        insert(Habit).values(row).on_conflict_do_update(constraint="uq_habits_channel_id_user_id", set_={**values, "changed_at": now()})
    )
    db.session().execute(statement)
    audit.record("notifications.habit", "habits", by=by, before=before, after=dict(values))
    return True


def unsubscribe_token(user_id: UUID, kind: str) -> str:
    """The part of an address that stops the mails of one kind to one person; it lasts."""
    return signing.sign(PURPOSE, {"u": str(user_id), "k": kind, "c": str(current_channel())}, seconds=LASTS)


def who_unsubscribes(token: str) -> tuple[Reader, str]:
    """The person and the kind of news a link in a mail stands for; raises Forbidden for any other."""
    claims = signing.unsign(PURPOSE, token)
    reader = queries.find_reader(UUID(claims["u"])) if claims["c"] == str(current_channel()) else None
    if reader is None or claims["k"] not in (*KINDS, EVERYTHING):
        raise Forbidden(_("This link is not valid here any more."), rule="signature")
    return reader, claims["k"]


def unsubscribe(reader: Reader, kind: str) -> None:
    """Stop the mails of one kind (`EVERYTHING`: of all kinds) to one person; notices in the app stay. Stopping twice changes nothing.

    Only the person themselves starts them again.
    """
    if kind == EVERYTHING:
        set_habit(reader.user_id, by=_self(reader), is_silent=True)
        return
    known = queries.choices_of(reader.user_id)[kind]
    if known.said_mail != NEVER:
        _keep(reader.user_id, kind, (known.said_in_app, NEVER), (known.said_in_app, known.said_mail), by=_self(reader))


def _self(reader: Reader) -> Actor:
    return Actor(user_id=reader.user_id, name=reader.name, email=reader.email, channel_id=current_channel())


def _keep(user_id: UUID, kind: str, wanted: Said, before: Said, *, by: Actor) -> None:
    in_app, word = wanted
    values = {
        "in_app": in_app,
        "mail": None if word is None else word != NEVER,
        "pace": word if word in PACES else "now",
        "changed_at": now(),
    }
    row = {"id": uuid7(), "channel_id": current_channel(), "user_id": user_id, "kind": kind, **values}
    statement = insert(Wish).values(row).on_conflict_do_update(constraint="uq_wishes_channel_id_user_id_kind", set_=values)
    db.session().execute(statement)
    was = {"kind": kind, "in_app": before[0], "mail": before[1]}
    audit.record("notifications.wish", "wishes", by=by, before=was, after={"kind": kind, "in_app": in_app, "mail": word})
