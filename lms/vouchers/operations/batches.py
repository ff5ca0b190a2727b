"""Making batches, handing them out, letting them expire, voiding them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import token, uuid7
from lms.core.money import MAX_MINOR, Money
from lms.core.tenancy import current_channel
from lms.vouchers import queries
from lms.vouchers.events import VoucherBatchCreated, VouchersVoided
from lms.vouchers.models import Batch
from lms.vouchers.operations.codes import digest_of, make_codes, request_digest, write
from lms.vouchers.operations.envelopes import open_codes, put_in_envelope

MOST_CODES = 10_000
MOST_USES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBatch:
    """A batch as it is asked for; `per_person` None is no limit."""

    label: str
    value: Money
    count: int
    purpose: str = ""
    prefix: str = ""
    owner_id: UUID | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    per_person: int | None = None
    uses_per_code: int = 1
    sold_for_minor: int | None = None

    @property
    def worth(self) -> Money:
        """What all codes are worth together."""
        return self.value * (self.count * self.uses_per_code)

    def faults(self) -> dict[str, str]:
        """What is wrong with the wish, field by field."""
        rules = {
            "label": (1 <= len(self.label.strip()) <= 120, _("Give the batch a name of up to 120 letters.")),
            "value": (0 < self.value.minor <= MAX_MINOR, _("The value must be more than zero.")),
            "count": (1 <= self.count <= MOST_CODES, _("A batch has 1 to 10,000 codes.")),
            "uses_per_code": (1 <= self.uses_per_code <= MOST_USES, _("A code can be used 1 to 100,000 times.")),
            "prefix": (re.fullmatch(r"[A-Z0-9]{0,12}", self.prefix) is not None, _("A prefix has up to 12 letters A–Z and digits.")),
            "per_person": (
                self.per_person is None or self.per_person >= 1,
                _("The limit per person is 1 or more; leave it empty for none."),
            ),
            "expires_at": (
                self.expires_at is None or (self.expires_at > now() and (self.starts_at is None or self.expires_at > self.starts_at)),
                _("The last day must lie ahead, and after the first."),
            ),
            "sold_for_minor": (self.sold_for_minor is None or self.sold_for_minor >= 0, _("The price cannot be below zero.")),
        }
        found = {field: sentence for field, (fits, sentence) in rules.items() if not fits}
        if not found and self.worth.minor > MAX_MINOR:
            found["count"] = _("Together these codes are worth more than an academy can book.")
        return found


@dataclass(frozen=True, slots=True)
class Issued:
    """A new batch with its codes as they stand on cards; this is the only moment they are known."""

    batch: Batch
    codes: list[str]


INSERT_CODES = text(
    """
    INSERT INTO vouchers.codes (channel_id, id, batch_id, number, digest, last4, value_minor, expires_at, max_uses, state_at, state_by)
    SELECT :channel, made.id, :batch, made.number, made.digest, made.last4, :value, :expires, :max_uses, :at, :by
    FROM unnest(CAST(:ids AS uuid[]), CAST(:digests AS bytea[]), CAST(:last4s AS text[]))
        WITH ORDINALITY AS made (id, digest, last4, number)
    """
).bindparams(bindparam("expires"))
CHANGED = """
    WITH changed AS (
        UPDATE vouchers.codes SET state = :state, state_at = :at, state_by = :by
        WHERE channel_id = :channel AND {which} RETURNING id, batch_id, state_at)
    INSERT INTO vouchers.steps (channel_id, id, batch_id, code_id, state, at, actor_id, actor_name, note)
    SELECT :channel, gen_random_uuid(), batch_id, id, :state, state_at, :by, :name, :note FROM changed RETURNING code_id
