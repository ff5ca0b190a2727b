"""Making batches, handing them out, letting them expire, voiding them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import insert

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import token, uuid7
from lms.core.tenancy import current_channel
from lms.vouchers import queries
from lms.vouchers.events import VoucherBatchCreated, VouchersVoided
from lms.vouchers.models import Batch, BatchCourse
from lms.vouchers.operations.codes import digests_of, make_codes, read_word, request_digest, write
from lms.vouchers.operations.envelopes import open_codes, put_in_envelope
from lms.vouchers.operations.wishes import NewBatch


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
    ON CONFLICT (channel_id, digest) DO NOTHING
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
VOID_UNUSED = text(CHANGED.format(which="batch_id = :batch AND state IN ('created', 'sent', 'printed') AND uses = 0"))
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
    _bind_to_courses(batch, wish.course_ids)
    bare = [wish.word] if wish.word else make_codes(wish.count)
    _insert_codes(batch, bare, by)
    if seal:
        put_in_envelope(batch, bare, seal=seal, by=by)
    audit.record("vouchers.create_batch", batch, by=by, after=_facts(wish))
    if not wish.is_gift:
        emit(VoucherBatchCreated(by=by.user_id, batch_id=batch.id))
    return Issued(batch, [write(code, batch.prefix, batch.grouping) for code in bare])


def _facts(wish: NewBatch) -> dict[str, Any]:
    known = {"count": wish.count, "kind": wish.kind, "value_minor": wish.value.minor, "currency": wish.value.currency}
    more: dict[str, Any] = {
        "percent": wish.percent,
        "courses": list(wish.course_ids),
        "domains": list(wish.domains),
        "replaces_id": wish.replaces_id,
    }
    more |= {"money_days": wish.money_days, "money_until": wish.money_until}
    return known | {name: value for name, value in more.items() if value}


def _bind_to_courses(batch: Batch, course_ids: Sequence[UUID]) -> None:
    """The courses it opens or is bound to; only those of this channel are found."""
    found = queries.courses_by_id(course_ids)
    if len(found) < len(set(course_ids)):
        raise Invalid(
            _("Some of this does not fit yet."), fields={"course_ids": _("One of these courses is not there any more. Choose again.")}
        )
    db.session().add_all(BatchCourse(batch_id=batch.id, course_id=course_id) for course_id in found)
    db.session().flush()


def _insert_batch(wish: NewBatch, named: bytes, by: Actor) -> Any:
    values = {
        "channel_id": current_channel(),
        "id": uuid7(),
        "label": wish.label.strip(),
        "purpose": wish.purpose.strip(),
        "owner_id": wish.owner_id or by.user_id,
        "kind": wish.kind,
        "value_minor": wish.value.minor,
        "percent": wish.percent,
        "grouping": wish.grouping,
        "is_word": bool(wish.word),
        "is_gift": wish.is_gift,
        "domains": list(wish.domains),
        "replaces_id": wish.replaces_id,
        "currency": wish.value.currency,
        "code_count": wish.count,
        "uses_per_code": wish.uses_per_code,
        "prefix": wish.prefix,
        "starts_at": wish.starts_at,
        "expires_at": wish.expires_at,
        "per_person": wish.per_person,
        "sold_for_minor": wish.sold_for_minor,
        "money_days": wish.money_days,
        "money_until": wish.money_until,
        "request_digest": named,
        "created_at": now(),
        "created_by": by.user_id,
    }
    return insert(Batch).values(values).on_conflict_do_nothing(index_elements=["channel_id", "request_digest"]).returning(Batch.id)


def _insert_codes(batch: Batch, bare: Sequence[str], by: Actor) -> None:
    read = [read_word(code) or "" for code in bare] if batch.is_word else bare
    made = db.session().execute(
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
            "digests": digests_of(read),
            "last4s": [code[-4:] for code in bare],
        },
    )
    if cast(Any, made).rowcount < len(bare):
        raise Invalid(
            _("Some of this does not fit yet."),
            fields={"word": _("A coupon with this word is there already, in use or used up. Extend it, or choose another word.")},
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
    not_a_gift(batch)
    return _void(VOID_REST if code_ids is None else VOID_SOME, batch, reason, by, list(code_ids or ()))


def void_gift(batch: Batch, code_ids: Sequence[UUID], *, reason: str, by: Actor) -> int:
    """Make the code of a gift worthless because the gift is taken back; the number of codes."""
    return _void(VOID_SOME, batch, reason, by, list(code_ids))


def not_a_gift(batch: Batch) -> None:
    """Raise Conflict for the batch of a gift: its terms were paid for, and its code is the receiver's alone."""
    if batch.is_gift:
        raise Conflict(_("This is a gift somebody paid for. It is not changed; its giver or an admin can take it back."), rule="gift")


def void_unused(batch: Batch, *, reason: str, by: Actor) -> int:
    """Make every code worthless that nobody has used yet; the number of codes."""
    return _void(VOID_UNUSED, batch, reason, by, [])


def _void(statement: Any, batch: Batch, reason: str, by: Actor, ids: list[UUID]) -> int:
    count = _change(statement, "vouchers.void", batch, "void", note=reason.strip()[:500], by=by, ids=ids)
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
        told = {"reason": note, "state_at": values["at"]} if note else {}
        audit.record(action, batch, by=by, after={"count": count, **told})
    return count
