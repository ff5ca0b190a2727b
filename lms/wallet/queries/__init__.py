"""Every SELECT of the wallet: `accounts` (balances and transactions), `statements` of a period, and the `books` as a whole."""

from lms.wallet.queries.accounts import (
    Booked,
    LegOf,
    Line,
    balance_at,
    balance_of,
    find_transaction,
    get_account,
    get_transaction,
    house_balance,
    known_accounts,
    legs_of,
    moved_by,
    statement_of,
    sums,
)
from lms.wallet.queries.books import FAULTS, GUARDS, LEDGER, ledger_faults
from lms.wallet.queries.statements import Span, Statement, end_of, statement_between

__all__ = [
    "FAULTS",
    "GUARDS",
    "LEDGER",
    "Booked",
    "LegOf",
    "Line",
    "Span",
    "Statement",
    "balance_at",
    "balance_of",
    "end_of",
    "find_transaction",
    "get_account",
    "get_transaction",
    "house_balance",
    "known_accounts",
    "ledger_faults",
    "legs_of",
    "moved_by",
    "statement_between",
    "statement_of",
    "sums",
]
