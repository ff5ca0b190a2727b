"""Applying a plan: first whether the data is still as it was, then batch by batch, each once; and taking it back the same way."""

from collections.abc import Sequence
from datetime import timedelta

from lms.core import audit
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _
from lms.core.models import Plan
from lms.core.plans import rows
from lms.core.plans.act import Act, Context, Row

UNDO_DAYS = 30


def begin_applying(plan: Plan, *, by: Actor) -> None:
    """Say that the plan is to be done; doing so twice starts it once. Refuses what is not planned, or has nothing to do."""
    if plan.state in ("checking", "applying", "applied"):
        return
    if plan.state != "planned":
        raise Conflict(_("This plan is not ready to be applied. Plan it again."))
    if not plan.to_apply:
        raise Conflict(_("There is nothing to apply: no row would change anything."))
    plan.state, plan.place, plan.done_count, plan.applied_by, plan.failure = "checking", 0, 0, by.user_id, ""


def check_batch(plan: Plan, act: Act, size: int) -> None:
    """Compare the next rows with what stands there now; a plan with rows that changed since is `stale`, and nothing of it is done."""
    batch = rows.load(plan, act, "to_apply", size)
    if not batch:
        plan.state, plan.place, plan.done_count = ("stale" if plan.conflict_count else "applying"), 0, 0
        return
    found = act.current(batch, lock=False)
    changed = [row for row in batch if not row.fits(found.get(row.number))]
    for row in changed:
        row.conflict(_("Changed since this was planned."))
    if changed:
        rows.update_done(plan, changed)
        plan.conflict_count += len(changed)
    plan.place, plan.done_count = batch[-1].number, plan.done_count + len(batch)


def apply_batch(plan: Plan, act: Act, context: Context, size: int) -> None:
    """Do the next rows, in the order of the file; the plan is `applied` when there are no more."""
    batch = rows.load(plan, act, "to_apply", size)
    if not batch:
        plan.state, plan.applied_at, plan.undo_until = "applied", now(), now() + timedelta(days=UNDO_DAYS)
        audit.record("plans.apply", plan, by=context.by, after=_counts(plan))
        return
    found = act.current(batch, lock=True)
    fitting = []
    for row in batch:
        if row.fits(found.get(row.number)):
            row.result = "applied"
            fitting.append(row)
        else:
            row.conflict(_("Changed since this was planned."))
    if fitting:
        act.apply(fitting, context)
    _write(plan, batch)
    plan.applied_count += sum(row.result == "applied" for row in batch)


def end_early(plan: Plan, sentence: str) -> None:
    """Let a plan rest that cannot go on, with the reason: what was done of it stands on its receipt and can be taken back."""
    plan.failure = sentence
    if plan.state == "undoing":
        plan.state = "applied"  # what is not taken back yet may be tried again
    elif plan.state == "applying" and plan.applied_count:
        plan.state, plan.applied_at, plan.undo_until = "applied", now(), now() + timedelta(days=UNDO_DAYS)
    else:
        plan.state = "failed"


def begin_undoing(plan: Plan, *, by: Actor) -> None:
    """Say that the plan is to be taken back; doing so twice starts it once. Refuses after thirty days."""
    if plan.state in ("undoing", "undone"):
        return
    if not plan.may_be_undone:
        raise Conflict(_("This cannot be taken back any more: plans can be undone for %(days)s days.", days=UNDO_DAYS))
    plan.state, plan.place, plan.done_count, plan.undone_by, plan.failure = "undoing", 0, 0, by.user_id, ""


def undo_batch(plan: Plan, act: Act, context: Context, size: int) -> None:
    """Put the next rows back as they were; rows changed since are conflicts and left alone."""
    batch = rows.load(plan, act, "applied", size)
    if not batch:
        plan.state, plan.undone_at = "undone", now()
        audit.record("plans.undo", plan, by=context.by, after=_counts(plan))
        return
    found = act.current(batch, lock=True)
    standing = []
    for row in batch:
        if row.stands(found.get(row.number)):
            row.result = "undone"
            standing.append(row)
        else:
            row.conflict(_("Changed since this was applied; left as it is."))
    if standing:
        act.undo(standing, context)
    _write(plan, batch)
    plan.undone_count += sum(row.result == "undone" for row in batch)


def _write(plan: Plan, batch: Sequence[Row]) -> None:
    rows.update_done(plan, batch)
    plan.conflict_count += sum(row.result in ("conflict", "refused") for row in batch)
    plan.place, plan.done_count = batch[-1].number, plan.done_count + len(batch)


def _counts(plan: Plan) -> dict[str, int | str]:
    names = ("row_count", "new_count", "changed_count", "same_count", "refused_count", "applied_count", "conflict_count", "undone_count")
    return {"act": plan.act, **{name: getattr(plan, name) for name in names}}
