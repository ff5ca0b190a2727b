"""Changing a batch afterwards: only what is still to be used changes, and the audit keeps a receipt that can be put back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, text

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow
from lms.core.money import Money
from lms.vouchers import queries
from lms.vouchers.models import Batch, BatchCourse
from lms.vouchers.operations.batches import Issued, create_batch, not_a_gift, void_unused
from lms.vouchers.operations.codes import request_digest
from lms.vouchers.operations.wishes import NewBatch

ACTION = "vouchers.edit_batch"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What can be changed of a batch once it is made."""

    label: str
    purpose: str
    owner_id: UUID | None
    value_minor: int
    percent: int | None
    course_ids: tuple[UUID, ...]
    starts_at: datetime | None
    expires_at: datetime | None
    per_person: int | None
    domains: tuple[str, ...]
    sold_for_minor: int | None
    money_days: int | None
    money_until: datetime | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an edit did: how many unused codes follow the new terms, and how many expired ones work again."""

    is_changed: bool
    codes: int = 0
    revived: int = 0


FOLLOW = text(
    """
    UPDATE vouchers.codes SET value_minor = CASE WHEN uses = 0 THEN CAST(:value AS bigint) ELSE value_minor END,
        expires_at = CAST(:expires AS timestamptz)
    WHERE channel_id = :channel AND batch_id = :batch AND state IN ('created', 'sent', 'printed', 'expired') AND uses < max_uses
    """
)
# Back to what each was before it expired, or before one act made it void; used codes are not among them.
BACK = """
    WITH past AS (
        SELECT c.id, coalesce((SELECT s.state FROM vouchers.steps s WHERE s.channel_id = c.channel_id AND s.code_id = c.id
            AND s.state IN ('sent', 'printed') ORDER BY s.at DESC, s.id DESC LIMIT 1), 'created') AS state
        FROM vouchers.codes c WHERE c.channel_id = :channel AND c.batch_id = :batch AND {which}),
    changed AS (
        UPDATE vouchers.codes c SET state = past.state, state_at = :at, state_by = :by FROM past
        WHERE c.channel_id = :channel AND c.id = past.id AND {which} RETURNING c.id, c.batch_id, c.state)
    INSERT INTO vouchers.steps (channel_id, id, batch_id, code_id, state, at, actor_id, actor_name, note)
    SELECT :channel, gen_random_uuid(), batch_id, id, state, :at, :by, :name, :note FROM changed RETURNING code_id
"""
REVIVE = text(BACK.format(which="c.state = 'expired'"))
UNVOID = text(BACK.format(which="c.state = 'void' AND c.state_at = CAST(:voided_at AS timestamptz)"))
VOID_ACTION = "vouchers.void"
VOID_DAYS = timedelta(days=30)


def terms_of(batch: Batch) -> Terms:
    """A batch's terms as they are."""
    plain = ("label", "purpose", "owner_id", "value_minor", "percent", "starts_at", "expires_at", "per_person", "sold_for_minor")
    known: dict[str, Any] = {name: getattr(batch, name) for name in (*plain, "money_days", "money_until")}
    return Terms(**known, course_ids=tuple(queries.course_ids_of(batch.id)), domains=tuple(batch.domains))


def edit_batch(batch: Batch, terms: Terms, *, version: int, revive: bool = False, by: Actor) -> Receipt:
    """Change a batch's terms; codes in use keep their value, void ones stay void, expired ones come back only with `revive`.

    Raises Conflict when somebody changed the batch since `version`. The audit row is the receipt.
    """
    not_a_gift(batch)
    locked = queries.lock_batch(batch.id)
    if locked.version != version:
        raise Conflict(_("Somebody else changed this batch meanwhile. Look at it again, then make your change."), rule="version")
    before, after = asdict(terms_of(locked)), asdict(terms)
    changed = {name: value for name, value in after.items() if value != before[name]}
    if not changed and not revive:
        return Receipt(False)
    _check(locked, terms, changed, revive)
    _apply(locked, changed)
    values = {"channel": locked.channel_id, "batch": locked.id, "value": locked.value_minor, "expires": locked.expires_at}
    codes = cast(Any, db.session().execute(FOLLOW, values)).rowcount
    who = {"at": now(), "by": by.user_id, "name": by.name, "note": _("valid again")}
    revived = len(db.session().execute(REVIVE, {"channel": locked.channel_id, "batch": locked.id, **who}).all()) if revive else 0
    if revived:
        locked.archived_at = None
    facts = {"codes": codes, **({"revived": revived} if revived else {})}
    audit.record(ACTION, locked, by=by, before={name: before[name] for name in changed}, after={**changed, **facts})
    return Receipt(True, codes, revived)


