"""Moving money: one statement writes a transaction with all its legs; the database keeps the books right.

A move is named by what caused it (`source`, `reference_id`): done again it changes nothing and answers the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from lms.channels.queries import this_channel
from lms.core import audit, db
from lms.core.clock import local_day, now
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.wallet import queries
from lms.wallet.errors import NotEnough, OtherMove
from lms.wallet.events import WalletCredited, WalletDebited
from lms.wallet.models import HOUSE, account_id_of
from lms.wallet.queries import Due


@dataclass(frozen=True, slots=True)
class Leg:
    """What one account gets (or gives, below zero): a person's wallet, or one of the channel's own accounts."""

    kind: str
    amount_minor: int
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A transaction of the ledger; `is_new` is false when the same move had been made before."""

    transaction_id: UUID
    is_new: bool


# The legs are inserted in the order of their accounts' ids, and the trigger takes each wallet's row as it goes: two moves over the same
# wallets meet in one order and cannot wait for each other. What this snapshot already knows to be too little is not tried.
MOST_TURNS = 5  # looks at a wallet that others move and empty in the same moment
POST = text(
    """
    WITH legs AS (
        SELECT a.id AS account_id, l.id, l.amount, a.balance_minor + l.amount AS after, a.dated_minor
        FROM unnest(CAST(:ids AS uuid[]), CAST(:accounts AS uuid[]), CAST(:amounts AS bigint[])) AS l (id, account_id, amount)
        JOIN wallet.accounts a ON a.channel_id = :channel AND a.id = l.account_id AND a.currency = :currency),
    made AS (
        INSERT INTO wallet.transactions
            (channel_id, id, source, reference_id, currency, note, actor_id, actor_kind, at, mirrors_id, money_until)
        SELECT :channel, :id, :source, :reference, :currency, :note, :actor, :actor_kind, :at, CAST(:mirrors AS uuid),
            CAST(:until AS timestamptz)
        WHERE (SELECT count(*) FROM legs) = cardinality(CAST(:ids AS uuid[]))
            AND NOT EXISTS (SELECT 1 FROM legs WHERE after < 0 AND amount < 0)
            AND (:source = 'expiry' OR NOT EXISTS (SELECT 1 FROM legs JOIN wallet.lots o ON o.channel_id = :channel
                AND o.account_id = legs.account_id AND o.left_minor > 0 AND o.expires_at <= clock_timestamp()
                WHERE legs.amount < 0 AND legs.dated_minor > 0))
        ON CONFLICT (channel_id, source, reference_id) DO NOTHING RETURNING id)
    INSERT INTO wallet.entries (channel_id, id, transaction_id, account_id, amount_minor)
    SELECT :channel, legs.id, made.id, legs.account_id, legs.amount FROM made, legs ORDER BY legs.account_id
    RETURNING transaction_id
    """
)
OPEN = text(
    "INSERT INTO wallet.accounts (channel_id, id, kind, user_id, currency)"
    " VALUES (:channel, :id, :kind, :user, :currency) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Dating:
    """What a move says about the dates of money: it lasts `until`; or it is the money of the transaction it `mirrors`, with its dates.

    Both: what of the mirrored money has expired meanwhile comes back under the new date.
    """

    until: datetime | None = None
    mirrors: UUID | None = None


UNDATED = Dating()


def credit(
    user_id: UUID,
    amount: Money,
    *,
    source: str,
    reference_id: UUID,
    note: str = "",
    by: Actor,
    at: datetime | None = None,
    dating: Dating = UNDATED,
) -> UUID:
    """Put money into a person's wallet and return the transaction's id; the same reference twice moves it once."""
    _must_be_positive(amount)
    legs = (Leg("student", amount.minor, user_id), Leg(HOUSE[source], -amount.minor))
    posted = post(legs, amount.currency, source=source, reference_id=reference_id, note=note, by=by, at=at, dating=dating)
    if posted.is_new:
        emit(
            WalletCredited(
                by=by.user_id,
                user_id=user_id,
                amount_minor=amount.minor,
                currency=amount.currency,
                source=source,
                reference_id=reference_id,
            )
        )
    return posted.transaction_id


def debit(
    user_id: UUID,
    amount: Money,
    *,
    source: str,
    reference_id: UUID,
    note: str = "",
    by: Actor,
    at: datetime | None = None,
    dating: Dating = UNDATED,
) -> UUID:
    """Take money out of a person's wallet and return the transaction's id; raises NotEnough, and nothing moves, when it holds less.

    The money that expires first goes first; what has expired goes to the expired account before anything is spent.
    """
    _must_be_positive(amount)
    legs = (Leg("student", -amount.minor, user_id), Leg(HOUSE[source], amount.minor))
    posted = post(legs, amount.currency, source=source, reference_id=reference_id, note=note, by=by, at=at, dating=dating)
    if posted.is_new:
        emit(
            WalletDebited(
                by=by.user_id,
                user_id=user_id,
                amount_minor=amount.minor,
                currency=amount.currency,
                source=source,
                reference_id=reference_id,
            )
        )
    return posted.transaction_id


def post(
    legs: Sequence[Leg],
    currency: str,
    *,
    source: str,
    reference_id: UUID,
    note: str = "",
    by: Actor,
    at: datetime | None = None,
    dating: Dating = UNDATED,
) -> Posted:
    """Write one transaction of two or more legs that sum to zero; raises NotEnough when a person's wallet would go below zero."""
    if len(legs) < 2 or sum(leg.amount_minor for leg in legs) != 0 or any(leg.amount_minor == 0 for leg in legs):
        raise ValueError("a transaction has two legs or more, none of them zero, and they sum to zero")
    accounts = [account_id_of(current_channel(), leg.kind, leg.user_id, currency) for leg in legs]
    values = {
        "channel": current_channel(),
        "id": uuid7(),
        "ids": [uuid7() for _leg in legs],
        "accounts": accounts,
        "amounts": [leg.amount_minor for leg in legs],
        "currency": currency,
        "source": source,
        "reference": reference_id,
        "note": note,
        "actor": by.user_id,
        "actor_kind": by.kind,
        "at": at or now(),
        "mirrors": dating.mirrors,
        "until": dating.until,
    }
    if _write(values, legs, by) or _write_after_all(values, legs, by):
        return _noted(values, legs, by)
    before = queries.find_transaction(source, reference_id)
    if before is None:
        raise _not_enough(legs, currency, by)
    return _same_move(before, accounts, legs)


def _write_after_all(values: dict[str, Any], legs: Sequence[Leg], by: Actor) -> bool:
    """Whether it could be written with its accounts opened and what had expired booked; not when it was written before."""
    for _turn in range(MOST_TURNS):
        if queries.find_transaction(values["source"], values["reference"]) is not None:
            return False
        something_was_due = _make_ready(values["accounts"], legs, values["currency"])
        # In any case once more: another may have opened the account, or booked what had expired, between the two looks.
        if _write(values, legs, by):
            return True
        if not something_was_due:
            return False
    return False


def _make_ready(accounts: Sequence[UUID], legs: Sequence[Leg], currency: str) -> bool:
    """Open the accounts that are not there yet, and book what has expired in the wallets that pay; whether there was any such money."""
    _open_accounts(current_channel(), accounts, legs, currency)
    paying = [account_id for account_id, leg in zip(accounts, legs, strict=True) if leg.user_id is not None and leg.amount_minor < 0]
    due = queries.due_money(paying) if paying else []
    for one in due:
        let_expire(one)  # may find that the wallet moved in between: the next turn sees what is due then
    return bool(due)


def let_expire(due: Due) -> bool:
    """Book what has expired in a wallet to the channel's expired account, once; False when another did it meanwhile.

    The reference follows from how often the wallet has moved: two at once book the same transaction, and only one of them does.
    """
    reference = uuid5(due.account_id, f"expiry:{due.moves}")
    note = _("Valid until %(day)s", day=local_day(due.until - timedelta(seconds=1), this_channel().zone).isoformat())
    try:
        with db.session().begin_nested():
            debit(due.user_id, due.amount, source="expiry", reference_id=reference, note=note, by=the_platform(current_channel()))
    except (OtherMove, NotEnough):
        return False  # moved in between: whoever looks again sees what is due now
    except IntegrityError as error:
        if _constraint_of(error) != "ck_lots_due":
            raise
        return False  # it has got a later date in between
    return True


def _noted(values: dict[str, Any], legs: Sequence[Leg], by: Actor) -> Posted:
    """The new transaction, with its row in the audit."""
    audit.record(
        f"wallet.{values['source']}",
        "transactions",
        by=by,
        after={
            "transaction_id": values["id"],
            "reference_id": values["reference"],
            "currency": values["currency"],
            "legs": [_leg_of(leg) for leg in legs],
        },
    )
    return Posted(values["id"], True)


def _write(values: dict[str, Any], legs: Sequence[Leg], by: Actor) -> bool:
    """Whether the transaction was written; a wallet emptied in the same moment by another is refused by the database."""
    try:
        return len(db.session().execute(POST, values).all()) == len(legs)
    except IntegrityError as error:
        if _constraint_of(error) == "ck_accounts_balance":
            raise NotEnough(
                _("The wallet does not hold enough for this any more. Look at its balance and try again."), rule="balance"
            ) from error
        raise


def _constraint_of(error: IntegrityError) -> str:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""


def _open_accounts(channel_id: UUID, accounts: Sequence[UUID], legs: Sequence[Leg], currency: str) -> None:
    """Open the accounts that are not there yet."""
    missing = set(accounts) - queries.known_accounts(accounts)
    for account_id, leg in zip(accounts, legs, strict=True):
        if account_id in missing:
            db.session().execute(
                OPEN, {"channel": channel_id, "id": account_id, "kind": leg.kind, "user": leg.user_id, "currency": currency}
            )


def _same_move(transaction_id: UUID, accounts: Sequence[UUID], legs: Sequence[Leg]) -> Posted:
    """The move made before under this reference, when it is the same one."""
    wanted = {account_id: leg.amount_minor for account_id, leg in zip(accounts, legs, strict=True)}
    if queries.legs_of(transaction_id) != wanted:
        raise OtherMove(_("This has already been booked with another amount. Reload the page to see it."), rule="reference")
    return Posted(transaction_id, False)


def _not_enough(legs: Sequence[Leg], currency: str, by: Actor) -> NotEnough:
    for leg in legs:
        if leg.user_id is None or leg.amount_minor >= 0:
            continue
        has = queries.balance_of(leg.user_id, currency)
        if has.minor + leg.amount_minor < 0:
            needs = Money(-leg.amount_minor, currency)
            return NotEnough(
                _(
                    "This costs %(price)s and the wallet holds %(balance)s. Redeem a voucher to add the missing %(missing)s.",
                    price=needs.format(by.locale),
                    balance=has.format(by.locale),
                    missing=(needs - has).format(by.locale),
                ),
                rule="balance",
            )
    return NotEnough(_("The wallet does not hold enough for this."), rule="balance")


def _must_be_positive(amount: Money) -> None:
    if amount.minor <= 0:
        raise Invalid(_("The amount must be more than zero."))


def _leg_of(leg: Leg) -> dict[str, Any]:
    return {"kind": leg.kind, "user_id": leg.user_id, "amount_minor": leg.amount_minor}
