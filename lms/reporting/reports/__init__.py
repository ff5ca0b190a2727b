"""Lists of reporting: what happened day by day and week by week, how courses go, what teachers do, and who signed in."""

from lms.reporting.reports.days import Revenue, Usage
from lms.reporting.reports.sign_ins import Logins, SignIns
from lms.reporting.reports.teaching import Completion, Instructors
from lms.reporting.reports.weeks import Engagement, Retention

__all__ = ["Completion", "Engagement", "Instructors", "Logins", "Retention", "Revenue", "SignIns", "Usage"]
