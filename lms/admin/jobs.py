"""The frame's standing work: the chain of the audit log is read every night, and whenever somebody asks."""

from uuid import UUID

from lms.admin import operations
from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel


@job(queue="bulk", every=Every(at="03:10"), lease_seconds=900)
def check_audit() -> None:
    """Read the chain of the audit log every night; a difference goes into the inbox and the log."""
    operations.check_audit(by=the_platform(current_channel()))


@job(queue="bulk", lease_seconds=900)
def check_audit_now(check_id: UUID | str) -> None:
    """Read the chain of the audit log because somebody asked."""
    operations.check_audit(check_id=UUID(str(check_id)), by=the_platform(current_channel()))


@job(queue="bulk", every=Every(at="03:30"), lease_seconds=900)
def purge_bin() -> None:
    """Delete for good what has lain in the bin for thirty days."""
    operations.purge_bin(by=the_platform(current_channel()))
