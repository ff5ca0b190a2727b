"""Using a code: once, by one statement and its constraints, whatever the code gives; and why a real code cannot be used now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lms.channels.queries import this_channel
from lms.core import audit, db
from lms.core.clock import local_day, now
from lms.core.decisions import Actor
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.vouchers import queries
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.vouchers.events import VoucherRedeemed
from lms.vouchers.models import Batch, Code, Redemption, Step
from lms.vouchers.operations import guessing
from lms.vouchers.operations.codes import digest_of, read, read_word
from lms.vouchers.queries import Found
from lms.wallet import operations as wallet

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
    INSERT INTO vouchers.redemptions (channel_id, id, batch_id, code_id, user_id, nth, amount_minor, currency, course_id, price_minor, at)
    SELECT :channel, :id, :batch, :code, :user, coalesce(max(r.nth), 0) + 1, :amount, :currency, CAST(:course AS uuid),
        CAST(:price AS bigint), CAST(:at AS timestamptz)
    FROM vouchers.redemptions r WHERE r.channel_id = :channel AND r.batch_id = :batch AND r.user_id = :user
    HAVING CAST(:most AS bigint) IS NULL OR coalesce(max(r.nth), 0) < CAST(:most AS bigint)
    ON CONFLICT DO NOTHING RETURNING id
    """
)


class TakenMeanwhile(Exception):
    """Another redemption of this code or by this person came in between; look again."""


@dataclass(frozen=True, slots=True)
class Priced:
    """The course a coupon is used for, and its price in that moment."""

    course_id: UUID
    price: Money


def look_up(code_text: str, *, by: Actor, address: str = "") -> Found:
    """The code somebody typed or scanned; a wrong one counts against the account and the address, and raises UnknownCode."""
    assert by.user_id is not None
    guessing.count_try(by.user_id, address)
    code = read(code_text)
    word = read_word(code_text) if code is None else None
    if word is not None and guessing.words_rest():
        word = None
    found = queries.find_code(digest_of(code or word or code_text[:200]), by.user_id)
    if found is None:
        raise guessing.wrong(code is not None, address)
    guessing.take_back(by.user_id)
    return found


def refusal_of(code: Code, batch: Batch, *, by: Actor) -> CodeRefused | None:
    """Why a real code cannot be used now, in a sentence for who holds it; None when it can."""
    moment = now()
    state = code.state_on(moment)
    if state == "void":
        return CodeRefused(_("This code was withdrawn and has no value any more. Ask whoever gave it to you for another."), rule="void")
    if state == "redeemed":
        return CodeRefused(_("This code has already been used. Ask whoever gave it to you for another."), rule="used")
    if state == "expired":
        return CodeRefused(_("This code has expired. Ask whoever gave it to you for a new one."), rule="expired")
    if batch.starts_at is not None and batch.starts_at > moment:
        day = local_day(batch.starts_at, by.zone).isoformat()
        return CodeRefused(_("This code works from %(day)s on. Keep it and come back then.", day=day), rule="not_started")
    if batch.domains and by.email.rpartition("@")[2].lower() not in batch.domains:
        return CodeRefused(
            _(
                "This code is for people with an address at %(domains)s, and you are signed in as %(email)s.",
                domains=", ".join(batch.domains),
                email=by.email,
            ),
            rule="domain",
        )
    return None


def take(found: Found, *, by: Actor, amount: Money, priced: Priced | None = None) -> Redemption:
    """Use the code once for this person, in a savepoint; raises CodeRefused, or TakenMeanwhile when somebody was faster."""
    with db.session().begin_nested():
        return _take(found.code, found.batch, by, amount, priced)


