"""The ledger's standing work: its chain is sealed by the scheduler, its head is anchored and its books are read every night."""

import structlog

from lms.core import audit, chains
from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel
from lms.wallet import queries

log = structlog.get_logger(__name__)
chains.register(queries.LEDGER)


@job(queue="money", every=Every(at="02:40"), lease_seconds=900)
def check_books() -> None:
    """Re-sum the channel's ledger and anchor the head of its chain in the log and the audit; differences are logged as errors."""
    channel_id = current_channel()
    faults = queries.ledger_faults()
    seq, head = chains.head_of(queries.LEDGER)
    for fault in faults:
        log.error("ledger_fault", channel_id=str(channel_id), fault=fault)
    log.info("ledger_anchor", channel_id=str(channel_id), seq=seq, head=head.hex(), faults=len(faults))
    audit.record("wallet.check", "ledger", by=the_platform(channel_id), after={"seq": seq, "head": head.hex(), "faults": faults[:20]})
