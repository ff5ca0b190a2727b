"""A person's statement for a period: what the wallet held before it, every movement in it, what it held after."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select

from lms.channels.queries import this_channel
from lms.core import db
from lms.core.clock import zone
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.wallet.models import Entry, Transaction, account_id_of
from lms.wallet.queries.accounts import Line
from lms.wallet.queries.called import noted


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of a zone, the first and the last included."""

    first: date
    last: date
    zone: str

    @property
    def begin(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(), zone(self.zone))

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), zone(self.zone))


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of a period, oldest first, each with the balance after it; `count` says how many there are in all."""

    span: Span
    opening: Money
    closing: Money
    came: Money
    went: Money
    count: int
    lines: list[Line]

    @property
    def is_whole(self) -> bool:
        """Whether every line of the period is here."""
        return self.count == len(self.lines)


def end_of(day: date, zone_name: str) -> datetime:
    """The first moment after a day of a zone."""
    return Span(day, day, zone_name).end


def statement_between(user_id: UUID, span: Span, *, most: int, currency: str | None = None) -> Statement:
    """A person's statement for some days, with at most so many of its lines; opening + came - went = closing. Two queries."""
    currency = currency or this_channel().currency
    account_id = account_id_of(current_channel(), "student", user_id, currency)
    amount, inside = Entry.amount_minor, Entry.at >= span.begin
    before, came, went, count = (
        db.session()
        .execute(
            select(
                func.coalesce(func.sum(amount).filter(~inside), 0),
                func.coalesce(func.sum(amount).filter(inside, amount > 0), 0),
                func.coalesce(func.sum(-amount).filter(inside, amount < 0), 0),
                func.count().filter(inside),
            ).where(Entry.account_id == account_id, Entry.at < span.end)
        )
        .one()
    )
    opening = Money(int(before), currency)
    lines = list(_with_balances(_moves(account_id, span).limit(most), opening))
    into, out = Money(int(came), currency), Money(int(went), currency)
    return Statement(span, opening, opening + into - out, into, out, count, lines)


def _moves(account_id: UUID, span: Span) -> Select[Entry, Transaction, str]:
    """The movements of an account in the order they count: by their date, then as they were booked."""
    return (
        select(Entry, Transaction, noted())
        .join(Transaction, Transaction.id == Entry.transaction_id)
        .where(Entry.account_id == account_id, Entry.at >= span.begin, Entry.at < span.end)
        .order_by(Entry.at, Entry.position)
    )


def _with_balances(query: Select[Entry, Transaction, str], opening: Money) -> Iterator[Line]:
    """The lines with the balance after each by its date; what was booked with an earlier date stands at that date."""
    held = opening
    for entry, transaction, note in db.session().execute(query):
        amount = Money(entry.amount_minor, transaction.currency)
        held = held + amount
        yield Line(
            position=entry.position or 0,
            at=entry.at,
            source=transaction.source,
            reference_id=transaction.reference_id,
            note=note,
            amount=amount,
            balance=held,
            transaction_id=transaction.id,
        )