def _take(code: Code, batch: Batch, by: Actor, amount: Money, priced: Priced | None) -> Redemption:
    """Use the code, note who did, and book the money."""
    session, channel_id = db.session(), current_channel()
    assert by.user_id is not None
    moment, redemption_id = now(), uuid7()
    if session.execute(TAKE, {"channel": channel_id, "digest": code.digest, "user": by.user_id, "at": moment}).one_or_none() is None:
        raise TakenMeanwhile
    values = {
        "channel": channel_id,
        "id": redemption_id,
        "batch": batch.id,
        "code": code.id,
        "user": by.user_id,
        "amount": amount.minor,
        "currency": amount.currency,
        "course": priced.course_id if priced else None,
        "price": priced.price.minor if priced else None,
        "most": batch.per_person,
        "at": moment,
    }
    if session.execute(NOTE, values).one_or_none() is None:
        raise _beyond_limit(batch, by.user_id) or TakenMeanwhile
    if batch.kind == "value":
        dating = wallet.Dating(until=batch.money_ends(moment, this_channel().zone))
        note = f"{batch.label} ····{code.last4}"
        wallet.credit(by.user_id, amount, source="voucher", reference_id=redemption_id, note=note, by=by, dating=dating)
    session.add(Step(batch_id=batch.id, code_id=code.id, state="redeemed", actor_id=by.user_id, actor_name=by.name))
    audit.record("vouchers.redeem", "codes", by=by, name=f"{batch.label} ····{code.last4}", after=_facts(code, amount, priced))
    _announce(batch, code, redemption_id, amount, by)
    return queries.get_redemption(redemption_id)


def _announce(batch: Batch, code: Code, redemption_id: UUID, amount: Money, by: Actor) -> None:
    assert by.user_id is not None
    emit(
        VoucherRedeemed(
            by=by.user_id,
            batch_id=batch.id,
            code_id=code.id,
            user_id=by.user_id,
            kind=batch.kind,
            amount_minor=amount.minor,
            currency=amount.currency,
            redemption_id=redemption_id,
            course_ids=tuple(queries.course_ids_of(batch.id)) if batch.kind == "course" or batch.is_gift else (),
        )
    )


def _beyond_limit(batch: Batch, user_id: UUID) -> CodeRefused | None:
    if batch.per_person is None or queries.times_redeemed(batch.id, user_id) < batch.per_person:
        return None
    return CodeRefused(
        _("You have used %(count)s of these codes, which is the limit for one person.", count=batch.per_person), rule="limit"
    )


def _facts(code: Code, amount: Money, priced: Priced | None) -> dict[str, Any]:
    known = {"code_id": code.id, "batch_id": code.batch_id, "amount_minor": amount.minor, "currency": amount.currency}
    return known | ({"course_id": priced.course_id, "price_minor": priced.price.minor} if priced else {})


def until_taken(attempt: Callable[[], Redemption | None]) -> Redemption:
    """Try again while others come in between; an attempt looks at everything anew."""
    for _try in range(6):
        try:
            made = attempt()
        except TakenMeanwhile:
            continue
        if made is not None:
            return made
    raise CodeRefused(_("This code is being redeemed in another place right now. Try again in a moment."), rule="busy")


def again(code_id: UUID, by: Actor) -> Found:
    """The code as it is now."""
    assert by.user_id is not None
    found = queries.find_code_by_id(code_id, by.user_id)
    if found is None:
        raise UnknownCode(_("We do not know this code. Check that the card is from this academy."), rule="unknown")
    return found


Objection = Callable[[UUID, Sequence[UUID], UUID], str]
_objections: list[Objection] = []


def objects_to_opening(ask: Objection) -> Objection:
    """Ask a function before a code of a batch opens courses to a person: a sentence refuses it, and it stays unused; "" lets it go."""
    _objections.append(ask)
    return ask


def objection(user_id: UUID, course_ids: Sequence[UUID], batch_id: UUID) -> CodeRefused | None:
    """The first objection to opening these courses to this person with a code of this batch."""
    sentences = (ask(user_id, course_ids, batch_id) for ask in _objections)
    return next((CodeRefused(sentence, rule="open_already") for sentence in sentences if sentence), None)
