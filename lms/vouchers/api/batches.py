"""Batches: listed, made, changed, voided; the codes of a new one are answered once."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from flask import url_for
from pydantic import Field, model_validator

from lms.channels.queries import get_member, this_channel
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.vouchers import operations, policies, queries
from lms.vouchers.api.door import Seal, bp
from lms.vouchers.operations import NewBatch
from lms.vouchers.reports import Batches, Finance
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Ids, Line, Moment, Rows, answer_rows, endpoint, located


class BatchRequest(Body):
    """A new batch; `per_person` null is no limit.

    `kind` says what a code gives: `value` (money), `course` (the courses of `course_ids`), `percent` or `amount` off a price, for all
    courses or those of `course_ids`. `word` is the code itself, for a coupon with one code.
    With a `seal` of the client's own (40 to 64 letters) the codes stay open to it for an hour: for sheets and letters.
    """

    label: Line
    kind: Literal["value", "course", "percent", "amount"] = "value"
    value: Amount | None = None
    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    course_ids: Ids = []
    domains: Annotated[list[Line], Field(max_length=20)] = []
    word: Annotated[str, Field(pattern=r"^([A-Z0-9]{4,20})?$")] = ""
    grouping: Literal[0, 4, 7] = 4
    count: Annotated[int, Field(ge=1, le=10_000)]
    purpose: Annotated[str, Field(max_length=1000)] = ""
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,12}$")] = ""
    owner_id: UUID | None = None
    seal: Seal | None = None
    starts_at: Moment | None = None
    expires_at: Moment | None = None
    per_person: Annotated[int, Field(ge=1, le=10_000)] | None = None
    uses_per_code: Annotated[int, Field(ge=1, le=100_000)] = 1
    sold_for_minor: Annotated[int, Field(ge=0, le=10**12)] | None = None
    money_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    money_until: Moment | None = None


class BatchAnswer(Answer):
    """A batch of vouchers."""

    id: UUID
    label: str
    purpose: str
    owner_id: UUID | None
    kind: str
    value: Amount
    percent: int | None
    domains: list[str]
    replaces_id: UUID | None
    version: int
    code_count: int
    uses_per_code: int
    prefix: str
    starts_at: datetime | None
    expires_at: datetime | None
    per_person: int | None
    money_days: int | None
    money_until: datetime | None
    created_at: datetime


class NewBatchAnswer(BatchAnswer):
    """A new batch with its codes: they are answered here, now, and kept nowhere."""

    codes: list[str]


class StandingAnswer(Answer):
    """How a batch stands, in uses: issued = redeemed + outstanding + void + expired."""

    issued: int
    redeemed: int
    outstanding: int
    void: int
    expired: int


class AfterwardsAnswer(Answer):
    """What became of money with a date once it was in wallets: came = spent + held + expired."""

    came: Amount
    spent: Amount
    held: Amount
    expired: Amount


class BatchDetails(BatchAnswer):
    """A batch and how it stands; `faults` is empty when it agrees with the ledger. `afterwards` is null without dated money."""

    course_ids: list[UUID]
    standing: StandingAnswer
    afterwards: AfterwardsAnswer | None
    faults: list[str]


class VoidRequest(Body):
    """Which codes lose their value, and why; without ids, all that are open."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    code_ids: Ids | None = None


