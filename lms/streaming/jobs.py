"""Background work of live classes."""

from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel
from lms.streaming import operations


@job(every=Every(minutes=1))
def keep_time() -> None:
    """Each minute, open the rooms whose time has come and end the classes that were forgotten."""
    operations.keep_time(by=the_platform(current_channel()))
