"""Wallets: mine and those of people, at any moment and for any days."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from lms.channels.queries import get_member
from lms.wallet import policies, queries
from lms.wallet.api.door import bp
from lms.wallet.queries import Span
from lms.wallet.reports import Wallets
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Moment, Query, Rows, answer_rows, endpoint

MOST = 10_000


def _near(day: date) -> date:
    if not 2000 <= day.year <= 2200:
        raise ValueError("This day lies too far away.")
    return day


Day = Annotated[date, AfterValidator(_near)]


class WalletQuery(Query):
    """At which moment; without one, now."""

    at: Moment | None = None


class DatedAnswer(Answer):
    """How much of a wallet lasts until when; what is not spent by then expires."""

    amount: Amount
    until: datetime


class WalletAnswer(Answer):
    """What a person's wallet holds, or held at the moment asked for; `dated` is what of it has an end, as it is now."""

    user_id: UUID
    balance: Amount
    dated: list[DatedAnswer]


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


@bp.get("/wallets")
@endpoint(lists=Wallets)
def wallets() -> Rows:
    """The wallets of people."""
    allow(policies.can_see_ledger(actor()))
    return answer_rows(Wallets())


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _wallet(user_id: UUID, query: WalletQuery) -> WalletAnswer:
    held = queries.balance_of(user_id) if query.at is None else queries.balance_at(user_id, query.at)
    dated = [DatedAnswer.model_validate(part) for part in queries.dated_of(user_id)] if query.at is None else []
    return WalletAnswer(user_id=user_id, balance=Amount.model_validate(held), dated=dated)


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
