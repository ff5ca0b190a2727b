"""Door 3: my wallet, people's wallets at any moment, statements, the ledger, adjustments, the reading of the books."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from flask import Blueprint, url_for
from pydantic import AfterValidator, Field, model_validator

from lms.channels.queries import get_member
from lms.core.clock import now
from lms.core.money import Money
from lms.wallet import jobs, operations, policies, queries
from lms.wallet.operations.checking import PATIENCE
from lms.wallet.queries import Span
from lms.wallet.reports import Accounts, Adjustments, Entries, Transactions, Wallets
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Moment, Query, Rows, answer_rows, endpoint, located

bp = Blueprint("wallet_api", __name__, url_prefix="/api/v1/wallet")
MOST = 10_000


def _near(day: date) -> date:
    if not 2000 <= day.year <= 2200:
        raise ValueError("This day lies too far away.")
    return day


Day = Annotated[date, AfterValidator(_near)]


class WalletQuery(Query):
    """At which moment; without one, now."""

    at: Moment | None = None


class WalletAnswer(Answer):
    """What a person's wallet holds, or held at the moment asked for."""

    user_id: UUID
    balance: Amount


class PeriodQuery(Query):
    """Whole days, the first and the last included, in the zone of who asks."""

    first: Day
    last: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError("The last day lies before the first.")
        return self


class StatementQuery(Query):
    """Which page of a statement: the lines before a position."""

    before: Annotated[int, Field(ge=1, le=2**53)] | None = None
    size: Annotated[int, Field(ge=1, le=200)] = 50


class StatementLine(Answer):
    """What moved, why, and what the wallet held after it."""

    position: int
    at: datetime
    source: str
    reference_id: UUID
    note: str
    amount: Amount
    balance: Amount
    transaction_id: UUID


class Statement(Answer):
    """The lines of a wallet, newest first; `before` is what to ask for the next page with, null at the end."""

    rows: list[StatementLine]
    before: int | None


class PeriodStatement(Answer):
    """A statement: opening + came - went = closing; the rows oldest first, at most 10,000 of the `count` there are."""

    first: date
    last: date
    zone: str
    opening: Amount
    came: Amount
    went: Amount
    closing: Amount
    count: int
    rows: list[StatementLine]


class NewAdjustment(Body):
    """Whose wallet, how much (below zero: take out), and why; `id` makes sending it twice harmless."""

    id: UUID | None = None
    user_id: UUID
    amount: Amount
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Word(Body):
    """A word on a decision; whoever asked reads it."""

    word: Annotated[str, Field(max_length=500)] = ""


class AdjustmentAnswer(Answer):
    """An adjustment: `waiting` for another admin, `booked`, `refused` or `withdrawn`."""

    id: UUID
    user_id: UUID
    amount: Amount
    reason: str
    state: str
    needs_second: bool
    requested_by: UUID | None
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    word: str


class DifferenceAnswer(Answer):
    """Something that does not agree."""

    subject: str
    sentence: str
    found_at: datetime


class BooksAnswer(Answer):
    """What the last reading of the books found; `is_waiting`: another one is under way."""

    is_waiting: bool
    read_at: datetime | None
    differences: list[DifferenceAnswer]


class LegAnswer(Answer):
    """What one account got, or gave (below zero)."""

    account_id: UUID
    kind: str
    user_id: UUID | None
    amount: Amount


class TransactionAnswer(Answer):
    """One transaction: its cause and its legs, which sum to zero; `seal` is its link in the chain."""

    id: UUID
    source: str
    reference_id: UUID
    note: str
    at: datetime
    legs: list[LegAnswer]
    seal: int | None


@bp.get("")
@endpoint()
def index(query: WalletQuery) -> WalletAnswer:
    """What I hold, or held."""
    allow(policies.can_see_own(actor()))
    return _wallet(_me(), query)


@bp.get("/statement")
@endpoint()
def statement(query: StatementQuery) -> Statement:
    """Every movement of my wallet."""
    allow(policies.can_see_own(actor()))
    return _statement(_me(), query)


@bp.get("/statement/period")
@endpoint()
def statement_period(query: PeriodQuery) -> PeriodStatement:
    """My statement for some days."""
    allow(policies.can_see_own(actor()))
    return _period(_me(), query)


@bp.get("/people/<uuid:user_id>")
@endpoint()
def people_show(user_id: UUID, query: WalletQuery) -> WalletAnswer:
    """What a person holds, or held."""
    member = get_member(user_id)
    allow(policies.can_see_wallet(actor(), member.id))
    return _wallet(member.id, query)


@bp.get("/people/<uuid:user_id>/statement")
@endpoint()
def people_statement(user_id: UUID, query: StatementQuery) -> Statement:
    """Every movement of a person's wallet."""
    member = get_member(user_id)
    allow(policies.can_see_wallet(actor(), member.id))
    return _statement(member.id, query)


@bp.get("/people/<uuid:user_id>/statement/period")
@endpoint()
def people_statement_period(user_id: UUID, query: PeriodQuery) -> PeriodStatement:
    """A person's statement for some days."""
    member = get_member(user_id)
    allow(policies.can_see_wallet(actor(), member.id))
    return _period(member.id, query)


@bp.get("/accounts")
@endpoint(lists=Accounts)
def accounts() -> Rows:
    """Every account, people's and the academy's own."""
    allow(policies.can_see_ledger(actor()))
    return answer_rows(Accounts())


@bp.get("/transactions")
@endpoint(lists=Transactions)
def transactions() -> Rows:
    """What moved, transaction by transaction."""
    allow(policies.can_see_ledger(actor()))
    return answer_rows(Transactions())


