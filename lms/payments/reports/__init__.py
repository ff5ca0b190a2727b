"""Lists of payments: `orders` and refunds, and the `revenue` they make."""

from lms.payments.reports.orders import Orders, Refunds
from lms.payments.reports.revenue import Movements, Revenue

__all__ = ["Movements", "Orders", "Refunds", "Revenue"]
