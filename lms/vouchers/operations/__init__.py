"""Every change to vouchers."""

from lms.vouchers.operations.batches import Issued, NewBatch, create_batch, expire_codes, mark_handed_out, note_download, void_codes
from lms.vouchers.operations.codes import a_sample_code
from lms.vouchers.operations.envelopes import discard_codes, discard_old_envelopes, open_codes
from lms.vouchers.operations.redemptions import redeem, watch_guesses

__all__ = [
    "Issued",
    "NewBatch",
    "a_sample_code",
    "create_batch",
    "discard_codes",
    "discard_old_envelopes",
    "expire_codes",
    "mark_handed_out",
    "note_download",
    "open_codes",
    "redeem",
    "void_codes",
    "watch_guesses",
]
