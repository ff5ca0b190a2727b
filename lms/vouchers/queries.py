"""Batches with their totals, codes with their trail, and the equation that must hold at every moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, text

from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow, EventRow
from lms.core.money import Money
from lms.courses.models import Course
from lms.vouchers.models import OPEN_STATES, Alert, Batch, BatchCourse, Code, Envelope, Letter, Redemption, Sheet, Step


@dataclass(slots=True)
class Found:
    """A code with its batch, and the redemption of the person who asks, if there is one."""

    code: Code
    batch: Batch
    mine: Redemption | None

    @property
    def value(self) -> Money:
        """What one use of this very code is worth."""
        return Money(self.code.value_minor, self.batch.currency)


@dataclass(frozen=True, slots=True)
class Totals:
    """How a batch stands, in uses and in minor units: issued = redeemed + outstanding + void + expired."""

    issued: int = 0
    redeemed: int = 0
    outstanding: int = 0
    void: int = 0
    expired: int = 0
    handed_out: int = 0
    issued_minor: int = 0
    redeemed_minor: int = 0
    outstanding_minor: int = 0
    void_minor: int = 0
    expired_minor: int = 0


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A batch held against itself and the ledger; `faults` is empty when every figure agrees. `given` is what its uses brought."""

    totals: Totals
    ledger: Money
    given: Money
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """One redemption with the ledger's transaction."""

    redemption: Redemption
    transaction_id: UUID | None


