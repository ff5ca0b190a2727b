"""Reading the books: what differs is written down once, and stands until a reading does not find it any more."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from lms.core import audit, chains, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.wallet import queries
from lms.wallet.models import Reading

log = structlog.get_logger(__name__)
PATIENCE = timedelta(minutes=10)
MOST = 200
SEEN = text(
    """
    INSERT INTO wallet.differences (channel_id, id, subject, sentence, found_at, seen_at)
    VALUES (:channel, :id, :subject, :sentence, :at, :at)
    ON CONFLICT (channel_id, subject, md5(sentence)) WHERE gone_at IS NULL DO UPDATE SET seen_at = excluded.seen_at
    """
)
GONE = text("UPDATE wallet.differences SET gone_at = :at WHERE gone_at IS NULL AND seen_at < :at")


def ask_for_reading(*, by: Actor) -> tuple[Reading, bool]:
    """The reading that is under way, or a new one to be done; and whether it is new."""
    waiting = queries.waiting_reading(since=now() - PATIENCE)
    if waiting is not None:
        return waiting, False
    made = Reading(id=uuid7(), asked_by=by.user_id, asked_at=now())
    db.session().add(made)
    db.session().flush()
    return made, True


def read_books(*, reading_id: UUID | None = None, by: Actor) -> Reading:
    """Read the channel's books from the first entry to the last: the ledger itself, and all that must agree with it.

    New differences are written down, those that are gone get their end, and the head of the chain is anchored in log and audit.
    """
    began, moment = time.monotonic(), now()
    found = queries.book_faults()
    _note(found, moment)
    seq, head = chains.head_of(queries.LEDGER)
    reading = queries.find_reading(reading_id) if reading_id is not None else None
    if reading is None:
        reading = Reading(id=reading_id or uuid7(), asked_by=by.user_id, asked_at=moment)
        db.session().add(reading)
    reading.done_at, reading.took_ms = now(), round((time.monotonic() - began) * 1000)
    reading.faults, reading.seq = len(found), seq
    faults = [f"{subject}: {sentence}" for subject, sentence in found]
    for fault in faults:
        log.error("ledger_fault", channel_id=str(current_channel()), fault=fault)
    log.info("ledger_anchor", channel_id=str(current_channel()), seq=seq, head=head.hex(), faults=len(faults))
    audit.record("wallet.check", "ledger", by=by, after={"seq": seq, "head": head.hex(), "faults": faults[:20]})
    return reading


def _note(found: Sequence[tuple[str, str]], moment: object) -> None:
    for subject, sentence in found[:MOST]:
        values = {"channel": current_channel(), "id": uuid7(), "subject": subject, "sentence": sentence[:1000], "at": moment}
        db.session().execute(SEEN, values)
    db.session().execute(GONE, {"at": moment})
