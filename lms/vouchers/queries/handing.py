"""How codes leave the house: downloads, sheets and letters; and what an admin is warned of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.models import EventRow
from lms.vouchers.models import Alert, Batch, Code, Envelope, Letter, Sheet


def find_envelope(batch_id: UUID) -> Envelope | None:
    """The one-time download of a batch while it is there."""
    return db.session().scalars(select(Envelope).where(Envelope.batch_id == batch_id)).one_or_none()


def sheets_of(batch_id: UUID) -> list[Sheet]:
    """The sheets of a batch, newest first."""
    return list(db.session().scalars(select(Sheet).where(Sheet.batch_id == batch_id).order_by(Sheet.made_at.desc(), Sheet.id.desc())))


def sheets_where(which: Any) -> list[Sheet]:
    """Sheets by a condition."""
    return list(db.session().scalars(select(Sheet).where(which)))


def get_sheet(batch_id: UUID, sheet_id: UUID) -> Sheet:
    """One sheet of a batch."""
    found = db.session().scalars(select(Sheet).where(Sheet.id == sheet_id, Sheet.batch_id == batch_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such sheet any more. Make it again while the codes are here."))
    return found


def free_codes(batch_id: UUID) -> list[Code]:
    """The codes that have not left the house and are in no letter, in order."""
    taken = select(Letter.code_id).where(Letter.batch_id == batch_id, Letter.state != "withheld")
    query = select(Code).where(Code.batch_id == batch_id, Code.state == "created", Code.uses == 0, Code.id.not_in(taken))
    return list(db.session().scalars(query.order_by(Code.number)))


def addressed_of(batch_id: UUID) -> set[str]:
    """The addresses that have, or are about to get, a code of a batch."""
    query = select(func.lower(Letter.email)).where(Letter.batch_id == batch_id, Letter.state != "withheld")
    return set(db.session().scalars(query))


def lock_due_letters(moment: datetime, most: int) -> list[tuple[Letter, Code, Batch]]:
    """The letters whose moment has come, with code and batch; those another worker holds are passed over."""
    query = (
        select(Letter, Code, Batch)
        .join(Code, Code.id == Letter.code_id)
        .join(Batch, Batch.id == Letter.batch_id)
        .where(Letter.state == "waiting", Letter.send_at <= moment)
        .order_by(Letter.send_at, Letter.id)
        .limit(most)
        .with_for_update(of=Letter, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1], row[2]) for row in db.session().execute(query)]


def get_letter(letter_id: UUID) -> Letter:
    """One letter."""
    found = db.session().scalars(select(Letter).where(Letter.id == letter_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such letter here."))
    return found


def lock_letter(letter_id: UUID) -> Letter:
    """One letter, locked and as it is now."""
    query = select(Letter).where(Letter.id == letter_id).with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no such letter here."))
    return found


def find_letter_of_mail(mail_id: UUID) -> Letter | None:
    """The letter a mail carries."""
    return db.session().scalars(select(Letter).where(Letter.mail_id == mail_id)).one_or_none()


def get_alert(alert_id: UUID) -> Alert:
    """One alert."""
    found = db.session().scalars(select(Alert).where(Alert.id == alert_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such alert here."))
    return found


def guessing_announced_since(moment: datetime) -> bool:
    """Whether the guessing alarm went off since a moment."""
    query = select(EventRow.id).where(EventRow.name == "VoucherGuessing", EventRow.happened_at >= moment).limit(1)
    return db.session().scalar(query) is not None
