"""Every change to vouchers."""

from lms.vouchers.operations.alerts import raise_alerts, settle_alert
from lms.vouchers.operations.archiving import archive_batch, unarchive_batch
from lms.vouchers.operations.batches import Issued, create_batch, expire_codes, mark_handed_out, note_download, void_codes, void_unused
from lms.vouchers.operations.binning import delete_batch, restore_batch
from lms.vouchers.operations.codes import a_sample_code
from lms.vouchers.operations.coupons import Discount, price_with, try_coupon, use_coupon
from lms.vouchers.operations.editing import Receipt, Terms, edit_batch, replace_unused, terms_of, undo_edit, undo_void
from lms.vouchers.operations.envelopes import discard_codes, discard_old_envelopes, open_codes
from lms.vouchers.operations.gifts import GiftWish, cancel_gift, give, set_gift_rules
from lms.vouchers.operations.guessing import watch_guesses
from lms.vouchers.operations.letters import Recipient, recipients_in, send_codes, send_due_letters, withdraw_letter
from lms.vouchers.operations.redemptions import redeem
from lms.vouchers.operations.sheets import discard_sheets, order_sheet
from lms.vouchers.operations.taking import objects_to_opening
from lms.vouchers.operations.wishes import NewBatch

__all__ = [
    "Discount",
    "GiftWish",
    "Issued",
    "NewBatch",
    "Receipt",
    "Recipient",
    "Terms",
    "a_sample_code",
    "archive_batch",
    "cancel_gift",
    "create_batch",
    "delete_batch",
    "discard_codes",
    "discard_old_envelopes",
    "discard_sheets",
    "edit_batch",
    "expire_codes",
    "give",
    "mark_handed_out",
    "note_download",
    "objects_to_opening",
    "open_codes",
    "order_sheet",
    "price_with",
    "raise_alerts",
    "recipients_in",
    "redeem",
    "replace_unused",
    "restore_batch",
    "send_codes",
    "send_due_letters",
    "set_gift_rules",
    "settle_alert",
    "terms_of",
    "try_coupon",
    "unarchive_batch",
    "undo_edit",
    "undo_void",
    "use_coupon",
    "void_codes",
    "void_unused",
    "watch_guesses",
    "withdraw_letter",
]
