"""When mails go out: the next digest, and the end of quiet hours, by the wall clock of the reader's zone, in summer and winter."""

from datetime import datetime, timedelta

from lms.core.clock import zone
from lms.notifications.queries import Reader


def next_digest(reader: Reader, pace: str, moment: datetime) -> datetime:
    """When the reader's next digest of a pace (daily, weekly) goes out after a moment."""
    here = moment.astimezone(zone(reader.zone))
    due = here.replace(hour=reader.digest_hour, minute=0, second=0, microsecond=0, fold=0)
    if pace == "weekly":
        due += timedelta(days=(reader.digest_day - here.weekday()) % 7)
    if due <= here:
        due += timedelta(days=7 if pace == "weekly" else 1)
    return due


def held_until(reader: Reader, moment: datetime) -> datetime | None:
    """The end of the reader's quiet hours when the moment lies in them; None when a mail may come."""
    if reader.quiet_from is None or reader.quiet_to is None:
        return None
    here = moment.astimezone(zone(reader.zone))
    length = (reader.quiet_to - reader.quiet_from) % 24
    if (here.hour - reader.quiet_from) % 24 >= length:
        return None
    end = here.replace(hour=reader.quiet_to, minute=0, second=0, microsecond=0, fold=0)
    return end if end > here else end + timedelta(days=1)