class EditRequest(Body):
    """The terms to change; those that are not sent stay. `version` is the batch's, so that nobody's change is written over."""

    version: int
    revive: bool = False
    label: Line | None = None
    purpose: Annotated[str, Field(max_length=1000)] | None = None
    owner_id: UUID | None = None
    value_minor: Annotated[int, Field(ge=0, le=10**15)] | None = None
    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    course_ids: Ids | None = None
    starts_at: Moment | None = None
    expires_at: Moment | None = None
    per_person: Annotated[int, Field(ge=1, le=10_000)] | None = None
    domains: Annotated[list[Line], Field(max_length=20)] | None = None
    sold_for_minor: Annotated[int, Field(ge=0, le=10**12)] | None = None
    money_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    money_until: Moment | None = None

    @model_validator(mode="after")
    def _not_emptied(self) -> Self:
        for name in ("label", "purpose", "value_minor", "course_ids", "domains"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null; leave it out to keep it")
        return self


class Edited(Answer):
    """How many unused codes follow the change, how many expired ones work again, and the batch's version now."""

    codes: int
    revived: int
    version: int


class ReplaceRequest(Body):
    """Why codes are replaced."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Voided(Answer):
    """How many codes were voided."""

    count: int


@bp.get("/batches")
@endpoint(lists=Batches)
def batches() -> Rows:
    """Every batch with how it stands."""
    allow(policies.can_manage(actor()))
    return answer_rows(Batches())


@bp.post("/batches")
@endpoint(status=201, money=True)
def batches_create(body: BatchRequest) -> NewBatchAnswer:
    """Make a batch; its codes are in the answer, and nowhere else afterwards."""
    allow(policies.can_manage(actor()))
    currency = this_channel().currency
    owner_id = get_member(body.owner_id).id if body.owner_id is not None else actor().user_id
    if body.value is not None and body.value.currency != currency:
        raise Invalid(
            _("What was sent does not fit."), fields={"value.currency": _("This academy's money is %(currency)s.", currency=currency)}
        )
    wish, value = body.model_dump(exclude={"value", "owner_id", "seal"}), Money(body.value.minor if body.value else 0, currency)
    made = operations.create_batch(NewBatch(value=value, owner_id=owner_id, **wish), seal=body.seal, by=actor())
    if body.seal is None:
        operations.mark_handed_out(made.batch, "sent", by=actor())
    operations.note_download(made.batch, "api", len(made.codes), by=actor())
    located(url_for(".batches_show", batch_id=made.batch.id))
    return NewBatchAnswer(**BatchAnswer.model_validate(made.batch).model_dump(), codes=made.codes)


@bp.get("/batches/<uuid:batch_id>")
@endpoint()
def batches_show(batch_id: UUID) -> BatchDetails:
    """One batch: how it stands, and whether it agrees with the ledger."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    found = queries.reconcile(batch)
    standing = StandingAnswer.model_validate(found.totals)
    about = BatchAnswer.model_validate(batch).model_dump()
    after = AfterwardsAnswer.model_validate(found.after) if found.after else None
    courses = queries.course_ids_of(batch.id)
    return BatchDetails(**about, course_ids=courses, standing=standing, afterwards=after, faults=list(found.faults))


@bp.post("/batches/<uuid:batch_id>/edit")
@endpoint()
def batches_edit(batch_id: UUID, body: EditRequest) -> Edited:
    """Change the terms that are sent; unused codes follow, used and void ones stay as they are."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    sent: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - {"version", "revive"}}
    for name in {"course_ids", "domains"} & set(sent):
        sent[name] = tuple(sorted(sent[name])) if name == "course_ids" else tuple(sent[name])
    if sent.get("owner_id"):
        get_member(sent["owner_id"])
    wanted = replace(operations.terms_of(batch), **sent)
    receipt = operations.edit_batch(batch, wanted, version=body.version, revive=body.revive, by=actor())
    return Edited(codes=receipt.codes, revived=receipt.revived, version=queries.get_batch(batch.id).version)


@bp.post("/batches/<uuid:batch_id>/replace")
@endpoint(status=201, money=True)
def batches_replace(batch_id: UUID, body: ReplaceRequest) -> NewBatchAnswer:
    """Void the unused codes and make as many new ones; they are in the answer, and nowhere else afterwards."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    made = operations.replace_unused(batch, reason=body.reason, seal=None, by=actor())
    operations.mark_handed_out(made.batch, "sent", by=actor())
    operations.note_download(made.batch, "api", len(made.codes), by=actor())
    located(url_for(".batches_show", batch_id=made.batch.id))
    return NewBatchAnswer(**BatchAnswer.model_validate(made.batch).model_dump(), codes=made.codes)


@bp.get("/finance")
@endpoint(lists=Finance)
def finance() -> Rows:
    """Every batch in figures for the books."""
    allow(policies.can_manage(actor()))
    return answer_rows(Finance())


@bp.post("/batches/<uuid:batch_id>/void")
@endpoint()
def batches_void(batch_id: UUID, body: VoidRequest) -> Voided:
    """Make codes worthless: those named, or all that are open."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    return Voided(count=operations.void_codes(batch, body.code_ids, reason=body.reason, by=actor()))


class Restored(Answer):
    """How many codes are valid again."""

    count: int


@bp.post("/batches/<uuid:batch_id>/changes/<uuid:change_id>/undo")
@endpoint()
def batches_changes_undo(batch_id: UUID, change_id: UUID) -> Restored:
    """Put a change of a batch back: its terms, or the codes one act made void."""
    batch = queries.get_batch(batch_id)
    change = queries.get_change(batch.id, change_id)
    allow(policies.can_manage(actor()))
    if change.action == "vouchers.void":
        return Restored(count=operations.undo_void(batch, change, by=actor()))
    return Restored(count=operations.undo_edit(batch, change, by=actor()).codes)


@bp.delete("/batches/<uuid:batch_id>")
@endpoint(status=204)
def batches_delete(batch_id: UUID) -> None:
    """Put a batch nobody used into the bin, from which it is restored for 30 days."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    operations.delete_batch(batch, by=actor())


@bp.post("/batches/<uuid:batch_id>/archive")
@endpoint()
def batches_archive(batch_id: UUID) -> BatchAnswer:
    """Put a batch of which nothing is outstanding out of the way; its figures and codes stay readable."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    operations.archive_batch(batch, by=actor())
    return BatchAnswer.model_validate(batch)


@bp.post("/batches/<uuid:batch_id>/unarchive")
@endpoint()
def batches_unarchive(batch_id: UUID) -> BatchAnswer:
    """Bring a batch back into the list."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    operations.unarchive_batch(batch, by=actor())
    return BatchAnswer.model_validate(batch)
