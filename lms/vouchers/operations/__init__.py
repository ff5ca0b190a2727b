"""Every change to vouchers."""

from lms.vouchers.operations.batches import Issued, create_batch, expire_codes, mark_handed_out, note_download, void_codes
from lms.vouchers.operations.codes import a_sample_code
from lms.vouchers.operations.coupons import Discount, price_with, try_coupon, use_coupon
from lms.vouchers.operations.envelopes import discard_codes, discard_old_envelopes, open_codes
from lms.vouchers.operations.guessing import watch_guesses
from lms.vouchers.operations.redemptions import redeem
from lms.vouchers.operations.taking import objects_to_opening
from lms.vouchers.operations.wishes import NewBatch

__all__ = [
    "Discount",
    "Issued",
    "NewBatch",
    "a_sample_code",
    "create_batch",
    "discard_codes",
    "discard_old_envelopes",
    "expire_codes",
    "mark_handed_out",
    "note_download",
    "objects_to_opening",
    "open_codes",
    "price_with",
    "redeem",
    "try_coupon",
    "use_coupon",
    "void_codes",
    "watch_guesses",
]
