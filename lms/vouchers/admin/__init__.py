"""Door 2: vouchers in the back office. `batches` for what is made, `changing` for what changes later,
`handing_out` for the codes while they are known, `codes` for each,
`letters` for codes by mail.
"""

from lms.vouchers.admin import batches, changing, codes, gifts, handing_out, letters
from lms.vouchers.admin.door import bp

__all__ = ["batches", "bp", "changing", "codes", "gifts", "handing_out", "letters"]
