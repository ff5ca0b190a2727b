"""Money with a date: what a wallet holds until when, what is due, who is to be warned, and where money of a refund comes back to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, Select, func, literal, select, text

from lms.channels.queries import this_channel
from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.wallet.models import Account, Lot, LotMove, Transaction, account_id_of

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """What has expired in one wallet and is not booked yet, and how often the wallet has moved so far."""

    account_id: UUID
    user_id: UUID
    amount: Money
    until: datetime
    moves: int


@dataclass(frozen=True, slots=True)
class Dated:
    """Money of a wallet that lasts until a moment."""

    amount: Money
    until: datetime

    @property
    def last(self) -> datetime:
        """The last moment at which it can be spent."""
        return self.until - SECOND


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what a refund gives back: without a date, or into a lot that lasts until a moment, which may be past."""

    amount: Money
    until: datetime | None = None
    is_past: bool = False

    @property
    def last(self) -> datetime | None:
        """The last moment at which it can be spent, or could."""
        return self.until - SECOND if self.until else None


@dataclass(frozen=True, slots=True)
class Ending:
    """Money whose owner is to be warned: that it ends within so many days."""

    lot_ids: list[UUID]
    user_id: UUID
    amount: Money
    until: datetime


def get_lot(lot_id: UUID) -> Lot:
    """One lot."""
    found = db.session().scalars(select(Lot).where(Lot.id == lot_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such money with a date here."))
    return found


def lock_lot(lot_id: UUID) -> Lot:
    """The same, locked and as it is now."""
    query = select(Lot).where(Lot.id == lot_id).with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no such money with a date here."))
    return found


def lots_of(account_id: UUID) -> Sequence[Lot]:
    """What is left of an account's money with a date, the first to expire first."""
    query = select(Lot).where(Lot.account_id == account_id, Lot.left_minor > 0).order_by(Lot.expires_at, Lot.id)
    return db.session().scalars(query).all()


@dataclass(frozen=True, slots=True)
class Moved:
    """What one transaction put into a lot, or took out of it."""

    transaction_id: UUID
    source: str
    at: datetime
    amount: Money


def moves_of(lot: Lot, currency: str, *, most: int = 100) -> list[Moved]:
    """What moved a lot, the oldest first."""
    query = (
        select(LotMove.transaction_id, Transaction.source, Transaction.at, LotMove.amount_minor)
        .join(Transaction, Transaction.id == LotMove.transaction_id)
        .where(LotMove.lot_id == lot.id)
        .order_by(Transaction.at, Transaction.id)
        .limit(most)
    )
    return [Moved(row.transaction_id, row.source, row.at, Money(row.amount_minor, currency)) for row in db.session().execute(query)]


def dated_of(user_id: UUID, currency: str | None = None) -> list[Dated]:
    """How much of a person's wallet lasts until when, the first to expire first; what is not here has no date."""
    currency = currency or this_channel().currency
    account_id = account_id_of(current_channel(), "student", user_id, currency)
    query = (
        select(Lot.expires_at, func.sum(Lot.left_minor).label("held"))
        .where(Lot.account_id == account_id, Lot.left_minor > 0)
        .group_by(Lot.expires_at)
        .order_by(Lot.expires_at)
    )
    return [Dated(Money(int(row.held), currency), row.expires_at) for row in db.session().execute(query)]


def due_money(account_ids: Sequence[UUID] | None = None, *, most: int = 500) -> list[Due]:
    """What has expired by the database's clock and is still in wallets, wallet by wallet."""
    query = (
        select(Account.id, Account.user_id, Account.currency, Account.moves, func.sum(Lot.left_minor), func.max(Lot.expires_at))
        .join(Lot, Lot.account_id == Account.id)
        .where(Lot.left_minor > 0, Lot.expires_at <= func.clock_timestamp())
        .group_by(Account.id, Account.user_id, Account.currency, Account.moves)
        .limit(most)
    )
    if account_ids is not None:
        query = query.where(Account.id.in_(account_ids))
    rows = db.session().execute(query)
    return [
        Due(account, user, Money(int(minor), currency), until, moves)
        for account, user, currency, moves, minor, until in rows
        if user is not None
    ]


ENDING = text(
    """
    SELECT array_agg(l.id) AS lots, a.user_id, a.currency, sum(l.left_minor) AS held, l.expires_at
    FROM wallet.lots l JOIN wallet.accounts a ON a.channel_id = l.channel_id AND a.id = l.account_id
    WHERE l.left_minor > 0 AND l.expires_at > clock_timestamp() AND l.expires_at <= clock_timestamp() + :days * interval '1 day'
        AND (l.warned_days IS NULL OR l.warned_days > :days)
    GROUP BY a.user_id, a.currency, l.expires_at ORDER BY l.expires_at LIMIT :most
    """
)


def money_ending(days: int, *, most: int = 500) -> list[Ending]:
    """Money that ends within so many days and whose owner has not been told so yet."""
    rows = db.session().execute(ENDING, {"days": days, "most": most})
    return [Ending(list(row.lots), row.user_id, Money(int(row.held), row.currency), row.expires_at) for row in rows]


# The same order in which the database gives back (wallet.fill_lots): money without a date first, then what expires last.
OWED = text(
    """
    WITH family AS (
        SELECT CAST(:moved AS uuid) AS id
        UNION SELECT t.id FROM wallet.transactions t WHERE t.channel_id = :channel AND t.mirrors_id = :moved
        UNION SELECT u.id FROM wallet.transactions t JOIN wallet.transactions u ON u.channel_id = t.channel_id AND u.mirrors_id = t.id
            WHERE t.channel_id = :channel AND t.mirrors_id = :moved),
    moves AS (
        SELECT CASE WHEN EXISTS (SELECT 1 FROM wallet.lot_moves o WHERE o.channel_id = :channel AND o.lot_id = w.id
                AND o.transaction_id = :moved) THEN w.id ELSE coalesce(w.from_lot_id, w.id) END AS id, m.amount_minor
        FROM wallet.lot_moves m JOIN wallet.lots w ON w.channel_id = m.channel_id AND w.id = m.lot_id
        WHERE m.channel_id = :channel AND w.account_id = :account AND m.transaction_id IN (SELECT id FROM family))
    SELECT CAST(NULL AS timestamptz) AS until, false AS is_past, (SELECT coalesce(-sum(e.amount_minor), 0) FROM wallet.entries e
        WHERE e.channel_id = :channel AND e.account_id = :account AND e.transaction_id IN (SELECT id FROM family))
        + (SELECT coalesce(sum(amount_minor), 0) FROM moves) AS owed
    UNION ALL
    SELECT l.expires_at, l.expires_at <= clock_timestamp(), s.owed
    FROM (SELECT id, -sum(amount_minor) AS owed FROM moves GROUP BY id) s JOIN wallet.lots l ON l.channel_id = :channel AND l.id = s.id
    WHERE s.owed > 0 ORDER BY until DESC NULLS FIRST
    """
)


def shares_back(transaction_id: UUID, user_id: UUID, amount: Money) -> list[Share]:
    """Where an amount comes back to when a purchase is refunded: the last money spent comes back first."""
    account_id = account_id_of(current_channel(), "student", user_id, amount.currency)
    values = {"moved": transaction_id, "channel": current_channel(), "account": account_id}
    rest, found = amount.minor, []
    for row in db.session().execute(OWED, values):
        part = min(rest, max(int(row.owed), 0))
        if part:
            found.append(Share(Money(part, amount.currency), row.until, row.is_past))
            rest -= part
    return found + ([Share(Money(rest, amount.currency))] if rest else [])


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What money with a date became: came in = still held + expired + spent (whatever was spent and came back is not spent)."""

    came: Money
    held: Money
    expired: Money

    @property
    def spent(self) -> Money:
        """What was used, and not given back."""
        return self.came - self.held - self.expired


def afterwards(references: Select[UUID], currency: str) -> Afterwards:
    """What became of the money with a date that redemptions brought, by the ledger; told apart only where it has a date."""
    brought = (
        select(Lot.id, Lot.amount_minor, Lot.left_minor)
        .join(Transaction, Transaction.id == Lot.transaction_id)
        .where(Transaction.source == "voucher", Transaction.reference_id.in_(references))
        .cte("came", recursive=True)
    )
    again = select(Lot.id, literal(0, BigInteger), Lot.left_minor).join(brought, Lot.from_lot_id == brought.c.id)
    came = brought.union_all(again)
    expired = (
        select(func.coalesce(-func.sum(LotMove.amount_minor), 0))
        .join(Transaction, Transaction.id == LotMove.transaction_id)
        .where(LotMove.lot_id.in_(select(came.c.id)), Transaction.source == "expiry")
        .scalar_subquery()
    )
    sums = select(func.coalesce(func.sum(came.c.amount_minor), 0), func.coalesce(func.sum(came.c.left_minor), 0), expired)
    row = db.session().execute(sums).one()
    brought_in, held, gone = (Money(int(value), currency) for value in row)
    return Afterwards(brought_in, held, gone)
