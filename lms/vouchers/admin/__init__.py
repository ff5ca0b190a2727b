"""Door 2: vouchers in the back office. `batches` for what is made, `changing` for what changes later,
`handing_out` for the codes while they are known, `codes` for each.
"""

from lms.vouchers.admin import batches, changing, codes, handing_out
from lms.vouchers.admin.door import bp

__all__ = ["batches", "bp", "changing", "codes", "handing_out"]
