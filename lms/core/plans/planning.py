"""Making plans: from a file, pasted lines, or chosen rows; each row gets its verdict before anything happens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from lms.core import db, i18n
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _
from lms.core.models import Plan, PlanFile
from lms.core.plans import reading, rows
from lms.core.plans.act import Act, Context, Row, columns_of, get_act

AT_ONCE = 500  # so many rows are planned and applied while the person waits; more go to a worker
TOO_LONG = 0.8  # seconds of one batch, after which the next is smaller
LINES_AT_ONCE = 60_000  # bytes of a file that may be read while the person waits


@dataclass(slots=True)
class Memory:
    """What one run remembers between its batches: the open file and the keys seen. A run that takes over makes it anew."""

    lines: Iterator[reading.Line] | None = None
    keys: dict[str, int] | None = None
    context: Context | None = field(default=None)
    size: int = field(default_factory=lambda: rows.BATCH)

    def pace(self, seconds: float) -> None:
        """Take fewer rows at once on a machine that is busy, and more again when it is not: the progress is never long silent."""
        if seconds > TOO_LONG:
            self.size = max(rows.BATCH // 16, self.size // 2, 1)
        elif seconds < TOO_LONG / 4:
            self.size = min(rows.BATCH, self.size * 2)


def begin_from_table(act: Act, content: bytes, *, name: str, params: dict[str, Any], by: Actor) -> Plan:
    """A plan of the lines of a file or of what was pasted; raises Invalid when no column is understood."""
    columns, first = _understand(act, content)
    plan = _begin(act, act.check(params, by), by, name=name)
    plan.columns, plan.is_read, plan.place = columns, False, first
    db.session().add(PlanFile(plan_id=plan.id, content=content))
    db.session().flush()
    return plan


def begin_from_ids(act: Act, ids: Sequence[UUID], *, params: dict[str, Any], by: Actor) -> Plan:
    """A plan of chosen things; options that are not said yet are asked for on the plan's page."""
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise Invalid(_("Choose at least one row first."))
    if len(chosen) > reading.MOST_ROWS:
        raise Invalid(_("At most %(most)s rows at once. Narrow the list by a filter.", most=f"{reading.MOST_ROWS:,}"))
    is_asking = bool(act.options) and (not params or any(option.required and option.key not in params for option in act.options))
    plan = _begin(act, params if is_asking else act.check(params, by), by, name="")
    plan.is_read, plan.row_count, plan.state = True, len(chosen), "asking" if is_asking else "planning"
    db.session().flush()
    numbered = iter(Row(number, subject_id=subject_id) for number, subject_id in enumerate(chosen, 1))
    while batch := list(islice(numbered, 10 * rows.BATCH)):
        rows.insert(plan, batch)
    return plan


def begin_from_lines(act: Act, keys: Sequence[str], lines: Sequence[Mapping[str, str]], *, params: dict[str, Any], by: Actor) -> Plan:
    """A plan of rows given by field."""
    if not lines:
        raise Invalid(_("Send at least one row."))
    plan = _begin(act, act.check(params, by), by, name="")
    plan.columns = [{"heading": key, "field": key} for key in keys]
    plan.is_read, plan.row_count = True, len(lines)
    db.session().flush()
    rows.insert(plan, [Row(number, cells=[reading.clean(line.get(key, "")) for key in keys]) for number, line in enumerate(lines, 1)])
    return plan


def plan_again(plan: Plan, *, params: Mapping[str, Any] | None = None, by: Actor) -> None:
    """Give every row a fresh verdict, with other options if they are given; refuses what was applied."""
    if plan.state not in ("asking", "planned", "stale"):
        raise Conflict(_("This cannot be planned again. Make a new plan."))
    if params is not None:
        plan.params = get_act(plan.act).check({**plan.params, **params}, by)
    plan.state, plan.place, plan.done_count, plan.conflict_count = "planning", 0, 0, 0
    plan.new_count = plan.changed_count = plan.same_count = plan.refused_count = 0
    plan.planned_at = None


def discard(plan: Plan) -> None:
    """Throw a plan away that was not applied."""
    if plan.state not in ("asking", "planned", "stale", "failed", "discarded"):
        raise Conflict(_("Only a plan that was not applied can be thrown away."))
    plan.state = "discarded"
    db.session().execute(delete(PlanFile).where(PlanFile.plan_id == plan.id))


