"""The standing work of courses: days of publication are kept."""

from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel
from lms.courses import operations


@job(every=Every(minutes=1))
def keep_dates() -> None:
    """Publish the courses whose day has come, and take out of the catalogue those whose day is over."""
    operations.keep_dates(by=the_platform(current_channel()))
