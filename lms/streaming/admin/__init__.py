"""Door 2: `sessions` one by one with their next step as a button, and the `calendar` of all."""

from lms.streaming.admin import calendar, sessions
from lms.streaming.admin.door import bp

__all__ = ["bp", "calendar", "sessions"]
