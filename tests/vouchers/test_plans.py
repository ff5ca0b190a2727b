"""Vouchers in bulk: void, valid for longer, in other hands; and back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms.core import db, plans
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.models import Plan, PlanRow
from lms.vouchers import operations
from lms.vouchers.models import Code
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people, vouchers

CODES = "SELECT id, state, state_at, state_by, uses, expires_at FROM vouchers.codes ORDER BY id"
BATCHES = "SELECT id, owner_id, expires_at FROM vouchers.batches ORDER BY id"


@pytest.fixture
def by(work: db.Session) -> Actor:
    return people.root()


def rows_of(plan: Plan) -> list[PlanRow]:
    db.session().flush()
    wanted = sa.select(PlanRow).where(PlanRow.plan_id == plan.id).order_by(PlanRow.number)
    return list(db.session().scalars(wanted.execution_options(populate_existing=True)))


def everything() -> list[tuple[object, ...]]:
    db.session().flush()
    return [tuple(row) for statement in (CODES, BATCHES) for row in db.session().execute(sa.text(statement))]


def test_void_codes__leaves_used_ones_and_can_be_taken_back(by: Actor) -> None:
    issued = vouchers.a_batch(4)
    operations.redeem(issued.codes[0], by=people.sam())
    codes = list(db.session().scalars(sa.select(Code).order_by(Code.number)))
    before = everything()
    plan = plans.make_from_ids("vouchers.void_codes", [code.id for code in codes], by=by, params={"reason": "Lost"})
    assert (plan.changed_count, plan.refused_count) == (3, 1)
    plans.apply(plan, by=by)
    assert db.session().execute(sa.text("SELECT count(*) FROM vouchers.codes WHERE state = 'void'")).scalar_one() == 3
    with pytest.raises(Exception, match=r"void|not valid|withdrawn|used"):
        operations.redeem(issued.codes[1], by=people.sam())
    plans.undo(plan, by=by)
    assert (plan.undone_count, everything()) == (3, before)
    db.session().expire_all()
    operations.redeem(issued.codes[1], by=people.a_student())
    trail = db.session().execute(sa.text("SELECT count(*) FROM vouchers.steps WHERE note IN ('Lost', 'Taken back')")).scalar_one()
    assert trail == 6


def test_void_codes__that_were_used_meanwhile_make_the_plan_stale(by: Actor) -> None:
    issued = vouchers.a_batch(2)
    ids = list(db.session().scalars(sa.select(Code.id)))
    plan = plans.make_from_ids("vouchers.void_codes", ids, by=by, params={"reason": "Lost"})
    operations.redeem(issued.codes[0], by=people.sam())
    plans.apply(plan, by=by)
    assert (plan.state, plan.conflict_count, plan.applied_count) == ("stale", 1, 0)


def test_extend_batches__moves_unused_codes_and_back(by: Actor) -> None:
    batch = vouchers.a_batch(2, expires_at=now() + timedelta(days=3)).batch
    endless = vouchers.a_batch(1).batch
    before = everything()
    day = (now() + timedelta(days=40)).date().isoformat()
    plan = plans.make_from_ids("vouchers.extend_batches", [batch.id, endless.id], by=by, params={"day": day})
    assert plan.changed_count == 2
    plans.apply(plan, by=by)
    again = plans.make_from_ids("vouchers.extend_batches", [batch.id, endless.id], by=by, params={"day": day})
    assert (again.same_count, again.to_apply) == (2, 0)
    assert db.session().execute(sa.text("SELECT count(DISTINCT expires_at) FROM vouchers.codes")).scalar_one() == 1
    plans.undo(plan, by=by)
    assert (plan.undone_count, everything()) == (2, before)
    with pytest.raises(Invalid):
        plans.make_from_ids("vouchers.extend_batches", [batch.id], by=by, params={"day": "2001-01-01"})


def test_move_batches__asks_who_answers_for_them(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        batch, ada = vouchers.a_batch(2).batch, people.ada()
    chosen = {"report": "vouchers.batches", "act": "vouchers.move_batches", "id": str(batch.id)}
    plan = as_root.post("/admin/plans/start", chosen, status=303).location
    as_root.post(plan, {"owner": str(ada.user_id)}, status=303)
    assert "Root Admin → Ada Lovelace" in as_root.get(plan).words
    as_root.post(f"{plan}/apply", status=303)
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(sa.text("SELECT owner_id FROM vouchers.batches")).scalar_one() == ada.user_id
    as_root.post(f"{plan}/undo", status=303)
    assert "Taken back: 1 row" in as_root.get(plan).words
