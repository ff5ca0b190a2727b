"""Accounts, balances, and transactions with their legs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from lms.channels.queries import this_channel
from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.wallet.models import KINDS, Account, Entry, Seal, Transaction, account_id_of
from lms.wallet.queries.called import called, noted


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a person's statement: what moved, why, and what the wallet held after it."""

    position: int
    at: datetime
    source: str
    reference_id: UUID
    note: str
    amount: Money
    balance: Money
    transaction_id: UUID


def get_account(account_id: UUID) -> Account:
    """One account of this channel."""
    found = db.session().scalars(select(Account).where(Account.id == account_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such account here."))
    return found


def balance_of(user_id: UUID, currency: str | None = None) -> Money:
    """What a person's wallet holds now, in the channel's currency unless another is named; zero before the first move."""
    currency = currency or this_channel().currency
    account_id = account_id_of(current_channel(), "student", user_id, currency)
    return Money(db.session().scalar(select(Account.balance_minor).where(Account.id == account_id)) or 0, currency)


def balance_at(user_id: UUID, moment: datetime, currency: str | None = None) -> Money:
    """What a person's wallet held at a moment, that moment included."""
    currency = currency or this_channel().currency
    account_id = account_id_of(current_channel(), "student", user_id, currency)
    total = db.session().scalar(select(func.sum(Entry.amount_minor)).where(Entry.account_id == account_id, Entry.at <= moment))
    return Money(int(total or 0), currency)


def statement_of(user_id: UUID, *, limit: int = 50, before: int | None = None, currency: str | None = None) -> list[Line]:
    """The lines of a person's wallet, newest first; `before` is the position the page before ended at."""
    currency = currency or this_channel().currency
    account_id = account_id_of(current_channel(), "student", user_id, currency)
    query = (
        select(Entry, Transaction, noted())
        .join(Transaction, Transaction.id == Entry.transaction_id)
        .where(Entry.account_id == account_id)
        .order_by(Entry.position.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Entry.position < before)
    return [_line(*found) for found in db.session().execute(query)]


def _line(entry: Entry, transaction: Transaction, note: str) -> Line:
    return Line(
        position=entry.position or 0,
        at=entry.at,
        source=transaction.source,
        reference_id=transaction.reference_id,
        note=note,
        amount=Money(entry.amount_minor, transaction.currency),
        balance=Money(entry.balance_after or 0, transaction.currency),
        transaction_id=transaction.id,
    )


def find_transaction(source: str, reference_id: UUID) -> UUID | None:
    """The id of the transaction that something caused, if it has moved money."""
    return db.session().scalar(select(Transaction.id).where(Transaction.source == source, Transaction.reference_id == reference_id))


def legs_of(transaction_id: UUID) -> dict[UUID, int]:
    """What a transaction gave to each account."""
    rows = db.session().execute(select(Entry.account_id, Entry.amount_minor).where(Entry.transaction_id == transaction_id))
    return {row.account_id: row.amount_minor for row in rows}


def known_accounts(account_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these accounts are open."""
    return set(db.session().scalars(select(Account.id).where(Account.id.in_(account_ids))))


def house_balance(kind: str, currency: str) -> Money:
    """What one of the channel's own accounts adds up to; vouchers stand below zero by what was redeemed."""
    account_id = account_id_of(current_channel(), kind, None, currency)
    total = db.session().scalar(select(func.sum(Entry.amount_minor)).where(Entry.account_id == account_id))
    return Money(int(total or 0), currency)


def moved_by(source: str, references: Sequence[UUID]) -> int:
    """How many of these references have moved money."""
    return db.session().scalar(select(func.count()).where(Transaction.source == source, Transaction.reference_id.in_(references))) or 0


@dataclass(frozen=True, slots=True)
class LegOf:
    """One entry with its account."""

    entry: Entry
    account: Account


@dataclass(frozen=True, slots=True)
class Booked:
    """One transaction with its legs, the number of its link in the chain when it is sealed, and what its cause is called."""

    transaction: Transaction
    legs: list[LegOf]
    seal: int | None
    note: str
    called: str


def get_transaction(transaction_id: UUID) -> Booked:
    """One transaction with its legs and accounts, its place in the chain, and what its cause is called."""
    found = db.session().execute(select(Transaction, noted(), called()).where(Transaction.id == transaction_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such transaction here."))
    transaction, note, name = found
    legs = db.session().execute(
        select(Entry, Account)
        .join(Account, Account.id == Entry.account_id)
        .where(Entry.transaction_id == transaction_id)
        .order_by(Entry.amount_minor)
    )
    seal = db.session().scalar(select(Seal.seq).where(Seal.transaction_id == transaction_id))
    return Booked(transaction, [LegOf(entry, account) for entry, account in legs], seal, note, name or "")


def sums() -> list[tuple[str, Money]]:
    """What each kind of account adds up to, by currency: (kind, amount), in the order of the kinds."""
    rows = db.session().execute(
        select(Account.kind, Account.currency, func.sum(Entry.amount_minor).label("total"))
        .join(Entry, Entry.account_id == Account.id)
        .group_by(Account.kind, Account.currency)
    )
    return sorted(
        ((row.kind, Money(int(row.total), row.currency)) for row in rows), key=lambda item: (item[1].currency, KINDS.index(item[0]))
    )