def _check(batch: Batch, terms: Terms, changed: Mapping[str, Any], revive: bool) -> None:
    """The rules of a new batch hold for a changed one; a last day that was not touched may be past."""
    wish = NewBatch(
        label=terms.label,
        kind=batch.kind,
        value=Money(terms.value_minor, batch.currency),
        count=batch.code_count,
        uses_per_code=batch.uses_per_code,
        percent=terms.percent,
        course_ids=terms.course_ids,
        purpose=terms.purpose,
        starts_at=terms.starts_at,
        expires_at=terms.expires_at,
        per_person=terms.per_person,
        domains=terms.domains,
        sold_for_minor=terms.sold_for_minor,
        money_days=terms.money_days,
        money_until=terms.money_until,
    )
    faults = wish.faults()
    if "expires_at" not in changed and not revive:
        faults.pop("expires_at", None)
    if len(queries.courses_by_id(terms.course_ids)) < len(terms.course_ids):
        faults["course_ids"] = _("One of these courses is not there any more. Choose again.")
    if faults:
        raise Invalid(_("Some of this does not fit yet."), fields=faults)


def _apply(batch: Batch, changed: Mapping[str, Any]) -> None:
    for name, value in changed.items():
        if name != "course_ids":
            setattr(batch, name, list(value) if name == "domains" else value)
    batch.version += 1
    if "course_ids" in changed:
        db.session().execute(delete(BatchCourse).where(BatchCourse.batch_id == batch.id))
        db.session().add_all(BatchCourse(batch_id=batch.id, course_id=course_id) for course_id in changed["course_ids"])
    db.session().flush()


def undo_edit(batch: Batch, change: AuditRow, *, by: Actor) -> Receipt:
    """Put a batch back to what it was before a change; raises Conflict when what the change set has changed again since.

    Codes that a change brought back are not taken away: with the old last day they count as expired again by themselves.
    """
    terms, before, after = asdict(terms_of(batch)), dict(change.before or {}), dict(change.after or {})
    if change.action != ACTION or change.target_id != batch.id or not before:
        raise Invalid(_("This change cannot be put back."))
    known = {name: _read(name, value) for name, value in before.items()}
    if any(terms[name] != _read(name, after.get(name)) for name in known):
        raise Conflict(_("This was changed again since. Put the newer change back first, or edit the batch."), rule="version")
    return edit_batch(batch, Terms(**{**terms, **known}), version=batch.version, by=by)


def undo_void(batch: Batch, change: AuditRow, *, by: Actor) -> int:
    """Make the codes valid again that one act made void, however many, used in part or not; the number of codes.

    Those that changed since are left alone. Raises Invalid for another kind of change or after thirty days.
    """
    voided_at = (change.after or {}).get("state_at")
    if change.action != VOID_ACTION or change.target_id != batch.id or not voided_at or change.at < now() - VOID_DAYS:
        raise Invalid(_("This change cannot be put back."))
    not_a_gift(batch)
    if batch.deleted_at is not None:
        raise Conflict(_("This batch lies in the bin. Restore it first."), rule="bin")
    return unvoid(batch, datetime.fromisoformat(voided_at), by=by)


def unvoid(batch: Batch, voided_at: datetime, *, by: Actor) -> int:
    """Make what became void in one moment what it was before."""
    who = {"at": now(), "by": by.user_id, "name": by.name, "note": _("valid again"), "voided_at": voided_at}
    count = len(db.session().execute(UNVOID, {"channel": batch.channel_id, "batch": batch.id, **who}).all())
    if count:
        batch.archived_at = None  # there are codes to be redeemed again
        audit.record("vouchers.void_undone", batch, by=by, after={"count": count})
    return count


def _read(name: str, value: Any) -> Any:
    """A value of the audit as the terms have it."""
    return TypeAdapter(Terms.__annotations__[name]).validate_python(value, strict=False)


def replace_unused(batch: Batch, *, reason: str, seal: str | None = None, by: Actor) -> Issued:
    """Void every unused code of a batch and make as many new ones on the same terms; the same `seal` again answers the same batch.

    The codes of a batch cannot be read again: whoever lost them gets others.
    """
    made = queries.find_batch_by_request(request_digest(seal)) if seal else None
    if made is not None:
        return create_batch(_same_terms(made, made.code_count), seal=seal, by=by)
    not_a_gift(batch)
    if batch.is_word:
        raise Invalid(_("A word of your own is not lost: edit the batch instead."))
    count = void_unused(batch, reason=reason, by=by)
    if not count:
        raise Invalid(_("This batch has no unused codes that could be replaced."))
    return create_batch(_same_terms(batch, count), seal=seal, by=by)


def _same_terms(batch: Batch, count: int) -> NewBatch:
    terms = terms_of(batch)
    same: Sequence[str] = ("label", "purpose", "owner_id", "percent", "course_ids", "starts_at", "expires_at", "per_person", "domains")
    return NewBatch(
        **{name: getattr(terms, name) for name in same},
        kind=batch.kind,
        value=batch.value,
        count=count,
        prefix=batch.prefix,
        grouping=batch.grouping,
        uses_per_code=batch.uses_per_code,
        sold_for_minor=batch.sold_for_minor,
        money_days=batch.money_days,
        money_until=batch.money_until,
        replaces_id=batch.id,
    )
