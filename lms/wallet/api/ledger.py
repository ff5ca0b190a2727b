"""The ledger: accounts, transactions, entries, and whether the books agree."""

from datetime import datetime
from uuid import UUID

from lms.core.clock import now
from lms.wallet import jobs, operations, policies, queries
from lms.wallet.api.door import bp
from lms.wallet.operations.checking import PATIENCE
from lms.wallet.reports import Accounts, Entries, Transactions
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Rows, answer_rows, endpoint


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
    """One transaction: its cause (`reference`: as people call it), its legs, which sum to zero, and `seal`, its link in the chain."""

    id: UUID
    source: str
    reference_id: UUID
    reference: str
    note: str
    at: datetime
    legs: list[LegAnswer]
    seal: int | None


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
        id=row.id,
        source=row.source,
        reference_id=row.reference_id,
        reference=found.called,
        note=found.note,
        at=row.at,
        legs=legs,
        seal=found.seal,
    )


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
