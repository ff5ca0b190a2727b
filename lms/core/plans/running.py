"""What drives a plan on: at once when it is short, else by a worker that goes on where another one fell."""

import time
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import delete, select, text

from lms.core import db, i18n, pubsub
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.core.jobs import Every, give_way, job, report_progress, step
from lms.core.models import Plan, PlanRow
from lms.core.plans.act import Context, get_act
from lms.core.plans.applying import apply_batch, check_batch, end_early, undo_batch
from lms.core.plans.planning import AT_ONCE, LINES_AT_ONCE, Memory, plan_batch
from lms.core.tenancy import current_channel

HINT_SECONDS = 0.5
_actors: list[Callable[[UUID], Actor]] = []


def actors_come_from(source: Callable[[UUID], Actor]) -> None:
    """Tell the engine who knows people's rights of this moment."""
    _actors[:] = [source]


def get_plan(plan_id: UUID, *, lock: bool = False) -> Plan:
    """A plan; locked, so that one hand works on it at a time."""
    wanted = select(Plan).where(Plan.id == plan_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    found = db.session().scalar(wanted)
    if found is None:
        raise NotFound(_("There is no such plan."))
    return found


def go_on(plan: Plan, *, by: Actor, size: int = 0) -> None:
    """Drive the plan to its next rest: here and now when it is short (`size` are the bytes still to read), else by a worker."""
    work = plan.to_apply if plan.state in ("checking", "applying") else plan.applied_count if plan.state == "undoing" else plan.row_count
    if work > AT_ONCE or size > LINES_AT_ONCE:
        db.session().flush()
        carry_on.put({"plan_id": plan.id}, key=f"plan:{plan.id}")
        return
    memory = Memory(context=_context(plan, by))
    while plan.is_working:
        _batch(plan, memory)
    db.session().flush()


@job(queue="plans", in_steps=True, lease_seconds=20, tries=6)
def carry_on(plan_id: UUID | str) -> None:
    """Work on a plan until it rests; each batch is a transaction with its place, so that a run that takes over repeats none."""
    which, memory = UUID(str(plan_id)), Memory()
    told = hinted = 0.0
    began = time.monotonic()
    while (fraction := _one_step(which, memory, tell=began - hinted > HINT_SECONDS)) is not None:
        hinted = began if began - hinted > HINT_SECONDS else hinted
        memory.pace(time.monotonic() - began)
        if time.monotonic() - told > 1:
            report_progress(fraction)
            told = time.monotonic()
        give_way()
        began = time.monotonic()


def topic_of(channel_id: UUID) -> str:
    """Where it is told that a plan of this channel has come further; a hint, what stands is read from the database."""
    return f"plans:{channel_id}"


def _one_step(plan_id: UUID, memory: Memory, *, tell: bool = False) -> float | None:
    """One batch in one transaction; how far the phase is, None when the plan rests. A refusal is written on the plan.

    Open pages hear of it when they are to be told (`tell`), and always when the plan comes to rest.
    """
    try:
        with step():
            plan = get_plan(plan_id, lock=True)
            if not plan.is_working:
                return None
            with i18n.in_locale(plan.locale):
                if memory.context is None or memory.context.by.user_id != _hand(plan):
                    memory.context = _context(plan, _actor(plan))
                _batch(plan, memory)
            if tell or not plan.is_working:
                topic, payload = topic_of(current_channel()), str(plan_id).encode()
                db.after_commit(lambda: pubsub.publish(topic, payload))
            if plan.is_working:  # a batch lost with the machine is done again from its place, so its commit need not wait for the disk
                db.session().execute(text("SET LOCAL synchronous_commit = off"))
            return min(plan.done_count / max(_whole(plan), 1), 1.0)
    except Refusal as refusal:
        with step():
            end_early(get_plan(plan_id, lock=True), refusal.sentence)
        return None


def _batch(plan: Plan, memory: Memory) -> None:
    act = get_act(plan.act)
    if plan.state == "planning":
        plan_batch(plan, act, memory)
    elif plan.state == "checking":
        check_batch(plan, act, memory.size)
    elif plan.state == "applying":
        apply_batch(plan, act, _known(memory), memory.size)
    elif plan.state == "undoing":
        undo_batch(plan, act, _known(memory), memory.size)


def _known(memory: Memory) -> Context:
    assert memory.context is not None
    return memory.context


def _whole(plan: Plan) -> int:
    return plan.to_apply if plan.state in ("checking", "applying") else plan.applied_count if plan.state == "undoing" else plan.row_count


def _hand(plan: Plan) -> UUID | None:
    """Who acts in the plan's present phase."""
    return {"undoing": plan.undone_by, "checking": plan.applied_by, "applying": plan.applied_by}.get(plan.state, plan.made_by)


def _actor(plan: Plan) -> Actor:
    """The person with their rights of this moment; raises Forbidden in the act's words when they may not any more."""
    user_id = _hand(plan)
    if user_id is None or not _actors:
        raise NotFound(_("Nobody is known who asked for this. Make a new plan."))
    by = _actors[0](user_id)
    decision = get_act(plan.act).allowed(by)
    if not decision:
        raise Refusal(decision.sentence, rule=decision.rule)
    return by


def _context(plan: Plan, by: Actor) -> Context:
    named = frozenset(column["field"] for column in plan.columns if column["field"] and not column.get("loose"))
    return Context(plan.id, by, plan.params, named)


ORPHANS = text(
    """
    SELECT p.id, (SELECT count(*) FROM core.outbox d WHERE d.channel_id = p.channel_id AND d.key = 'plan:' || p.id
        AND d.dead_at IS NOT NULL) AS deaths
    FROM core.plans p WHERE p.channel_id = :channel AND p.state IN ('planning', 'checking', 'applying', 'undoing')
      AND NOT EXISTS (SELECT 1 FROM core.outbox o WHERE o.channel_id = p.channel_id AND o.key = 'plan:' || p.id
        AND o.done_at IS NULL AND o.dead_at IS NULL)
    """
)
SETTLED = text(
    "UPDATE core.outbox SET done_at = now() WHERE channel_id = :channel AND key = :key AND dead_at IS NOT NULL AND done_at IS NULL"
)
MOST_DEATHS = 3


@job(queue="bulk", every=Every(minutes=1))
def take_up_orphans() -> None:
    """Go on with plans whose job died for good, so that none waits for a human in the middle of its rows."""
    take_up()


def take_up() -> int:
    """The number of plans taken up again: from their place, so that what is done stays done. One that dies again and again rests."""
    found = db.session().execute(ORPHANS, {"channel": current_channel()}).all()
    for one in found:
        plan = get_plan(one.id, lock=True)
        if one.deaths >= MOST_DEATHS:
            end_early(plan, _("This stopped at the same place several times. Look at System, Jobs, for the reason."))
            continue
        carry_on.put({"plan_id": plan.id}, key=f"plan:{plan.id}")
        db.session().execute(SETTLED, {"channel": current_channel(), "key": f"plan:{plan.id}"})
    return len(found)


@job(queue="bulk", every=Every(at="04:20"))
def forget_rows() -> None:
    """Forget the rows of plans whose time to undo is over by thirty days, and of those never applied: they name people."""
    forget()


def forget() -> int:
    """The number of plans whose rows were forgotten; the receipts with their counts stay."""
    old = (
        db.session()
        .scalars(select(Plan).where(Plan.forgotten_at.is_(None), ~Plan.state.in_(("planning", "checking", "applying", "undoing"))))
        .all()
    )
    gone = [plan for plan in old if (plan.undo_until or plan.created_at).timestamp() < now().timestamp() - 30 * 86_400]
    for plan in gone:
        db.session().execute(delete(PlanRow).where(PlanRow.plan_id == plan.id))
        plan.forgotten_at = now()
    return len(gone)
