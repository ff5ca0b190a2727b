"""Door 2: vouchers in the back office. `batches` for what is made, `handing_out` for the codes while they are known, `codes` for each."""

from lms.vouchers.admin import batches, codes, handing_out
from lms.vouchers.admin.door import bp

__all__ = ["batches", "bp", "codes", "handing_out"]
