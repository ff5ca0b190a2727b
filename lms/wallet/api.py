"""Door 3: my wallet, people's wallets, the ledger."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.channels.queries import get_member
from lms.wallet import policies, queries
from lms.wallet.reports import Entries, Wallets
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Query, Rows, answer_rows, endpoint

bp = Blueprint("wallet_api", __name__, url_prefix="/api/v1/wallet")


class WalletAnswer(Answer):
    """What a person's wallet holds."""

    user_id: UUID
    balance: Amount


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
def index() -> WalletAnswer:
    """What I hold."""
    allow(policies.can_see_own(actor()))
    return _wallet(_me())


@bp.get("/statement")
@endpoint()
def statement(query: StatementQuery) -> Statement:
    """Every movement of my wallet."""
    allow(policies.can_see_own(actor()))
    return _statement(_me(), query)


@bp.get("/people/<uuid:user_id>")
@endpoint()
def people_show(user_id: UUID) -> WalletAnswer:
    """What a person holds."""
    member = get_member(user_id)
    allow(policies.can_see_wallet(actor(), member.id))
    return _wallet(member.id)


@bp.get("/people/<uuid:user_id>/statement")
@endpoint()
def people_statement(user_id: UUID, query: StatementQuery) -> Statement:
    """Every movement of a person's wallet."""
    member = get_member(user_id)
    allow(policies.can_see_wallet(actor(), member.id))
    return _statement(member.id, query)


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


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _wallet(user_id: UUID) -> WalletAnswer:
    return WalletAnswer(user_id=user_id, balance=Amount.model_validate(queries.balance_of(user_id)))


def _statement(user_id: UUID, query: StatementQuery) -> Statement:
    lines = queries.statement_of(user_id, limit=query.size + 1, before=query.before)
    shown = lines[: query.size]
    return Statement(
        rows=[StatementLine.model_validate(line) for line in shown], before=shown[-1].position if len(lines) > query.size else None
    )
