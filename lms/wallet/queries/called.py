"""What people call the cause of a movement: a number such as O-6180-3399, a batch of vouchers, a person; never an id.

The modules above know their own causes and say here how they are called; the ledger knows none of them.
"""

from typing import Any

from sqlalchemy import Text, case, func, literal

from lms.wallet.models import Transaction

Expression = Any
_names: dict[str, Expression] = {}
NUMBERED = ("order", "refund", "refund_undo", "gift", "gift_cancel")  # whose names are numbers that stand in the note


def causes_are_called(source: str, name: Expression) -> None:
    """Say how what caused the movements of a source is called: an expression over `wallet.transactions`."""
    _names[source] = name


def causes_known() -> int:
    """How many sources have said how their causes are called."""
    return len(_names)


def called() -> Expression:
    """The name of a transaction's cause; NULL where it has none."""
    return _named(_names)


def noted() -> Expression:
    """A transaction's note with its cause's number, which those written before there were numbers do not say themselves."""
    is_said = Transaction.source.not_in(NUMBERED) | Transaction.note.regexp_match(r"[A-Z]-\d{4}-\d{4}$")
    number = _named({source: name for source, name in _names.items() if source in NUMBERED})
    return case((is_said, Transaction.note), else_=func.concat_ws(" · ", func.nullif(Transaction.note, ""), number))


def _named(names: dict[str, Expression]) -> Expression:
    return case(*((Transaction.source == source, name) for source, name in names.items()), else_=None) if names else literal(None, Text)