def plan_batch(plan: Plan, act: Act, memory: Memory) -> None:
    """Give the next rows their verdict; the plan is `planned` when there are no more."""
    assert memory.context is not None
    batch = rows.load(plan, act, "all", memory.size) if plan.is_read else _read(plan, act, memory)
    if not batch:
        plan.state, plan.planned_at, plan.is_read = "planned", now(), True
        db.session().execute(delete(PlanFile).where(PlanFile.plan_id == plan.id))
        return
    for row in batch:
        row.verdict = row.reason = row.result = ""
    act.plan(batch, memory.context)
    _refuse_seconds(plan, act, batch, memory)
    if plan.is_read:
        rows.update_planned(plan, batch)
    else:
        rows.insert(plan, batch)
        plan.row_count += len(batch)
    for verdict in ("new", "changed", "same", "refused"):
        name = f"{verdict}_count"
        setattr(plan, name, getattr(plan, name) + sum(row.verdict == verdict for row in batch))
    plan.place, plan.done_count = batch[-1].number, plan.done_count + len(batch)


def _refuse_seconds(plan: Plan, act: Act, batch: Sequence[Row], memory: Memory) -> None:
    """Refuse the second row about the same thing: which of the two was meant nobody can say."""
    if memory.keys is None:
        memory.keys = rows.keys_of(plan) if plan.place else {}
    for row in batch:
        if not row.key:
            continue
        first = memory.keys.setdefault(row.key, row.number)
        if first != row.number:
            words = act.twice or _("This stands in line %(line)s already.", line="{line}")
            row.deny(str(words).replace("{line}", str(first)))
            row.key, row.before, row.after, row.subject_id = "", None, None, None


def _read(plan: Plan, act: Act, memory: Memory) -> list[Row]:
    if memory.lines is None:
        content = db.session().scalars(select(PlanFile.content).where(PlanFile.plan_id == plan.id)).one()
        memory.lines = (line for line in reading.table_rows(content) if line[0] > plan.place)
    loose = _is_loose(plan)
    made, known = [], act.known_fields()
    for number, cells in islice(memory.lines, memory.size):
        kept = reading.person_of(cells) if loose else cells[: len(plan.columns)]
        made.append(Row(number, given=rows.given(known, plan.columns, kept), cells=kept))
    return made


def _is_loose(plan: Plan) -> bool:
    return bool(plan.columns) and plan.columns[0].get("loose", False)


def _understand(act: Act, content: bytes) -> tuple[list[dict[str, Any]], int]:
    """The columns of a table and the number of the line they stand in (0: there are no headings)."""
    lines = reading.table_rows(content)
    first = next(lines, None)
    if first is None:
        raise Invalid(_("There is nothing in it. Choose a file with at least one row."))
    number, cells = first
    keys = columns_of(act, cells)
    wanted = {one.key for one in act.fields if one.identifies}
    if wanted <= set(keys):
        if next(lines, None) is None:
            raise Invalid(_("There are headings, and no rows below them."))
        return [{"heading": heading, "field": key} for heading, key in zip(cells, keys, strict=True)], number
    if act.takes_people and any("@" in cell for cell in cells):
        known = act.known_fields()
        labels = [str(known[key].label) for key in ("email", "name") if key in known]
        return [{"heading": label, "field": key, "loose": True} for label, key in zip(labels, ("email", "name"), strict=True)], 0
    missing = ", ".join(str(one.label) for one in act.fields if one.identifies and one.key not in keys)
    found = ", ".join(cell for cell in chain(cells) if cell)[:200]
    raise Invalid(_("The first line has no column called %(missing)s. It has: %(found)s.", missing=missing, found=found))


def _begin(act: Act, params: dict[str, Any], by: Actor, *, name: str) -> Plan:
    plan = Plan(
        act=act.name,
        title=str(act.title),
        params=params,
        source_name=name[:200],
        locale=i18n.locale(),
        made_by=by.user_id,
        made_by_name=by.name,
        state="planning",
    )
    db.session().add(plan)
    db.session().flush()
    return plan
