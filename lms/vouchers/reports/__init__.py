"""Lists of vouchers: `batches`, `codes`, and how they left the house (`handing`)."""

from lms.vouchers.reports.batches import Batches, Finance
from lms.vouchers.reports.codes import KIND_WORDS, Codes, Redemptions
from lms.vouchers.reports.handing import GIFT_STATES, Alerts, Gifts, Letters

__all__ = ["GIFT_STATES", "KIND_WORDS", "Alerts", "Batches", "Codes", "Finance", "Gifts", "Letters", "Redemptions"]