@bp.get("/wallets")
@endpoint(lists=Wallets)
def wallets() -> Rows:
    """The wallets of people."""
    allow(policies.can_see_ledger(actor()))
    return answer_rows(Wallets())


@bp.get("/entries")
@endpoint(lists=Entries)
def entries() -> Rows:
    """The ledger, entry by entry."""
    allow(policies.can_see_ledger(actor()))
    return answer_rows(Entries())


@bp.get("/transactions/<uuid:transaction_id>")
@endpoint()
def transactions_show(transaction_id: UUID) -> TransactionAnswer:
    """One transaction with its legs."""
    found = queries.get_transaction(transaction_id)
    allow(policies.can_see_ledger(actor()))
    legs = [
        LegAnswer(
            account_id=leg.account.id,
            kind=leg.account.kind,
            user_id=leg.account.user_id,
            amount=Amount(minor=leg.entry.amount_minor, currency=leg.account.currency),
        )
        for leg in found.legs
    ]
    row = found.transaction
    return TransactionAnswer(
        id=row.id, source=row.source, reference_id=row.reference_id, note=row.note, at=row.at, legs=legs, seal=found.seal
    )


@bp.get("/adjustments")
@endpoint(lists=Adjustments)
def adjustments() -> Rows:
    """What was put in and taken out by hand, and what waits."""
    allow(policies.can_adjust(actor()))
    return answer_rows(Adjustments())


@bp.post("/adjustments")
@endpoint(status=201, money=True)
def adjustments_create(body: NewAdjustment) -> AdjustmentAnswer:
    """Adjust a wallet: booked at once, or waiting for another admin above the limit."""
    allow(policies.can_adjust(actor()))
    amount = Money(body.amount.minor, body.amount.currency)
    made = operations.request_adjustment(body.user_id, amount, body.reason, adjustment_id=body.id, by=actor())
    located(url_for(".adjustments_show", adjustment_id=made.id))
    return AdjustmentAnswer.model_validate(made)


@bp.get("/adjustments/<uuid:adjustment_id>")
@endpoint()
def adjustments_show(adjustment_id: UUID) -> AdjustmentAnswer:
    """One adjustment."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_adjust(actor()))
    return AdjustmentAnswer.model_validate(adjustment)


@bp.post("/adjustments/<uuid:adjustment_id>/approve")
@endpoint(money=True)
def adjustments_approve(adjustment_id: UUID, body: Word) -> AdjustmentAnswer:
    """Book a waiting adjustment, as the second person."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_decide(actor(), adjustment.requested_by))
    operations.approve_adjustment(adjustment, word=body.word, by=actor())
    return AdjustmentAnswer.model_validate(adjustment)


@bp.post("/adjustments/<uuid:adjustment_id>/refuse")
@endpoint(money=True)
def adjustments_refuse(adjustment_id: UUID, body: Word) -> AdjustmentAnswer:
    """Refuse a waiting adjustment, with a word to who asked."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_decide(actor(), adjustment.requested_by))
    operations.refuse_adjustment(adjustment, word=body.word, by=actor())
    return AdjustmentAnswer.model_validate(adjustment)


@bp.post("/adjustments/<uuid:adjustment_id>/withdraw")
@endpoint(money=True)
def adjustments_withdraw(adjustment_id: UUID) -> AdjustmentAnswer:
    """Take back what one asked for oneself."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_withdraw(actor(), adjustment.requested_by))
    operations.withdraw_adjustment(adjustment, by=actor())
    return AdjustmentAnswer.model_validate(adjustment)


@bp.get("/books")
@endpoint()
def books() -> BooksAnswer:
    """Whether the books agreed when they were last read."""
    allow(policies.can_see_ledger(actor()))
    return _books()


@bp.post("/books")
@endpoint(status=202)
def books_create() -> BooksAnswer:
    """Have the books read again; ask for the outcome in a moment."""
    allow(policies.can_see_ledger(actor()))
    reading, is_new = operations.ask_for_reading(by=actor())
    if is_new:
        jobs.check_books_now.put({"reading_id": reading.id}, key=f"books:{reading.id}")
    return _books()


def _books() -> BooksAnswer:
    last = queries.last_reading()
    return BooksAnswer(
        is_waiting=queries.waiting_reading(since=now() - PATIENCE) is not None,
        read_at=last.done_at if last else None,
        differences=[DifferenceAnswer.model_validate(one) for one in queries.open_differences()],
    )


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _wallet(user_id: UUID, query: WalletQuery) -> WalletAnswer:
    held = queries.balance_of(user_id) if query.at is None else queries.balance_at(user_id, query.at)
    return WalletAnswer(user_id=user_id, balance=Amount.model_validate(held))


def _period(user_id: UUID, query: PeriodQuery) -> PeriodStatement:
    found = queries.statement_between(user_id, Span(query.first, query.last, actor().zone), most=MOST)
    amounts: dict[str, Any] = {name: Amount.model_validate(getattr(found, name)) for name in ("opening", "came", "went", "closing")}
    rows = [StatementLine.model_validate(line) for line in found.lines]
    return PeriodStatement(first=query.first, last=query.last, zone=actor().zone, count=found.count, rows=rows, **amounts)


def _statement(user_id: UUID, query: StatementQuery) -> Statement:
    lines = queries.statement_of(user_id, limit=query.size + 1, before=query.before)
    shown = lines[: query.size]
    return Statement(
        rows=[StatementLine.model_validate(line) for line in shown], before=shown[-1].position if len(lines) > query.size else None
    )