"""
HAND_OUT = text(CHANGED.format(which="batch_id = :batch AND state = 'created'"))
VOID_REST = text(CHANGED.format(which="batch_id = :batch AND state IN ('created', 'sent', 'printed')"))
VOID_SOME = text(CHANGED.format(which="batch_id = :batch AND state IN ('created', 'sent', 'printed') AND id = ANY(CAST(:ids AS uuid[]))"))
EXPIRE = text(CHANGED.format(which="state IN ('created', 'sent', 'printed') AND expires_at <= clock_timestamp()"))


def create_batch(wish: NewBatch, *, seal: str | None = None, by: Actor) -> Issued:
    """Make a batch with all its codes; the same `seal` again answers the same batch.

    With a seal the codes wait an hour for their one-time download.
    """
    faults = wish.faults()
    if faults:
        raise Invalid(_("Some of this does not fit yet."), fields=faults)
    named = request_digest(seal or token())
    made = db.session().scalar(_insert_batch(wish, named, by))
    if made is None:
        batch = queries.get_batch_by_request(named)
        return Issued(batch, open_codes(batch, seal=seal) if seal and queries.find_envelope(batch.id) else [])
    batch = queries.get_batch(made)
    bare = make_codes(wish.count)
    _insert_codes(batch, bare, by)
    if seal:
        put_in_envelope(batch, bare, seal=seal, by=by)
    audit.record(
        "vouchers.create_batch", batch, by=by, after={"count": wish.count, "value_minor": wish.value.minor, "currency": wish.value.currency}
    )
    emit(VoucherBatchCreated(by=by.user_id, batch_id=batch.id))
    return Issued(batch, [write(code, batch.prefix) for code in bare])


def _insert_batch(wish: NewBatch, named: bytes, by: Actor) -> Any:
    values = {
        "channel_id": current_channel(),
        "id": uuid7(),
        "label": wish.label.strip(),
        "purpose": wish.purpose.strip(),
        "owner_id": wish.owner_id or by.user_id,
        "kind": "value",
        "value_minor": wish.value.minor,
        "currency": wish.value.currency,
        "code_count": wish.count,
        "uses_per_code": wish.uses_per_code,
        "prefix": wish.prefix,
        "starts_at": wish.starts_at,
        "expires_at": wish.expires_at,
        "per_person": wish.per_person,
        "sold_for_minor": wish.sold_for_minor,
        "request_digest": named,
        "created_at": now(),
        "created_by": by.user_id,
    }
    return insert(Batch).values(values).on_conflict_do_nothing(index_elements=["channel_id", "request_digest"]).returning(Batch.id)


def _insert_codes(batch: Batch, bare: Sequence[str], by: Actor) -> None:
    db.session().execute(
        INSERT_CODES,
        {
            "channel": batch.channel_id,
            "batch": batch.id,
            "value": batch.value_minor,
            "expires": batch.expires_at,
            "max_uses": batch.uses_per_code,
            "at": now(),
            "by": by.user_id,
            "ids": [uuid7() for _code in bare],
            "digests": [digest_of(code) for code in bare],
            "last4s": [code[-4:] for code in bare],
        },
    )


def mark_handed_out(batch: Batch, state: str, *, by: Actor) -> int:
    """Note that the codes left the house, as a file (`sent`) or on paper (`printed`); the number of codes it was new for."""
    return _change(HAND_OUT, f"vouchers.{state}", batch, state, note="", by=by)


def note_download(batch: Batch, form: str, count: int, *, by: Actor) -> None:
    """Audit that codes were read in the clear: by whom, in which form, how many."""
    audit.record("vouchers.download", batch, by=by, after={"form": form, "count": count})


def void_codes(batch: Batch, code_ids: Sequence[UUID] | None = None, *, reason: str, by: Actor) -> int:
    """Make codes of a batch worthless, all that are open unless some are named; used ones stay. The number of codes voided."""
    if not reason.strip():
        raise Invalid(_("Say why, so that the trail explains itself."), fields={"reason": _("Say why, so that the trail explains itself.")})
    statement = VOID_REST if code_ids is None else VOID_SOME
    count = _change(statement, "vouchers.void", batch, "void", note=reason.strip()[:500], by=by, ids=list(code_ids or ()))
    if count:
        emit(VouchersVoided(by=by.user_id, batch_id=batch.id, count=count))
    return count


def expire_codes(*, by: Actor) -> int:
    """Write down that codes past their date have expired; the number of codes."""
    values = {"channel": current_channel(), "state": "expired", "at": now(), "by": None, "name": by.name, "note": ""}
    count = len(db.session().execute(EXPIRE, values).all())
    if count:
        audit.record("vouchers.expire", "codes", by=by, after={"count": count})
    return count


def _change(statement: Any, action: str, batch: Batch, state: str, *, note: str, by: Actor, ids: Sequence[UUID] = ()) -> int:
    values: dict[str, Any] = {
        "channel": batch.channel_id,
        "batch": batch.id,
        "state": state,
        "at": now(),
        "by": by.user_id,
        "name": by.name,
        "note": note,
    }
    if statement is VOID_SOME:
        values["ids"] = list(ids)
    count = len(db.session().execute(statement, values).all())
    if count:
        audit.record(action, batch, by=by, after={"count": count, **({"reason": note} if note else {})})
    return count
