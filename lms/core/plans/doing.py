"""What modules and doors ask of the engine: make a plan, apply it, take it back, or do a single act that can be undone."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.core import audit, db
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Forbidden, Invalid
from lms.core.i18n import gettext as _
from lms.core.models import Plan, PlanRow
from lms.core.plans import planning
from lms.core.plans.act import Act, get_act
from lms.core.plans.applying import begin_applying, begin_undoing
from lms.core.plans.running import get_plan, go_on


def make_from_table(act_name: str, content: bytes, *, by: Actor, name: str = "", params: Mapping[str, Any] | None = None) -> Plan:
    """Plan the lines of a file (CSV, XLSX) or of pasted text; short ones are planned at once, long ones by a worker."""
    act = _allowed(act_name, by)
    plan = planning.begin_from_table(act, content, name=name, params=dict(params or {}), by=by)
    go_on(plan, by=by, size=len(content))
    return plan


def make_from_ids(act_name: str, ids: Sequence[UUID], *, by: Actor, params: Mapping[str, Any] | None = None) -> Plan:
    """Plan an act on chosen things; where options are missing the plan waits for them (`asking`)."""
    act = _allowed(act_name, by)
    plan = planning.begin_from_ids(act, ids, params=dict(params or {}), by=by)
    if plan.state == "planning":
        go_on(plan, by=by)
    return plan


def make_from_rows(act_name: str, lines: Sequence[Mapping[str, str]], *, by: Actor, params: Mapping[str, Any] | None = None) -> Plan:
    """Plan rows given as fields and texts, as machines send them; unknown fields are refused."""
    act = _allowed(act_name, by)
    keys = [one.key for one in act.fields if any(one.key in line for line in lines)]
    unknown = sorted({key for line in lines for key in line} - {one.key for one in act.fields})
    if unknown:
        raise Invalid(_("There is no field called %(name)s here.", name=unknown[0]), fields={"rows": unknown[0]})
    plan = planning.begin_from_lines(act, keys, lines, params=dict(params or {}), by=by)
    go_on(plan, by=by)
    return plan


def replan(plan: Plan, *, by: Actor, params: Mapping[str, Any] | None = None) -> None:
    """Plan the same rows again: the data moved on, or other options are wanted."""
    _allowed(plan.act, by)
    plan = get_plan(plan.id, lock=True)
    planning.plan_again(plan, params=params, by=by)
    go_on(plan, by=by)


def apply(plan: Plan, *, by: Actor) -> None:
    """Do what is planned; a plan older than the data becomes `stale` and does nothing. Applying twice does it once."""
    _allowed(plan.act, by)
    plan = get_plan(plan.id, lock=True)
    before = plan.state
    begin_applying(plan, by=by)
    if plan.state != before:
        go_on(plan, by=by)


def undo(plan: Plan, *, by: Actor) -> None:
    """Take back what was applied; rows changed since stay as they are and are named. Undoing twice does it once."""
    _allowed(plan.act, by)
    plan = get_plan(plan.id, lock=True)
    before = plan.state
    begin_undoing(plan, by=by)
    if plan.state != before:
        go_on(plan, by=by)


def throw_away(plan: Plan, *, by: Actor) -> None:
    """Discard a plan that was not applied."""
    _allowed(plan.act, by)
    plan = get_plan(plan.id, lock=True)
    planning.discard(plan)
    audit.record("plans.discard", plan, by=by)


def do_now(act_name: str, subject_id: UUID, *, by: Actor, params: Mapping[str, Any] | None = None) -> Plan | None:
    """A single act with a way back: a plan of one row, applied. None when nothing was to be done; raises Conflict in the row's words."""
    plan = make_from_ids(act_name, [subject_id], by=by, params=params)
    plan.is_single = True
    if plan.refused_count:
        raise Conflict(_reason(plan))
    if not plan.to_apply:
        planning.discard(plan)
        return None
    apply(plan, by=by)
    if not plan.applied_count:
        raise Conflict(_reason(plan) or _("Somebody changed this at the same moment. Look again, then try once more."))
    return plan


def _reason(plan: Plan) -> str:
    db.session().flush()
    return db.session().scalar(select(PlanRow.reason).where(PlanRow.plan_id == plan.id)) or ""


def _allowed(act_name: str, by: Actor) -> Act:
    act = get_act(act_name)
    decision = act.allowed(by)
    if not decision:
        raise Forbidden(decision.sentence, rule=decision.rule)
    return act
