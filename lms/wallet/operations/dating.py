"""Money with a date: booked away when it has expired, its owners warned before, and its date changed by hand with the reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.wallet import queries
from lms.wallet.events import MoneyEnding
from lms.wallet.models import Lot
from lms.wallet.operations.moving import let_expire

WARNED = (14, 3)  # days before
MOST_AT_ONCE = 500
FARTHEST = timedelta(days=3660)


def expire_money(account_ids: Sequence[UUID] | None = None) -> int:
    """Book what has expired in every wallet, or in those named, each by a balanced transaction of its own; how many were due.

    Run again it books nothing twice; a wallet that moved in between is looked at anew the next time.
    """
    due = queries.due_money(account_ids, most=MOST_AT_ONCE)
    for one in due:
        let_expire(one)
    return len(due)


def warn_of_ending_money() -> int:
    """Say once that money ends within 14 days, and once within 3; how many warnings went out."""
    count = 0
    for days in sorted(WARNED):  # who is late for the first warning gets only the second
        for ending in queries.money_ending(days, most=MOST_AT_ONCE):
            told = update(Lot).where(Lot.id.in_(ending.lot_ids)).values(warned_days=days).execution_options(synchronize_session=False)
            db.session().execute(told)
            amount = ending.amount
            emit(
                MoneyEnding(
                    user_id=ending.user_id,
                    amount_minor=amount.minor,
                    currency=amount.currency,
                    until=ending.until,
                    days=days,
                )
            )
            count += 1
    return count


def change_date(lot: Lot, until: datetime, reason: str, *, by: Actor) -> bool:
    """Let the money of a lot last until another moment, for a reason the audit log keeps; False when it did so already.

    Raises Conflict when nothing is left in the lot, and Invalid beside the field that does not fit.
    """
    faults = {}
    if not now() < until <= now() + FARTHEST:
        faults["until"] = _("The new last day lies ahead, and at most ten years.")
    if not 1 <= len(reason.strip()) <= 500:
        faults["reason"] = _("Say why in at most 500 characters, so that the audit log explains itself.")
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    return put_date(lot, {"expires_at": until, "reason": reason.strip()}, by)


def put_date(lot: Lot, values: dict[str, object], by: Actor) -> bool:
    """Write a lot's date with its reason, for a change and for its undo; who was warned of the old date is warned of the new one."""
    locked = queries.lock_lot(lot.id)
    if locked.left_minor == 0:
        raise Conflict(_("This money is spent or has expired. To give more, put money into the wallet."), rule="nothing_left")
    if locked.expires_at <= now():
        raise Conflict(_("This money expired a moment ago. To give it back, put money into the wallet."), rule="expired")
    if locked.expires_at == values["expires_at"]:
        return False
    is_new = audit.update(locked, "wallet.date", by=by, **values)
    locked.warned_days = None
    db.session().flush()
    return is_new
