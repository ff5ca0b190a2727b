"""Door 2: `sessions` one by one with their next step as a button, the `studio` of the browser, and the `calendar` of all."""

from lms.streaming.admin import calendar, recordings, sessions, studio
from lms.streaming.admin.door import bp

__all__ = ["bp", "calendar", "recordings", "sessions", "studio"]
