"""Every change of the wallet: `moving` money, `dating` it, `adjusting` it by hand, `checking` the books; and `statements` as files."""

from lms.wallet.operations.adjusting import (
    approve_adjustment,
    needs_second,
    refuse_adjustment,
    request_adjustment,
    set_adjustment_limit,
    withdraw_adjustment,
)
from lms.wallet.operations.checking import ask_for_reading, read_books
from lms.wallet.operations.dating import change_date, expire_money, put_date, warn_of_ending_money
from lms.wallet.operations.moving import Dating, Leg, Posted, credit, debit, let_expire, post

__all__ = [
    "Dating",
    "Leg",
    "Posted",
    "approve_adjustment",
    "ask_for_reading",
    "change_date",
    "credit",
    "debit",
    "expire_money",
    "let_expire",
    "needs_second",
    "post",
    "put_date",
    "read_books",
    "refuse_adjustment",
    "request_adjustment",
    "set_adjustment_limit",
    "warn_of_ending_money",
    "withdraw_adjustment",
]
