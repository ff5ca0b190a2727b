"""Door 3: bulk acts, planned, applied and taken back by machines; the audit log and the bin."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, url_for
from pydantic import Field
from sqlalchemy import select

from lms.admin import policies, queries
from lms.admin.reports import Audit, Bin, Plans
from lms.core import bin as recycle
from lms.core import db, deeds, plans
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.models import PlanRow
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Ids, Query, Rows, answer_rows, endpoint, located

bp = Blueprint("admin_api", __name__, url_prefix="/api/v1")
MOST_ROWS = 500


class PlanAnswer(Answer):
    """A bulk act: where it stands and its counts; `undo_until` is null before it is applied."""

    id: UUID
    act: str
    title: str
    state: str
    row_count: int
    new_count: int
    changed_count: int
    same_count: int
    refused_count: int
    applied_count: int
    conflict_count: int
    undone_count: int
    failure: str
    created_at: datetime
    applied_at: datetime | None
    undo_until: datetime | None


class PlanRowAnswer(Answer):
    """One row: its verdict, the reason in words, what stands and what would, and what became of it."""

    number: int
    subject_id: UUID | None
    label: str
    verdict: str
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    result: str


class PlanRows(Answer):
    """Some rows of a plan; `next` is the number to ask for the rows after, null at the end."""

    rows: list[PlanRowAnswer]
    next: int | None


class NewPlan(Body):
    """An act and what it is about: rows by field, ids, or the text of a CSV file; exactly one of them."""

    act: Annotated[str, Field(max_length=100, examples=["channels.import_people"])]
    rows: Annotated[list[dict[str, Annotated[str, Field(max_length=20_000)]]], Field(max_length=5_000)] | None = None
    ids: Ids | None = None
    csv: Annotated[str, Field(max_length=900_000)] | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class RowsQuery(Query):
    """Which rows."""

    verdict: Literal["new", "changed", "same", "refused"] | None = None
    result: Literal["applied", "refused", "conflict", "undone"] | None = None
    after: Annotated[int, Field(ge=0, le=2**40)] = 0
    size: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100


@bp.get("/plans")
@endpoint(lists=Plans)
def plans_list() -> Rows:
    """Bulk acts: what waits, and the receipts."""
    allow(policies.can_see_plans(actor()))
    return answer_rows(Plans())


@bp.post("/plans")
@endpoint(status=201)
def plans_create(body: NewPlan) -> PlanAnswer:
    """Plan a bulk act; nothing happens before it is applied."""
    allow(policies.can_make_plan(actor()))
    act = plans.get_act(body.act)
    allow(policies.can_handle_plan(actor(), act))
    if sum(value is not None for value in (body.rows, body.ids, body.csv)) != 1:
        raise Invalid(_("Send exactly one of rows, ids and csv."), fields={"rows": _("Send exactly one of rows, ids and csv.")})
    if body.rows is not None:
        plan = plans.make_from_rows(act.name, body.rows, by=actor(), params=body.options)
    elif body.ids is not None:
        plan = plans.make_from_ids(act.name, body.ids, by=actor(), params=body.options)
    else:
        plan = plans.make_from_table(act.name, (body.csv or "").encode(), by=actor(), params=body.options)
    located(url_for(".plans_show", plan_id=plan.id))
    return PlanAnswer.model_validate(plan)


@bp.get("/plans/<uuid:plan_id>")
@endpoint()
def plans_show(plan_id: UUID) -> PlanAnswer:
    """One bulk act."""
    plan = plans.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), plans.get_act(plan.act)))
    return PlanAnswer.model_validate(plan)


@bp.get("/plans/<uuid:plan_id>/rows")
@endpoint()
def plans_rows(plan_id: UUID, query: RowsQuery) -> PlanRows:
    """The rows of a bulk act, in the order of the file."""
    plan = plans.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), plans.get_act(plan.act)))
    wanted = select(PlanRow).where(PlanRow.plan_id == plan_id, PlanRow.number > query.after).order_by(PlanRow.number).limit(query.size + 1)
    if query.verdict:
        wanted = wanted.where(PlanRow.verdict == query.verdict)
    if query.result:
        wanted = wanted.where(PlanRow.result == query.result)
    found = db.session().scalars(wanted).all()
    page = [PlanRowAnswer.model_validate(row) for row in found[: query.size]]
    return PlanRows(rows=page, next=page[-1].number if len(found) > query.size else None)


@bp.post("/plans/<uuid:plan_id>/apply")
@endpoint()
def plans_apply(plan_id: UUID) -> PlanAnswer:
    """Do what is planned; a plan older than the data becomes `stale` and does nothing. Long ones go on after the answer."""
    plan = plans.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), plans.get_act(plan.act)))
    plans.apply(plan, by=actor())
    return PlanAnswer.model_validate(plan)


@bp.post("/plans/<uuid:plan_id>/again")
@endpoint()
def plans_again(plan_id: UUID) -> PlanAnswer:
    """Plan the same rows again with what stands now."""
    plan = plans.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), plans.get_act(plan.act)))
    plans.replan(plan, by=actor())
    return PlanAnswer.model_validate(plan)


@bp.post("/plans/<uuid:plan_id>/undo")
@endpoint()
def plans_undo(plan_id: UUID) -> PlanAnswer:
    """Take back what was applied; rows changed since are left alone."""
    plan = plans.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), plans.get_act(plan.act)))
    plans.undo(plan, by=actor())
    return PlanAnswer.model_validate(plan)


@bp.post("/plans/<uuid:plan_id>/discard")
@endpoint(status=204)
def plans_discard(plan_id: UUID) -> None:
    """Throw a plan away that was not applied."""
    plan = plans.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), plans.get_act(plan.act)))
    plans.throw_away(plan, by=actor())


@bp.get("/audit")
@endpoint(lists=Audit)
def audit_list() -> Rows:
    """Who did what to what, newest first, in words."""
    allow(policies.can_see_audit(actor()))
    return answer_rows(Audit())


@bp.post("/audit/<uuid:row_id>/revert")
@endpoint(status=204)
def audit_revert(row_id: UUID) -> None:
    """Put back what one simple act changed; refused (409) when it was changed again since."""
    row, _seal = queries.get_audit_row(row_id)
    allow(deeds.may_revert(row, by=actor()))
    deeds.revert(row, by=actor())


@bp.get("/bin")
@endpoint(lists=Bin)
def bin_list() -> Rows:
    """What was deleted in the last thirty days, newest first."""
    allow(policies.can_see_bin(actor()))
    return answer_rows(Bin())


@bp.post("/bin/<uuid:row_id>/restore")
@endpoint(status=204)
def bin_restore(row_id: UUID) -> None:
    """Bring something back out of the bin; refused (409) in words when something stands in its way."""
    row = recycle.get_row(row_id)
    allow(policies.can_handle_bin(actor(), row))
    recycle.restore(row, by=actor())


@bp.post("/bin/<uuid:row_id>/purge")
@endpoint(status=204)
def bin_purge(row_id: UUID) -> None:
    """Delete something in the bin for good."""
    row = recycle.get_row(row_id)
    allow(policies.can_handle_bin(actor(), row), fresh=True)
    recycle.purge(row, by=actor())
