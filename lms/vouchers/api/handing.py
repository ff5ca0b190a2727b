"""How codes leave the house, by machine: printable sheets, letters, and what an admin is warned of.

The codes of a batch made with a `seal` of the client's own can be opened with it for an hour; nobody else ever can.
"""

import base64
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import url_for
from pydantic import Field

from lms.core.clock import now
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _
from lms.vouchers import jobs, operations, policies, queries
from lms.vouchers.admin.handing_out import sheet_words
from lms.vouchers.api.door import Seal, bp
from lms.vouchers.models import Batch
from lms.vouchers.operations import Recipient
from lms.vouchers.operations.letters import ADDRESS
from lms.vouchers.operations.sheets import PART, open_part
from lms.vouchers.reports import Alerts, Letters
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Moment, Rows, answer_rows, endpoint, located


class SheetRequest(Body):
    """A sheet as it is wanted, and the seal the batch was made with."""

    seal: Seal
    layout: Literal["cards10", "cards8", "cards24", "list"] = "cards10"
    marks: bool = True


class SheetAnswer(Answer):
    """A sheet: ready when `done` is `file_count`; gone at `expires_at`."""

    id: UUID
    batch_id: UUID
    layout: str
    file_count: int
    done: int
    failure: str
    made_at: datetime
    expires_at: datetime


class FileRequest(Body):
    """Which file of a sheet, and the seal the batch was made with."""

    seal: Seal
    part: Annotated[int, Field(ge=1, le=1000)] = 1


class FileAnswer(Answer):
    """One file of a sheet: a PDF in base64."""

    part: int
    pdf: str


class PersonBody(Body):
    """Who gets a code."""

    email: Annotated[str, Field(min_length=3, max_length=254)]
    name: Annotated[str, Field(max_length=120)] = ""


class LettersRequest(Body):
    """Whom to send codes, with which words, when (now, without a moment), and the seal the batch was made with."""

    seal: Seal
    people: Annotated[list[PersonBody], Field(min_length=1, max_length=10_000)]
    message: Annotated[str, Field(max_length=2000)] = ""
    send_at: Moment | None = None


class LettersAnswer(Answer):
    """How many letters were made."""

    count: int


class LetterAnswer(Answer):
    """One letter: `waiting`, `sent` or `withheld` with the reason; never the code."""

    id: UUID
    batch_id: UUID
    code_id: UUID
    email: str
    name: str
    send_at: datetime
    state: str
    reason: str
    sent_at: datetime | None


class AlertAnswer(Answer):
    """A warning: `low`, `expiring` or `guessing`; it leaves the inbox when it is settled or its cause ends."""

    id: UUID
    cause: str
    batch_id: UUID | None
    detail: str
    raised_at: datetime
    settled_at: datetime | None
    ended_at: datetime | None


@bp.post("/batches/<uuid:batch_id>/sheets")
@endpoint(status=202, money=True)
def batches_sheets_create(batch_id: UUID, body: SheetRequest) -> SheetAnswer:
    """Have a sheet of the codes made; ask for it in a moment."""
    batch = _opened(batch_id)
    operations.open_codes(batch, seal=body.seal)
    words = sheet_words(batch, has_marks=body.marks)
    sheet, ticket = operations.order_sheet(batch, body.layout, words, seal=body.seal, by=actor())
    jobs.make_sheet.later(batch_id=str(batch.id), sheet_id=str(sheet.id), ticket=ticket)
    located(url_for(".batches_sheets_show", batch_id=batch.id, sheet_id=sheet.id))
    return SheetAnswer.model_validate(sheet)


@bp.get("/batches/<uuid:batch_id>/sheets/<uuid:sheet_id>")
@endpoint()
def batches_sheets_show(batch_id: UUID, sheet_id: UUID) -> SheetAnswer:
    """How far a sheet is."""
    sheet = queries.get_sheet(queries.get_batch(batch_id).id, sheet_id)
    allow(policies.can_manage(actor()))
    return SheetAnswer.model_validate(sheet)


@bp.post("/batches/<uuid:batch_id>/sheets/<uuid:sheet_id>/file")
@endpoint()
def batches_sheets_file(batch_id: UUID, sheet_id: UUID, body: FileRequest) -> FileAnswer:
    """One file of a sheet, for who holds the seal."""
    batch = _opened(batch_id)
    sheet = queries.get_sheet(batch.id, sheet_id)
    operations.open_codes(batch, seal=body.seal)
    if body.part > sheet.done:
        raise Conflict(_("This file is not ready yet. Wait a moment, then try again."), rule="not_ready")
    operations.note_download(batch, f"sheet, file {body.part}", min(PART, batch.code_count - (body.part - 1) * PART), by=actor())
    return FileAnswer(part=body.part, pdf=base64.b64encode(open_part(sheet, body.part, seal=body.seal)).decode())


@bp.post("/batches/<uuid:batch_id>/letters")
@endpoint(status=201, money=True)
def batches_letters_create(batch_id: UUID, body: LettersRequest) -> LettersAnswer:
    """Mail each person a code of their own."""
    batch = _opened(batch_id)
    codes = operations.open_codes(batch, seal=body.seal)
    wrong = [person.email for person in body.people if not ADDRESS.fullmatch(person.email)]
    if wrong:
        raise Invalid(_("What was sent does not fit."), fields={"people": _("No address: %(text)s", text=", ".join(wrong[:5]))})
    people = list({person.email.lower(): Recipient(person.email, person.name) for person in body.people}.values())
    count = operations.send_codes(batch, codes, people, message=body.message, send_at=body.send_at, by=actor())
    jobs.send_letters.put({}, run_at=body.send_at)
    return LettersAnswer(count=count)


@bp.get("/letters")
@endpoint(lists=Letters)
def letters() -> Rows:
    """Every letter, and what became of it."""
    allow(policies.can_manage(actor()))
    return answer_rows(Letters())


@bp.get("/letters/<uuid:letter_id>")
@endpoint()
def letters_show(letter_id: UUID) -> LetterAnswer:
    """One letter."""
    letter = queries.get_letter(letter_id)
    allow(policies.can_manage(actor()))
    return LetterAnswer.model_validate(letter)


@bp.post("/letters/<uuid:letter_id>/withdraw")
@endpoint()
def letters_withdraw(letter_id: UUID) -> LetterAnswer:
    """Keep a letter that waits from going out."""
    letter = queries.get_letter(letter_id)
    allow(policies.can_manage(actor()))
    operations.withdraw_letter(letter.id, by=actor())
    return LetterAnswer.model_validate(queries.get_letter(letter_id))


@bp.get("/alerts")
@endpoint(lists=Alerts)
def alerts() -> Rows:
    """What an admin was warned of, and is."""
    allow(policies.can_manage(actor()))
    return answer_rows(Alerts())


@bp.get("/alerts/<uuid:alert_id>")
@endpoint()
def alerts_show(alert_id: UUID) -> AlertAnswer:
    """One warning."""
    alert = queries.get_alert(alert_id)
    allow(policies.can_manage(actor()))
    return AlertAnswer.model_validate(alert)


@bp.post("/alerts/<uuid:alert_id>/settle")
@endpoint()
def alerts_settle(alert_id: UUID) -> AlertAnswer:
    """Take a warning off the inbox."""
    alert = queries.get_alert(alert_id)
    allow(policies.can_manage(actor()))
    operations.settle_alert(alert, by=actor())
    return AlertAnswer.model_validate(alert)


def _opened(batch_id: UUID) -> Batch:
    """The batch, for the admin who made it within the hour; its codes open with the seal alone."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()))
    return batch