def get_batch(batch_id: UUID) -> Batch:
    """One batch of this channel."""
    found = db.session().scalars(select(Batch).where(Batch.id == batch_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such batch of vouchers here."))
    return found


def lock_batch(batch_id: UUID) -> Batch:
    """The same, locked until the end of the transaction and as it is now."""
    query = select(Batch).where(Batch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no such batch of vouchers here."))
    return found


def find_batch_by_request(request_digest: bytes) -> Batch | None:
    """The batch a form made, if it made one."""
    return db.session().scalars(select(Batch).where(Batch.request_digest == request_digest)).one_or_none()


def replacement_of(batch_id: UUID) -> Batch | None:
    """The newest batch that took the place of this one's codes."""
    return db.session().scalars(select(Batch).where(Batch.replaces_id == batch_id).order_by(Batch.created_at.desc()).limit(1)).one_or_none()


def changes_of(batch_id: UUID, most: int = 20) -> list[AuditRow]:
    """The receipts of a batch's edits, newest first."""
    of_batch = and_(AuditRow.target_kind == "batches", AuditRow.target_id == batch_id, AuditRow.action == "vouchers.edit_batch")
    return list(db.session().scalars(select(AuditRow).where(of_batch).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(most)))


def get_change(batch_id: UUID, change_id: UUID) -> AuditRow:
    """One receipt of a batch."""
    found = db.session().scalars(select(AuditRow).where(AuditRow.id == change_id, AuditRow.target_id == batch_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such change of this batch."))
    return found


def get_batch_by_request(request_digest: bytes) -> Batch:
    """The batch a form made."""
    return db.session().scalars(select(Batch).where(Batch.request_digest == request_digest)).one()


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


def get_code(code_id: UUID) -> Code:
    """One code of this channel, as it is now."""
    found = db.session().scalars(select(Code).where(Code.id == code_id).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such code here."))
    return found


def find_code(digest: bytes, user_id: UUID) -> Found | None:
    """The code of a digest as it is now, with its batch and this person's redemption of it."""
    return _find(Code.digest == digest, user_id)


def find_code_by_id(code_id: UUID, user_id: UUID) -> Found | None:
    """The same by the code's id."""
    return _find(Code.id == code_id, user_id)


def _find(which: Any, user_id: UUID) -> Found | None:
    query = (
        select(Code, Batch, Redemption)
        .join(Batch, Batch.id == Code.batch_id)
        .outerjoin(Redemption, and_(Redemption.code_id == Code.id, Redemption.user_id == user_id))
        .where(which)
        .execution_options(populate_existing=True)
    )
    row = db.session().execute(query).one_or_none()
    return Found(*row) if row else None


def course_ids_of(batch_id: UUID) -> list[UUID]:
    """The courses a batch opens or is bound to."""
    return list(db.session().scalars(select(BatchCourse.course_id).where(BatchCourse.batch_id == batch_id).order_by(BatchCourse.course_id)))


def courses_by_id(course_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The titles of those courses of this channel, deleted ones aside, by title."""
    query = select(Course.id, Course.title).where(Course.id.in_(set(course_ids)), Course.status != "deleted").order_by(Course.title)
    return {row.id: row.title for row in db.session().execute(query)} if course_ids else {}


def courses_to_choose() -> list[tuple[str, str]]:
    """Every course a code can open or be bound to, by title."""
    query = select(Course.id, Course.title).where(Course.status.in_(("draft", "submitted", "published"))).order_by(Course.title)
    return [(str(course_id), title) for course_id, title in db.session().execute(query)]


def courses_of(batch_id: UUID) -> dict[UUID, str]:
    """The titles of the courses a batch opens or is bound to, by title."""
    query = select(Course.id, Course.title).join(BatchCourse, BatchCourse.course_id == Course.id).where(BatchCourse.batch_id == batch_id)
    return {row.id: row.title for row in db.session().execute(query.order_by(Course.title))}


def get_redemption(redemption_id: UUID) -> Redemption:
    """One redemption."""
    found = db.session().scalars(select(Redemption).where(Redemption.id == redemption_id)).one_or_none()
    if found is None:
        raise NotFound(_("Nothing was redeemed under this address."))
    return found


def times_redeemed(batch_id: UUID, user_id: UUID) -> int:
    """How often a person has redeemed codes of a batch."""
    query = select(func.count()).where(Redemption.batch_id == batch_id, Redemption.user_id == user_id)
    return db.session().scalar(query.select_from(Redemption)) or 0


def trail_of(code_id: UUID) -> list[Step]:
    """The steps of a code after its making, oldest first."""
    return list(db.session().scalars(select(Step).where(Step.code_id == code_id).order_by(Step.at, Step.id)))


def uses_of(code_id: UUID, most: int = 50) -> list[Use]:
    """Who used a code, the newest first, each with the id of the ledger's transaction."""
    rows = (
        db.session()
        .execute(
            text(
                "SELECT r.id, t.id AS transaction_id FROM vouchers.redemptions r LEFT JOIN wallet.transactions t"
                " ON t.channel_id = r.channel_id AND t.source = 'voucher' AND t.reference_id = r.id WHERE r.code_id = :code"
            ),
            {"code": code_id},
        )
        .all()
    )
    booked = {row.id: row.transaction_id for row in rows}
    found = db.session().scalars(
        select(Redemption).where(Redemption.code_id == code_id).order_by(Redemption.at.desc(), Redemption.id).limit(most)
    )
    return [Use(redemption, booked.get(redemption.id)) for redemption in found]


def guessing_announced_since(moment: datetime) -> bool:
    """Whether the guessing alarm went off since a moment."""
    query = select(EventRow.id).where(EventRow.name == "VoucherGuessing", EventRow.happened_at >= moment).limit(1)
    return db.session().scalar(query) is not None


TOTALS = """
    SELECT batch_id, sum(max_uses) AS issued, sum(uses) AS redeemed,
        coalesce(sum(max_uses - uses) FILTER (WHERE now_state = 'open'), 0) AS outstanding,
        coalesce(sum(max_uses - uses) FILTER (WHERE now_state = 'void'), 0) AS void,
        coalesce(sum(max_uses - uses) FILTER (WHERE now_state = 'expired'), 0) AS expired,
        count(*) FILTER (WHERE state <> 'created') AS handed_out,
        sum(max_uses * value_minor) AS issued_minor, sum(uses * value_minor) AS redeemed_minor,
        coalesce(sum((max_uses - uses) * value_minor) FILTER (WHERE now_state = 'open'), 0) AS outstanding_minor,
        coalesce(sum((max_uses - uses) * value_minor) FILTER (WHERE now_state = 'void'), 0) AS void_minor,
        coalesce(sum((max_uses - uses) * value_minor) FILTER (WHERE now_state = 'expired'), 0) AS expired_minor
    FROM (SELECT *, CASE WHEN state NOT IN ('created', 'sent', 'printed') THEN state
          WHEN expires_at <= clock_timestamp() THEN 'expired' ELSE 'open' END AS now_state
          FROM vouchers.codes WHERE {which}) c GROUP BY batch_id
"""


def totals_of(batch_ids: Sequence[UUID]) -> dict[UUID, Totals]:
    """How batches stand now, by one query; an open code past its date counts as expired from that second on."""
    rows = db.session().execute(text(TOTALS.format(which="batch_id = ANY(CAST(:ids AS uuid[]))")), {"ids": list(batch_ids)}).mappings()
    return {row["batch_id"]: _totals(row) for row in rows}


def _totals(row: Any) -> Totals:
    return Totals(**{name: int(value) for name, value in row.items() if name != "batch_id"})


BALANCE = f"""
    SELECT (SELECT count(*) FROM vouchers.codes WHERE batch_id = :batch) AS codes,
        (SELECT coalesce(sum(-e.amount_minor), 0) FROM vouchers.redemptions r
            JOIN wallet.transactions t ON t.channel_id = r.channel_id AND t.source = 'voucher' AND t.reference_id = r.id
            JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.amount_minor < 0
            WHERE r.batch_id = :batch) AS booked,
        (SELECT count(*) FROM vouchers.redemptions WHERE batch_id = :batch) AS uses,
        (SELECT coalesce(sum(amount_minor), 0) FROM vouchers.redemptions WHERE batch_id = :batch) AS given, t.*
    FROM (VALUES (1)) AS one LEFT JOIN ({TOTALS.format(which="batch_id = ANY(CAST(:ids AS uuid[]))")}) t ON true
"""  # noqa: S608 -- parts of this file, no input


def reconcile(batch: Batch) -> Reconciled:
    """Hold a batch against its codes and the ledger: issued = redeemed + outstanding + void + expired, and redeemed = booked."""
    row = dict(db.session().execute(text(BALANCE), {"ids": [batch.id], "batch": batch.id}).mappings().one())
    codes, booked, uses, given = (int(row.pop(name)) for name in ("codes", "booked", "uses", "given"))
    totals = _totals(row) if row["batch_id"] else Totals()
    left = totals.redeemed + totals.outstanding + totals.void + totals.expired
    left_minor = totals.redeemed_minor + totals.outstanding_minor + totals.void_minor + totals.expired_minor
    checks = (
        (codes == batch.code_count, f"{codes} codes are there, and {batch.code_count} were issued"),
        (totals.issued == left, f"{totals.issued} uses were issued, and {left} are accounted for"),
        (totals.issued_minor == left_minor, f"{totals.issued_minor} was issued in money, and {left_minor} is accounted for"),
        (uses == totals.redeemed, f"codes count {totals.redeemed} uses, and {uses} redemptions are noted"),
        (
            int(booked) == (totals.redeemed_minor if batch.kind == "value" else 0),
            f"{totals.redeemed_minor} was redeemed, and the ledger booked {booked}",
        ),
    )
    ledger, off = Money(booked, batch.currency), Money(given, batch.currency)
    return Reconciled(totals, ledger, off, tuple(sentence for holds, sentence in checks if not holds))


def voucher_faults() -> list[str]:
    """What is wrong with this channel's vouchers, in plain sentences: uses, redemptions and ledger agree code by code (I6)."""
    rows = db.session().scalars(
        text(
            """
            SELECT 'I6: code ' || c.id || ' counts ' || c.uses || ' of ' || c.max_uses || ' uses, ' || count(r.id) || ' redemptions and '
                || count(t.id) || ' bookings.'
            FROM vouchers.codes c JOIN vouchers.batches b ON b.channel_id = c.channel_id AND b.id = c.batch_id
            LEFT JOIN vouchers.redemptions r ON r.channel_id = c.channel_id AND r.code_id = c.id
            LEFT JOIN wallet.transactions t ON t.channel_id = r.channel_id AND t.source = 'voucher' AND t.reference_id = r.id
            WHERE c.uses > 0 OR r.id IS NOT NULL GROUP BY c.id, c.uses, c.max_uses, b.kind
            HAVING c.uses > c.max_uses OR c.uses <> count(r.id)
                OR count(t.id) <> CASE WHEN b.kind = 'value' THEN c.uses ELSE 0 END LIMIT 20
            """
        )
    )
    return list(rows)


def find_code_id(batch_id: UUID, number: int) -> UUID:
    """The id of the code with that number in its batch."""
    return db.session().scalars(select(Code.id).where(Code.batch_id == batch_id, Code.number == number)).one()


@dataclass(frozen=True, slots=True)
class Touched:
    """What voiding would touch: open codes, and the minor units that are still on them."""

    count: int
    minor: int


def unused_of(batch_id: UUID) -> Touched:
    """How many codes nobody has used yet can still be redeemed, and what they are worth."""
    return open_among(batch_id, unused=True)


def open_among(batch_id: UUID, code_ids: Sequence[UUID] | None = None, *, unused: bool = False) -> Touched:
    """How many codes of a batch (or of those named) are still to be redeemed, and what they are worth."""
    query = select(func.count(), func.coalesce(func.sum((Code.max_uses - Code.uses) * Code.value_minor), 0)).where(
        Code.batch_id == batch_id, Code.state.in_(OPEN_STATES)
    )
    if code_ids is not None:
        query = query.where(Code.id.in_(code_ids))
    if unused:
        query = query.where(Code.uses == 0)
    count, minor = db.session().execute(query).one()
    return Touched(count, int(minor))
