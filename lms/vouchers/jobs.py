"""Vouchers' standing work: expiry, downloads nobody fetched, and the watch for guessing."""

from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel
from lms.vouchers import operations


@job(queue="codes", every=Every(minutes=5))
def sweep_codes() -> None:
    """Write down expired codes and throw away downloads past their hour."""
    operations.expire_codes(by=the_platform(current_channel()))
    operations.discard_old_envelopes()


@job(queue="codes", every=Every(minutes=2))
def watch_guesses() -> None:
    """Raise the alarm when unusually many wrong codes are tried."""
    operations.watch_guesses(by=the_platform(current_channel()))
