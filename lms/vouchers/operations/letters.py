"""Codes sent by mail: one each to a list of people, at once or on a day. Until then a code lies encrypted; afterwards it is nowhere."""

import base64
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from uuid import UUID

from cryptography.fernet import Fernet
from sqlalchemy import text

from lms.channels.queries import absolute_url, face_of, find_member, this_channel
from lms.core import audit, db, mail, signing
from lms.core.clock import local_day, now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import percent
from lms.core.ids import uuid7
from lms.core.models import Mail
from lms.core.money import Money
from lms.vouchers import queries
from lms.vouchers.models import Batch, Code, Letter
from lms.vouchers.operations.batches import not_a_gift
from lms.vouchers.operations.sheets import redeem_link

ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+")
TEMPLATE = "vouchers/mail/code"
MOST_AT_ONCE = 200
MOST_WRONG = 5


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a code."""

    email: str
    name: str = ""


def recipients_in(typed: str) -> list[Recipient]:
    """The people in a pasted list or a CSV file: an address a line, with a name before, behind or in a column of its own; each once.

    Raises Invalid naming the lines that hold no address; a first line of headings is passed over.
    """
    found: dict[str, Recipient] = {}
    wrong: list[str] = []
    lines = [line for line in typed.replace("\ufeff", "").splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        person = _recipient(line)
        if person is not None:
            found.setdefault(person.email.lower(), person)
        elif number > 1 or "@" in line:
            wrong.append(_("line %(number)s: %(text)s", number=number, text=line.strip()[:60]))
    if wrong:
        shown = "; ".join(wrong[:MOST_WRONG]) + ("…" if len(wrong) > MOST_WRONG else "")
        sentence = _("No address stands in %(lines)s", lines=shown)
        raise Invalid(sentence, fields={"people": sentence})
    return list(found.values())


def _recipient(line: str) -> Recipient | None:
    """One line: Ana <ana@school.example>, or cells set apart by commas, semicolons or tabs."""
    name, address = parseaddr(line)
    if ADDRESS.fullmatch(address) and "<" in line:
        return Recipient(address, name[:120])
    mark = next((mark for mark in ("\t", ";", ",") if mark in line), ",")
    cells = [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=mark), [])]
    address = next((cell for cell in cells if ADDRESS.fullmatch(cell)), "")
    rest = " ".join(cell for cell in cells if cell and cell != address)
    return Recipient(address, rest[:120]) if address and len(address) <= 254 else None


def send_codes(
    batch: Batch, codes: Sequence[str], people: Sequence[Recipient], *, message: str = "", send_at: datetime | None = None, by: Actor
) -> int:
    """Give each person a code of their own, the next that is nobody's yet, and mail it at the moment; the number of letters.

    `codes` are the batch's in order. A person who has a letter of this batch already gets no second one.
    """
    free, known = queries.free_codes(batch.id), queries.addressed_of(batch.id)
    wanted = [person for person in people if person.email.lower() not in known]
    if not wanted:
        sentence = _("Everybody on this list has a code of this batch already.")
        raise Invalid(sentence, fields={"people": sentence})
    if len(wanted) > len(free):
        sentence = _("%(people)s people are on the list, and %(codes)s codes are free.", people=len(wanted), codes=len(free))
        raise Invalid(sentence, fields={"people": sentence})
    for person, code in zip(wanted, free, strict=False):
        db.session().add(
            Letter(
                batch_id=batch.id,
                code_id=code.id,
                email=person.email,
                name=person.name,
                message=message.strip(),
                send_at=send_at or now(),
                sealed=seal_letter(codes[code.number - 1]),
                made_by=by.user_id,
            )
        )
    db.session().flush()
    audit.record("vouchers.send_codes", batch, by=by, after={"letters": len(wanted), "send_at": send_at})
    return len(wanted)


SENT = text(
    """
    WITH changed AS (
        UPDATE vouchers.codes SET state = 'sent', state_at = :at, state_by = :by
        WHERE channel_id = :channel AND id = :code AND state IN ('created', 'printed') RETURNING id, batch_id)
    INSERT INTO vouchers.steps (channel_id, id, batch_id, code_id, state, at, actor_id, actor_name, note)
    SELECT :channel, :step, batch_id, id, 'sent', :at, :by, :name, :note FROM changed
    """
)


def send_due_letters(*, by: Actor) -> int:
    """Mail the letters whose moment has come, some hundreds at a time; what must not go any more is withheld and says why."""
    due = queries.lock_due_letters(now(), MOST_AT_ONCE)
    for letter, code, batch in due:
        reason = _why_not(code, batch)
        if reason:
            letter.state, letter.reason, letter.sealed = "withheld", reason, None
            continue
        assert letter.sealed is not None
        plain = _cipher().decrypt(letter.sealed).decode()
        sent = _mailed(letter, batch, plain)
        letter.state, letter.sealed, letter.mail_id, letter.sent_at = "sent", None, sent.id, now()
        who = {"by": letter.made_by, "name": "", "note": _("by mail"), "at": now(), "step": uuid7()}
        db.session().execute(SENT, {"channel": letter.channel_id, "code": code.id, **who})
    db.session().flush()
    if due:
        audit.record("vouchers.mail_codes", "codes", by=by, after={"letters": len(due)})
    return len(due)


def _mailed(letter: Letter, batch: Batch, code: str) -> Mail:
    channel = this_channel()
    context = {
        "channel": face_of(channel, ""),
        "name": letter.name,
        "message": letter.message,
        "giver": _giver_of(batch),
        "gives": _gives(batch, channel.locale),
        "code": code,
        "link": redeem_link(absolute_url("/vouchers/redeem"), code),
        "until": local_day(batch.expires_at - timedelta(seconds=1), channel.zone).isoformat() if batch.expires_at else "",
    }
    return mail.send(letter.email, TEMPLATE, context, language=channel.locale, secret=True)


def _giver_of(batch: Batch) -> str:
    """Who gives the code, when it is a gift; "" when it is not."""
    gift = queries.gift_of_batch(batch.id) if batch.is_gift else None
    giver = find_member(gift.giver_id) if gift else None
    return giver.name if giver else ""


def _gives(batch: Batch, locale: str) -> str:
    if batch.kind == "course" or (batch.is_gift and queries.course_ids_of(batch.id)):
        return ", ".join(queries.courses_of(batch.id).values())
    if batch.kind == "percent":
        return percent(batch.percent or 0)
    return Money(batch.value_minor, batch.currency).format(locale)


def _why_not(code: Code, batch: Batch) -> str:
    """Why a code is not sent any more; "" when it is."""
    state = code.state_on(now())
    if state == "void":
        return _("Not sent: the code was withdrawn.")
    if state == "expired":
        return _("Not sent: the code has expired.")
    return _("Not sent: the code has been used.") if state == "redeemed" else ""


@mail.stop_rule(TEMPLATE)
def stop(found: Mail) -> str:
    """Asked again in the very moment a mail goes out, which may be later when the mail server was away."""
    letter = queries.find_letter_of_mail(found.id)
    if letter is None:
        return ""
    code = queries.get_code(letter.code_id)
    reason = _why_not(code, queries.get_batch(letter.batch_id))
    if reason:
        letter.state, letter.reason = "withheld", reason
    return reason


def withdraw_letter(letter_id: UUID, *, by: Actor) -> bool:
    """Keep a letter that waits from going out; its code stays as it is, and is nobody's again. False when it has gone."""
    letter = queries.lock_letter(letter_id)
    if letter.state != "waiting":
        return False
    not_a_gift(queries.get_batch(letter.batch_id))
    letter.state, letter.reason, letter.sealed = "withheld", _("Not sent: taken back by %(name)s.", name=by.name), None
    audit.record("vouchers.withdraw_letter", letter, by=by, after={"code_id": letter.code_id})
    return True


def seal_letter(code: str) -> bytes:
    """A code as it lies in a letter until that goes."""
    return _cipher().encrypt(code.encode())


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(signing.key("voucher-letter")))
