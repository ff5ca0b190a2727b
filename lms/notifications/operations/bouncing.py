"""Addresses that mails come back from: noted by the mail server's refusal or a provider's message, cleared by a person."""

from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db, mail, signing
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import Mail
from lms.core.tenancy import current_channel
from lms.notifications import queries
from lms.notifications.models import Bounce

PURPOSE = "notifications:bounces"
LASTS = 10 * 365 * 86_400
MOST_AT_ONCE = 500


def bounce_token() -> str:
    """The part of an address to which the mail provider reports what came back; it lasts."""
    return signing.sign(PURPOSE, {"c": str(current_channel())}, seconds=LASTS)


def check_bounce_token(token: str) -> None:
    """Refuse a report whose address was not made for this academy."""
    if signing.unsign(PURPOSE, token)["c"] != str(current_channel()):
        raise Forbidden(_("This address is not valid here."), rule="signature")


def note_bounces(reports: Iterable[tuple[str, str]]) -> int:
    """Note addresses (with the reason) that mails came back from; only those this academy wrote to. The number noted anew."""
    noted = 0
    for address, reason in list(reports)[:MOST_AT_ONCE]:
        mail_id = queries.newest_mail_to(address)
        if mail_id is None:
            continue
        row = {
            "id": uuid7(),
            "channel_id": current_channel(),
            "address": address.lower(),
            "reason": reason[:500] or _("No reason was given."),
            "mail_id": mail_id,
            "at": now(),
        }
        made = db.session().execute(insert(Bounce).values(row).on_conflict_do_nothing().returning(Bounce.id)).all()
        noted += len(made)
    return noted


@mail.on_refusal
def note_refusal(letter: Mail, words: str) -> None:
    """The mail server refused the address for good."""
    note_bounces([(letter.to_address, words)])


@mail.stop_rule("")
def why_bounced(letter: Mail) -> str:
    """Mails to such an address stop, but for codes, without which nobody could sign in and mend it."""
    if letter.is_secret or queries.standing_bounce(letter.to_address) is None:
        return ""
    return _("Not sent: mails to this address come back.")


def clear_bounce(bounce: Bounce, *, by: Actor) -> None:
    """Let mails go to the address again; clearing twice changes nothing."""
    if bounce.cleared_at is None:
        bounce.cleared_at, bounce.cleared_by = now(), by.user_id
        db.session().flush()
        audit.record("notifications.clear_bounce", bounce, by=by, before={"reason": bounce.reason}, name=bounce.address)
