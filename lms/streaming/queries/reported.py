"""What outside rooms reported."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, select

from lms.core import db, signing
from lms.core.clock import now
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel
from lms.streaming.models import Receipt, Signal
from lms.streaming.queries.recordings import rule

HOOKS = "streaming:hooks"
OLD_COUNTS = timedelta(days=1)


def hook_secret() -> str:
    """The secret with which outside rooms sign what they report to this academy."""
    return _secret(rule().hook_version)


def hook_secrets() -> list[str]:
    """The secrets that count now: the newest, and for a day the one before it."""
    found = rule()
    changed_at, version = found.hook_changed_at, found.hook_version
    before = [_secret(version - 1)] if changed_at is not None and now() - changed_at < OLD_COUNTS else []
    return [_secret(version), *before]


def _secret(version: int) -> str:
    words = str(current_channel()) if version == 1 else f"{current_channel()} {version}"
    return signing.digest(HOOKS, words).hex()


def lock_receipt(receipt_id: UUID) -> Receipt:
    """One report, held until the transaction ends."""
    found = db.session().scalar(select(Receipt).where(Receipt.id == receipt_id).with_for_update())
    if found is None:
        raise NotFound(_("There is no such report."))
    return found


def newest_receipts(*, limit: int = 20) -> Sequence[Receipt]:
    """The newest reports, the last first."""
    return db.session().scalars(select(Receipt).order_by(Receipt.received_at.desc(), Receipt.id.desc()).limit(limit)).all()


def signals_of(session_id: UUID, user_id: UUID) -> Sequence[Signal]:
    """A person's joins and leaves in a class in the order they happened; at the same moment the join first."""
    first = case((Signal.kind == "join", 0), else_=1)
    query = select(Signal).where(Signal.session_id == session_id, Signal.user_id == user_id).order_by(Signal.at, first, Signal.id)
    return db.session().scalars(query).all()


def reported_people(session_id: UUID) -> Sequence[UUID]:
    """Everybody a class was reported to have had."""
    return db.session().scalars(select(Signal.user_id).where(Signal.session_id == session_id).distinct()).all()
