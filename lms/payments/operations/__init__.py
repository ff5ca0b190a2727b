"""Every change of payments: `ordering`, and `refunding` to the wallet."""

from lms.payments.operations.ordering import close_order, confirm_price, pay_from_wallet
from lms.payments.operations.refunding import Preview, expired_of, preview_refund, refund_order, undo_refund

__all__ = ["Preview", "close_order", "confirm_price", "expired_of", "pay_from_wallet", "preview_refund", "refund_order", "undo_refund"]
