"""Background work of chat."""

from lms.chat import operations
from lms.core.jobs import Every, job


@job(queue="bulk", every=Every(minutes=1))
def announce_messages() -> None:
    """Once a minute, announce the new messages of each room as one fact."""
    operations.announce_messages()
