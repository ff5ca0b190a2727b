"""What an outside room reports: stored first, understood later, in any order and as often as it likes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from lms.core import db
from lms.core.clock import now
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.enrollments.queries import member_by_email
from lms.streaming import queries
from lms.streaming.errors import BadReport
from lms.streaming.models import Receipt, Session, Signal, Visit
from lms.streaming.operations.fetching import begin_fetching, note_beginning

KINDS = ("join", "leave", "recording")


def store_receipt(body: dict[str, Any]) -> UUID | None:
    """Keep what was reported, by the reporter's own id of it; None when it was kept before."""
    event_id = body.get("id")
    if not isinstance(event_id, str) or not 0 < len(event_id) <= 200:
        raise BadReport(_("A report needs an id of its own, as text."), rule="id")
    values = {"id": uuid7(), "channel_id": current_channel(), "event_id": event_id, "body": body, "received_at": now(), "reason": ""}
    made = db.session().execute(insert(Receipt).values(values).on_conflict_do_nothing().returning(Receipt.id)).one_or_none()
    return made.id if made is not None else None


def take_receipt(receipt_id: UUID) -> UUID | None:
    """Do what a report says; what cannot be done is noted on it. Twice is once. The class whose recording is to be fetched."""
    receipt = queries.lock_receipt(receipt_id)
    if receipt.done_at is not None:
        return None
    receipt.done_at = now()
    try:
        with db.session().begin_nested():
            return _take(receipt)
    except Refusal as refusal:
        receipt.reason = refusal.sentence
    return None


def _take(receipt: Receipt) -> UUID | None:
    body = receipt.body
    kind, session = body.get("kind"), _session(body.get("session"))
    if kind == "recording":
        return _note_recording(session, str(body.get("url") or "").strip()[:2000], body.get("at"))
    if kind not in KINDS:
        raise BadReport(_("A report is a join, a leave or a recording."), rule="kind")
    person = member_by_email(str(body.get("person", "")))
    signal = Signal(session_id=session.id, user_id=person.id, receipt_id=receipt.id, kind=kind, at=_moment(body.get("at")))
    db.session().add(signal)
    db.session().flush()
    rebuild_visits(session, person.id)
    return None


def _session(value: object) -> Session:
    try:
        session = queries.get_session(UUID(str(value)))
    except ValueError as error:
        raise BadReport(_("The class of this report is not known."), rule="session") from error
    if session.provider != "webhook":
        raise BadReport(_("This class is not held at a place that reports back."), rule="provider")
    return session


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise BadReport(_("The time of this report cannot be read."), rule="at") from error
    if moment.tzinfo is None:
        raise BadReport(_("The time of this report has no zone."), rule="at")
    return moment


def _note_recording(session: Session, url: str, begun: object) -> UUID:
    """A recording is ready to be fetched from an address; `begun`, when it is known, puts the chat and the chapters at their seconds."""
    if not url:
        raise BadReport(_("The report of a recording names no address (url) it can be fetched from."), rule="url")
    if begun is not None:
        note_beginning(session, _moment(begun))
    begin_fetching(session, url)
    return session.id


def rebuild_visits(session: Session, user_id: UUID) -> None:
    """Make a person's visits at an outside room anew from every join and leave known: the same whatever order they came in."""
    old = delete(Visit).where(Visit.session_id == session.id, Visit.user_id == user_id, Visit.source == "provider")
    db.session().execute(old.execution_options(synchronize_session=False))
    came: datetime | None = None
    for signal in queries.signals_of(session.id, user_id):
        if signal.kind == "join":
            came = came or signal.at
        elif came is not None:
            _visit(session, user_id, came, signal.at)
            came = None
    if came is not None:
        _visit(session, user_id, came, None)


def _visit(session: Session, user_id: UUID, came: datetime, left: datetime | None) -> None:
    seen = left or max(came, session.ended_at or came)
    visit = Visit(session_id=session.id, user_id=user_id, source="provider", joined_at=came, seen_at=seen, left_at=left)
    db.session().add(visit)
    db.session().flush()


def recompute_attendance(session: Session) -> int:
    """Make the visits of everybody an outside room reported anew; how many people."""
    people = queries.reported_people(session.id)
    for user_id in people:
        rebuild_visits(session, user_id)
    return len(people)
