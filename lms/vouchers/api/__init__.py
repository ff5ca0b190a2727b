"""Door 3: batches of vouchers, whose codes are answered once; sheets, letters, warnings; each code's trail; redeeming."""

from lms.vouchers.api import batches, codes, gifts, handing
from lms.vouchers.api.door import bp

__all__ = ["batches", "bp", "codes", "gifts", "handing"]
