"""Adjustments: money put in or taken out by hand, for a reason; above the channel's limit by two people, never by one."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert

from lms.channels.operations import edit_channel
from lms.channels.queries import get_member, this_channel
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Forbidden, Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import MAX_MINOR, Money
from lms.core.tenancy import current_channel
from lms.wallet import policies, queries
from lms.wallet.errors import NotEnough
from lms.wallet.models import Adjustment
from lms.wallet.operations.dating import FARTHEST
from lms.wallet.operations.moving import Dating, credit, debit

ALONE_FOR = timedelta(hours=24)
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 5417019))")


def request_adjustment(
    user_id: UUID, amount: Money, reason: str, *, until: datetime | None = None, adjustment_id: UUID | None = None, by: Actor
) -> Adjustment:
    """Adjust a person's wallet by an amount (below zero: take out): booked at once, or waiting for a second person.

    What comes in lasts `until` a moment, where one is said. It waits above the channel's limit, counted over all that the same admin
    booked alone in 24 hours, and for one's own wallet.
    The same `adjustment_id` sent twice gives the first. Raises NotEnough when it takes out more than there is.
    """
    member = get_member(user_id)
    reason = _checked(amount, reason, until)
    db.session().execute(ONE_AT_A_TIME, {"who": f"{current_channel()}:{by.user_id}"})
    values: dict[str, Any] = {
        "channel_id": current_channel(),
        "id": adjustment_id or uuid7(),
        "user_id": member.id,
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "reason": reason,
        "money_until": until,
        "needs_second": needs_second(member.id, amount, by=by),
        "requested_by": by.user_id,
        "requested_at": now(),
        "state": "waiting",
    }
    if not values["needs_second"]:
        values |= {"state": "booked", "decided_by": by.user_id, "decided_at": now()}
    made = db.session().scalar(insert(Adjustment).values(values).on_conflict_do_nothing().returning(Adjustment.id))
    adjustment = queries.get_adjustment(values["id"])
    if made is not None:
        after = {key: values[key] for key in ("user_id", "amount_minor", "currency", "reason", "needs_second", "money_until")}
        audit.record("wallet.request_adjustment", adjustment, by=by, after=after, name=member.name)
        if not adjustment.needs_second:
            _book(adjustment, by)
    return adjustment


def needs_second(user_id: UUID, amount: Money, *, by: Actor) -> bool:
    """Whether this adjustment waits for a second person."""
    limit = queries.adjustment_limit()
    if by.user_id is None or user_id == by.user_id:
        return True
    if limit is None:
        return False
    alone = queries.booked_alone(by.user_id, amount.currency, since=now() - ALONE_FOR)
    return amount.currency != limit.currency or abs(amount.minor) + alone > limit.minor


def approve_adjustment(adjustment: Adjustment, *, word: str = "", by: Actor) -> None:
    """Book a waiting adjustment as the second person; of two at once one books it, the other hears who did.

    Raises Forbidden for who asked for it, and NotEnough when the wallet holds less by now: then it goes on waiting.
    """
    with db.session().begin_nested():
        _decide(adjustment, "booked", word, by)
        _book(adjustment, by)


def refuse_adjustment(adjustment: Adjustment, *, word: str, by: Actor) -> None:
    """Refuse a waiting adjustment with the reason why; no money moves."""
    if not word.strip():
        sentence = _("Say why, so that whoever asked understands it.")
        raise Invalid(sentence, fields={"word": sentence})
    _decide(adjustment, "refused", word, by)


def withdraw_adjustment(adjustment: Adjustment, *, by: Actor) -> None:
    """Take back a waiting adjustment one asked for oneself; no money moves."""
    if by.user_id is None or by.user_id != adjustment.requested_by:
        raise Forbidden(_("Only who asked for it can take it back."), rule="own")
    _settle(adjustment, "withdrawn", "", by)


def set_adjustment_limit(limit: Money | None, *, by: Actor) -> bool:
    """Say up to which amount an admin adjusts alone within 24 hours; None for no limit. False when nothing changed."""
    channel = this_channel()
    kept = {"minor": limit.minor, "currency": limit.currency} if limit is not None else None
    return edit_channel(channel, {"settings": {**channel.settings, queries.LIMIT: kept}}, by=by)


def _checked(amount: Money, reason: str, until: datetime | None) -> str:
    faults = {}
    if amount.minor == 0:
        faults["amount"] = _("The amount must not be zero.")
    elif abs(amount.minor) > MAX_MINOR:
        faults["amount"] = _("That amount is too large.")
    elif amount.currency != this_channel().currency:
        faults["amount"] = _("Wallets here are in %(currency)s.", currency=this_channel().currency)
    if until is not None and amount.minor < 0:
        faults["until"] = _("Only money that comes in has a last day.")
    elif until is not None and not now() < until <= now() + FARTHEST:
        faults["until"] = _("The last day lies ahead, and at most ten years.")
    if not reason.strip() or len(reason.strip()) > 500:
        faults["reason"] = _("Say why in at most 500 characters; the person reads it.")
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    return reason.strip()


def _decide(adjustment: Adjustment, state: str, word: str, by: Actor) -> None:
    may = policies.can_decide(by, adjustment.requested_by)
    if not may:
        raise Forbidden(may.sentence, rule=may.rule)
    _settle(adjustment, state, word.strip()[:500], by)


def _settle(adjustment: Adjustment, state: str, word: str, by: Actor) -> None:
    """Move on from waiting; the row's own condition decides between two who press at once."""
    values = {"state": state, "word": word, "decided_by": by.user_id, "decided_at": now()}
    moved = (
        update(Adjustment)
        .where(Adjustment.id == adjustment.id, Adjustment.state == "waiting")
        .values(values)
        .returning(Adjustment.id)
        .execution_options(synchronize_session=False)
    )
    if db.session().scalar(moved) is None:
        raise Conflict(_("Somebody has decided this already. Reload the page to see how."), rule="decided")
    db.session().refresh(adjustment)
    audit.record(f"wallet.{_ACTS[state]}_adjustment", adjustment, by=by, before={"state": "waiting"}, after={"state": state, "word": word})


_ACTS = {"booked": "approve", "refused": "refuse", "withdrawn": "withdraw"}


def _book(adjustment: Adjustment, by: Actor) -> None:
    """Write the adjustment into the ledger; raises NotEnough, and nothing moved, when it takes out more than there is."""
    amount, move = adjustment.amount, credit if adjustment.amount_minor > 0 else debit
    taken, dating = amount if amount.minor > 0 else -amount, Dating(until=adjustment.money_until)
    try:
        with db.session().begin_nested():
            move(adjustment.user_id, taken, source="adjustment", reference_id=adjustment.id, note=adjustment.reason, by=by, dating=dating)
    except NotEnough as refusal:
        held = queries.balance_of(adjustment.user_id, amount.currency).format(by.locale)
        sentence = _("The wallet holds %(held)s, so %(amount)s cannot be taken out.", held=held, amount=taken.format(by.locale))
        raise NotEnough(sentence, rule="balance", fields={"amount": sentence}) from refusal
