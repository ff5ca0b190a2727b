"""Every change of the wallet: `moving` money; and `statements` as files."""

from lms.wallet.operations.moving import Leg, Posted, credit, debit, post

__all__ = ["Leg", "Posted", "credit", "debit", "post"]
