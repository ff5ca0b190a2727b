"""Every change of the wallet: `moving` money, `adjusting` it by hand, `checking` the books; and `statements` as files."""

from lms.wallet.operations.adjusting import (
    approve_adjustment,
    needs_second,
    refuse_adjustment,
    request_adjustment,
    set_adjustment_limit,
    withdraw_adjustment,
)
from lms.wallet.operations.checking import ask_for_reading, read_books
from lms.wallet.operations.moving import Leg, Posted, credit, debit, post

__all__ = [
    "Leg",
    "Posted",
    "approve_adjustment",
    "ask_for_reading",
    "credit",
    "debit",
    "needs_second",
    "post",
    "read_books",
    "refuse_adjustment",
    "request_adjustment",
    "set_adjustment_limit",
    "withdraw_adjustment",
]
