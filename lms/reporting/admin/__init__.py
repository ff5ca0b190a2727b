"""Door 2: every list there is, saved views, mails on a schedule, downloads, and figures day by day."""

from lms.reporting.admin import downloads, lists, schedules, usage, views
from lms.reporting.admin.door import bp

__all__ = ["bp", "downloads", "lists", "schedules", "usage", "views"]
