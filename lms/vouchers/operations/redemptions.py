"""Redeeming a code: once, by one statement and its constraints; and the guard against guessing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from lms.core import audit, db, limits
from lms.core.clock import local_day, now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, TooMany
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.vouchers import queries
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.vouchers.events import VoucherGuessing, VoucherRedeemed
from lms.vouchers.models import Batch, Code, Redemption, Step
from lms.vouchers.operations.codes import digest_of, read
from lms.wallet import operations as wallet

WRONG_PER_HOUR = 10
HOUR = 3600
ALARM_MINUTES = 10
ALARM_AT = 50
log = structlog.get_logger(__name__)

TAKE = text(
    """
    UPDATE vouchers.codes c SET uses = c.uses + 1,
        state = CASE WHEN c.uses + 1 = c.max_uses THEN 'redeemed' ELSE c.state END,
        state_at = CASE WHEN c.uses + 1 = c.max_uses THEN CAST(:at AS timestamptz) ELSE c.state_at END,
        state_by = CASE WHEN c.uses + 1 = c.max_uses THEN CAST(:user AS uuid) ELSE c.state_by END
    FROM vouchers.batches b
    WHERE c.channel_id = :channel AND c.digest = :digest AND b.channel_id = c.channel_id AND b.id = c.batch_id
        AND c.uses < c.max_uses AND c.state IN ('created', 'sent', 'printed')
        AND (c.expires_at IS NULL OR c.expires_at > clock_timestamp()) AND (b.starts_at IS NULL OR b.starts_at <= clock_timestamp())
    RETURNING c.id
    """
)
# The person's turn within the batch is decided by the unique key (batch, person, nth), not by this count: two at once get two numbers.
NOTE = text(
    """
    INSERT INTO vouchers.redemptions (channel_id, id, batch_id, code_id, user_id, nth, amount_minor, currency, at)
    SELECT :channel, :id, :batch, :code, :user, coalesce(max(r.nth), 0) + 1, :amount, :currency, CAST(:at AS timestamptz)
    FROM vouchers.redemptions r WHERE r.channel_id = :channel AND r.batch_id = :batch AND r.user_id = :user
    HAVING CAST(:most AS bigint) IS NULL OR coalesce(max(r.nth), 0) < CAST(:most AS bigint)
    ON CONFLICT DO NOTHING RETURNING id
    """
)


class _TakenMeanwhile(Exception):
    """Another redemption of this code or by this person came in between; look again."""


def redeem(code_text: str, *, by: Actor, address: str = "") -> Redemption:
    """Put a code's value into the actor's wallet; the same person and code again answer the same redemption.

    Raises UnknownCode, CodeRefused (its rule says which) or TooMany; ten wrong codes an hour are all an account or address has.
    """
    if by.user_id is None:
        raise Forbidden(_("Sign in to redeem a voucher."), rule="sign_in")
    _count_try(by.user_id, address)
    code = read(code_text)
    digest = digest_of(code or code_text[:200])
    for _try in range(6):
        found = queries.find_code(digest, by.user_id)
        if found is None:
            raise _wrong(code is not None, address)
        if found.mine is not None:
            break
        why_not = refusal_of(found.code, found.batch, zone=by.zone)
        if why_not is not None:
            limits.take_back("redeem", _account_key(by.user_id))
            raise why_not
        try:
            with db.session().begin_nested():
                found.mine = _take(found.code, found.batch, digest, by)
            break
        except _TakenMeanwhile:
            continue
        except CodeRefused:
            limits.take_back("redeem", _account_key(by.user_id))
            raise
    else:
        raise CodeRefused(_("This code is being redeemed in another place right now. Try again in a moment."), rule="busy")
    limits.take_back("redeem", _account_key(by.user_id))
    return found.mine


def refusal_of(code: Code, batch: Batch, *, zone: str = "UTC") -> CodeRefused | None:
    """Why a real code cannot be redeemed now, in a sentence for who holds it; None when it can."""
    moment = now()
    state = code.state_on(moment)
    if state == "void":
        return CodeRefused(_("This code was withdrawn and has no value any more. Ask whoever gave it to you for another."), rule="void")
    if state == "redeemed":
        return CodeRefused(_("This code has already been used. Ask whoever gave it to you for another."), rule="used")
    if state == "expired":
        return CodeRefused(_("This code has expired. Ask whoever gave it to you for a new one."), rule="expired")
    if batch.starts_at is not None and batch.starts_at > moment:
        day = local_day(batch.starts_at, zone).isoformat()
        return CodeRefused(_("This code works from %(day)s on. Keep it and come back then.", day=day), rule="not_started")
    return None


def _take(code: Code, batch: Batch, digest: bytes, by: Actor) -> Redemption:
    """Use the code, note who did, and book the money; raises _TakenMeanwhile when somebody was faster."""
    session, channel_id = db.session(), current_channel()
    assert by.user_id is not None
    moment = now()
    if session.execute(TAKE, {"channel": channel_id, "digest": digest, "user": by.user_id, "at": moment}).one_or_none() is None:
        raise _TakenMeanwhile
    redemption_id, amount = uuid7(), Money(code.value_minor, batch.currency)
    noted = session.execute(
        NOTE,
        {
            "channel": channel_id,
            "id": redemption_id,
            "batch": batch.id,
            "code": code.id,
            "user": by.user_id,
            "amount": amount.minor,
            "currency": amount.currency,
            "most": batch.per_person,
            "at": moment,
        },
    ).one_or_none()
    if noted is None:
        raise _beyond_limit(batch, by.user_id) or _TakenMeanwhile
    wallet.credit(by.user_id, amount, source="voucher", reference_id=redemption_id, note=f"{batch.label} ····{code.last4}", by=by)
    session.add(Step(batch_id=batch.id, code_id=code.id, state="redeemed", actor_id=by.user_id, actor_name=by.name))
    audit.record("vouchers.redeem", "codes", by=by, name=f"{batch.label} ····{code.last4}", after=_facts(code, amount))
    emit(
        VoucherRedeemed(
            by=by.user_id,
            batch_id=batch.id,
            code_id=code.id,
            user_id=by.user_id,
            kind=batch.kind,
            amount_minor=amount.minor,
            currency=amount.currency,
        )
    )
    return queries.get_redemption(redemption_id)


def _beyond_limit(batch: Batch, user_id: UUID) -> CodeRefused | None:
    if batch.per_person is None or queries.times_redeemed(batch.id, user_id) < batch.per_person:
        return None
    return CodeRefused(
        _("You have used %(count)s of these codes, which is the limit for one person.", count=batch.per_person), rule="limit"
    )


def _facts(code: Code, amount: Money) -> dict[str, Any]:
    return {"code_id": code.id, "batch_id": code.batch_id, "amount_minor": amount.minor, "currency": amount.currency}


# --- guessing -------------------------------------------------------------------------------------------------------------------


def _account_key(user_id: UUID) -> str:
    return f"{current_channel()}:{user_id}"


def _address_key(address: str) -> str:
    return f"{current_channel()}:{address}"


def _count_try(user_id: UUID, address: str) -> None:
    """Count the try before it is judged, so that many at once cannot slip through; what was no guess is taken back."""
    sentence = _("Too many wrong codes. Wait an hour, or ask your academy to look at the card with you.")
    try:
        limits.hit("redeem", _account_key(user_id), most=WRONG_PER_HOUR, seconds=HOUR, sentence=sentence, fail_closed=True)
    except TooMany:
        limits.take_back("redeem", _account_key(user_id))
        raise
    # A class behind one address mistypes often, and the check symbol catches that: only codes that read well and are nobody's count here.
    if address and limits.tries("redeem-address", _address_key(address), seconds=HOUR) >= WRONG_PER_HOUR:
        limits.take_back("redeem", _account_key(user_id))
        raise TooMany(sentence, retry_after=HOUR)


def _wrong(reads_well: bool, address: str) -> UnknownCode:
    """The refusal of a code that is nobody's; the try stays counted."""
    limits.note("redeem-channel", str(current_channel()), seconds=ALARM_MINUTES * 60)
    if not reads_well:
        return UnknownCode(_("There is a typing mistake in this code. Compare it with the card, symbol by symbol."), rule="mistyped")
    if address:
        limits.note("redeem-address", _address_key(address), seconds=HOUR)
    return UnknownCode(_("We do not know this code. Check that the card is from this academy."), rule="unknown")


def watch_guesses(*, by: Actor) -> bool:
    """Announce, once an hour at most, that unusually many wrong codes are tried in this channel."""
    channel_id = current_channel()
    tries = limits.tries("redeem-channel", str(channel_id), seconds=ALARM_MINUTES * 60)
    if tries < ALARM_AT or queries.guessing_announced_since(now() - timedelta(hours=1)):
        return False
    log.warning("voucher_guessing", channel_id=str(channel_id), tries=tries, minutes=ALARM_MINUTES)
    audit.record("vouchers.guessing", "codes", by=by, after={"tries": tries, "minutes": ALARM_MINUTES})
    emit(VoucherGuessing(tries=tries, minutes=ALARM_MINUTES))
    return True
