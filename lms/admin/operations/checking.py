"""Checking the audit log's chain: every night and whenever somebody asks; a difference stands in the inbox until it is gone."""

from uuid import UUID

import structlog
from sqlalchemy import select

from lms.admin import queries
from lms.core import audit, db, seals
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.models import AuditCheck
from lms.core.tenancy import current_channel

log = structlog.get_logger(__name__)


def ask_for_check(*, by: Actor) -> tuple[AuditCheck, bool]:
    """The check that is under way, or a new one to be done; and whether it is new."""
    waiting = queries.waiting_check()
    if waiting is not None:
        return waiting, False
    made = AuditCheck(id=uuid7(), asked_by=by.user_id)
    db.session().add(made)
    db.session().flush()
    return made, True


def check_audit(*, check_id: UUID | None = None, by: Actor) -> AuditCheck:
    """Read the chain from its first entry to its last, and keep what was found; a check that is done is not done again."""
    check = db.session().scalar(select(AuditCheck).where(AuditCheck.id == check_id)) if check_id else None
    if check is None:
        check = AuditCheck(id=check_id or uuid7(), asked_by=by.user_id)
        db.session().add(check)
    elif check.done_at is not None:
        return check
    last = queries.last_check()
    found = seals.read_chain(known_seq=(last.seq or 0) if last else 0, known_head=(last.head or "") if last else "")
    check.done_at, check.took_ms, check.seq, check.head, check.faults = now(), found.took_ms, found.seq, found.head.hex(), found.faults
    for fault in found.faults:
        log.error("audit_fault", channel_id=str(current_channel()), fault=fault)
    audit.record("admin.check_audit", "audit", by=by, after={"seq": found.seq, "head": check.head, "faults": found.faults[:20]})
    return check
