"""The ledger's standing work: its chain is sealed, its head is anchored and its books are read every night; money expires."""

from uuid import UUID

from lms.core import chains
from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel
from lms.wallet import operations, queries
from lms.wallet.operations.dating import MOST_AT_ONCE

chains.register(queries.LEDGER)


@job(queue="money", every=Every(at="02:40"), lease_seconds=900)
def check_books() -> None:
    """Read the channel's books every night and anchor the head of the chain; differences go into the inbox and the log."""
    operations.read_books(by=the_platform(current_channel()))


@job(queue="money", lease_seconds=900)
def check_books_now(reading_id: UUID | str) -> None:
    """Read the channel's books because somebody asked."""
    operations.read_books(reading_id=UUID(str(reading_id)), by=the_platform(current_channel()))


@job(queue="money", every=Every(minutes=30), lease_seconds=300)
def expire_money() -> None:
    """Book what has expired by the database's clock, and warn of what ends soon; days end at midnight of each academy's own zone."""
    due, warned = operations.expire_money(), operations.warn_of_ending_money()
    if max(due, warned) >= MOST_AT_ONCE:
        expire_money.later()
