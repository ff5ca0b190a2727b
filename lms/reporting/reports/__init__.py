"""Lists of reporting: what happened day by day, and who signed in."""

from lms.reporting.reports.days import Revenue, Usage
from lms.reporting.reports.sign_ins import Logins, SignIns

__all__ = ["Logins", "Revenue", "SignIns", "Usage"]
