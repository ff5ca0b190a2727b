"""The engine's promises (E1): counts agree, an undo restores every byte, what changed since is left alone, a killed worker costs nothing."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from lms.config import ROOT
from lms.core import db, jobs, plans, pubsub
from lms.core.decisions import Actor
from lms.core.models import Plan
from lms.core.plans import rows, running
from tests import servers
from tests.conftest import CHANNEL, SECRET, run_jobs
from tests.factories import people

IMPORT = "channels.import_people"
TOUCHED = "SELECT id, name, email, role, status, title, phone FROM channels.members ORDER BY id"
RESULTS = "SELECT verdict, result, count(*) FROM core.plan_rows WHERE plan_id = :plan GROUP BY 1, 2"
NAMES = st.sampled_from(["Ana", "=1+1", "Çelik; K.", "  Bo  ", "", 'Ümit "U"'])
LINE = st.tuples(
    st.sampled_from([f"p{number}@example.org" for number in range(8)] + ["no address", "", "P1@EXAMPLE.org"]),
    NAMES,
    st.sampled_from(["", "student", "Instructor", "owner", "boss"]),
    st.sampled_from(["", "active", "suspended"]),
)


def crowd() -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.session().execute(text(TOUCHED))]


def counts(plan: Plan) -> dict[str, int]:
    found: dict[str, int] = {}
    db.session().flush()
    for verdict, result, number in db.session().execute(text(RESULTS), {"plan": plan.id}):
        found[verdict] = found.get(verdict, 0) + number
        found[f"={result}"] = found.get(f"={result}", 0) + number
    return found


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINE, min_size=1, max_size=14), touched=st.integers(0, 7), seed=st.integers(0, 99))
def test_undo__of_any_mixed_import_restores_every_byte_but_what_changed_since(
    connection: object, lines: list[tuple[str, str, str, str]], touched: int, seed: int
) -> None:
    with db.unit_of_work(CHANNEL):
        by = people.root()
        for number in range(4):
            people.a_person(f"P {number}", random.Random(seed + number).choice(["student", "instructor"]), f"p{number}@example.org")
        savepoint = db.session().begin_nested()
        before = crowd()
        sent = [dict(zip(("email", "name", "role", "status"), line, strict=True)) for line in lines]
        plan = plans.make_from_rows(IMPORT, sent, by=by, params={"role": "student"})
        assert crowd() == before
        planned = counts(plan)
        assert plan.row_count == len(lines) == sum(planned.get(name, 0) for name in ("new", "changed", "same", "refused"))
        for name in ("new", "changed", "same", "refused"):
            assert planned.get(name, 0) == getattr(plan, f"{name}_count")
        if plan.to_apply:
            plans.apply(plan, by=by)
            assert plan.state == "applied" and plan.applied_count == plan.to_apply == counts(plan)["=applied"]
            again = plans.make_from_rows(
                IMPORT, [line for line in sent if line["email"].startswith("p")], by=by, params={"role": "student"}
            )
            assert again.to_apply == 0, "what was applied imports again as no change"
            hit = (
                db.session()
                .execute(
                    text("UPDATE channels.members SET title = 'Since', name = 'Since' WHERE email = :email RETURNING id"),
                    {"email": f"p{touched}@example.org"},
                )
                .scalar()
            )
            since = crowd()
            plans.undo(plan, by=by)
            told = counts(plan)
            assert told.get("=undone", 0) == plan.undone_count and plan.undone_count + told.get("=conflict", 0) == plan.applied_count
            after = {row[0]: row for row in crowd()}
            was = {row[0]: row for row in before}
            for user_id in {*after, *was} - {hit}:
                assert after.get(user_id) == was.get(user_id)
            if hit and told.get("=conflict"):
                assert after[hit] == next(row for row in since if row[0] == hit)
        savepoint.rollback()


def a_long_import(count: int) -> Plan:
    with db.unit_of_work(CHANNEL):
        by = people.root()
        lines = [{"email": f"n{number}@example.org", "name": f"N {number}"} for number in range(count)]
        plan = plans.make_from_rows(IMPORT, lines, by=by, params={"role": "student"})
    return plan


def waiting_job() -> object:
    with db.unit_of_work(platform=True) as session:
        return session.execute(text("SELECT id FROM core.outbox WHERE task LIKE '%carry_on' AND done_at IS NULL")).scalar_one()


def state_of(plan: Plan) -> tuple[str, int, int, int]:
    with db.unit_of_work(CHANNEL, read_only=True) as session:
        found = session.get(Plan, plan.id)
        assert found is not None
        return (
            found.state,
            found.new_count,
            found.applied_count,
            session.execute(text("SELECT count(*) FROM channels.members")).scalar_one(),
        )


class Killed(BaseException):
    """The worker is gone in the middle of a batch."""


@pytest.mark.parametrize("dies_in", [2, 5])
def test_carry_on__after_a_killed_worker_repeats_and_loses_nothing(
    connection: object, monkeypatch: pytest.MonkeyPatch, dies_in: int
) -> None:
    monkeypatch.setattr(rows, "BATCH", 200)
    plan = a_long_import(700)
    for phase in ("planned", "applied"):
        calls = iter(range(100))

        def dying(plan_: Plan, memory: object, whole: object = running._batch, calls: object = calls) -> None:
            whole(plan_, memory)
            db.session().flush()
            if next(calls) == dies_in - 1:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(running, "_batch", dying)
            with pytest.raises(Killed):
                jobs.perform(waiting_job())
        with db.unit_of_work(platform=True) as session:
            session.execute(text("UPDATE core.outbox SET lease_until = NULL WHERE done_at IS NULL"))
        assert jobs.perform(waiting_job())
        assert state_of(plan)[0] == phase
        if phase == "planned":
            with db.unit_of_work(CHANNEL):
                plans.apply(plans.get_plan(plan.id), by=people.root())
    assert state_of(plan) == ("applied", 700, 700, 701)
    with db.unit_of_work(CHANNEL, read_only=True) as session:
        joined = session.execute(
            text("SELECT count(*), count(DISTINCT target_id) FROM core.audit WHERE action = 'channels.take_in' AND target_name LIKE 'N %'")
        ).one()
    assert tuple(joined) == (700, 700)


class Ear:
    """Hears what is told of plans."""

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def heard(self, payload: bytes) -> None:
        self.told.append(payload)

    def subscribed(self) -> None:
        """Nothing was missed yet."""


def test_carry_on__tells_open_pages_that_it_came_further(connection: object) -> None:
    ear, topic = Ear(), plans.topic_of(CHANNEL)
    pubsub.subscriber.listen(topic, ear, seconds=0)
    plan = a_long_import(700)
    run_jobs()
    pubsub.subscriber.forget(topic)
    assert state_of(plan)[0] == "planned" and str(plan.id).encode() in ear.told  # others may share this Valkey


def test_carry_on__stops_when_the_right_was_lost_meanwhile(connection: object) -> None:
    plan = a_long_import(700)
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE channels.members SET role = 'student' WHERE email = 'root@example.org'"))
    run_jobs()
    assert state_of(plan)[:3] == ("failed", 0, 0)


def test_apply__by_many_at_once_happens_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        by: Actor = people.root()
        plan = plans.make_from_rows(
            IMPORT, [{"email": f"r{number}@example.org"} for number in range(40)], by=by, params={"role": "student"}
        )
    failures: list[BaseException] = []

    def press() -> None:
        try:
            with db.unit_of_work(CHANNEL):
                plans.apply(plans.get_plan(plan.id), by=by)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert state_of(plan) == ("applied", 40, 40, 41)


def test_forget__keeps_the_receipt_without_its_rows(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        by = people.root()
        plan = plans.make_from_rows(IMPORT, [{"email": "f@example.org"}], by=by, params={"role": "student"})
        plans.apply(plan, by=by)
        assert plans.forget() == 0
        session.execute(text("UPDATE core.plans SET undo_until = now() - interval '31 days'"))
        session.expire_all()
        assert plans.forget() == 1
        assert session.execute(text("SELECT count(*) FROM core.plan_rows")).scalar_one() == 0
        assert plans.get_plan(plan.id).applied_count == 1


def test_take_up__goes_on_where_a_worker_was_killed_and_lets_rest_what_dies_again_and_again(
    real_database: str, addresses: servers.TestServers, tmp_path: Path
) -> None:
    with db.unit_of_work(CHANNEL):
        by = people.root()
        plan = plans.make_from_rows(
            IMPORT, [{"email": f"k{number}@example.org"} for number in range(4_000)], by=by, params={"role": "student"}
        )
    assert jobs.perform(waiting_job())
    with db.unit_of_work(CHANNEL):
        plans.apply(plans.get_plan(plan.id), by=by)
    environ = {"DATABASE_URL": real_database, "REDIS_URL": addresses.redis_url, "SECRET_KEY": SECRET.decode(), "LMS_HOME": str(tmp_path)}
    program = [sys.executable, "-m", "tests.load.bench_import", str(waiting_job())]
    worker = subprocess.Popen(program, cwd=ROOT, env={**os.environ, **environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdin and worker.stdout and worker.stdout.readline().strip() == "ready"
    print("go", file=worker.stdin, flush=True)
    while state_of(plan)[2] == 0:
        assert worker.poll() is None
    worker.kill()
    worker.wait()
    state, _new, applied, _members = state_of(plan)
    assert state == "applying" and 0 < applied < 4_000
    died = "UPDATE core.outbox SET dead_at = now(), lease_until = NULL WHERE key = :key AND done_at IS NULL"
    with db.unit_of_work(platform=True) as session:
        session.execute(text(died), {"key": f"plan:{plan.id}"})
    with db.unit_of_work(CHANNEL):
        assert (plans.take_up(), plans.take_up()) == (1, 0)
    assert jobs.perform(waiting_job())
    assert state_of(plan) == ("applied", 4_000, 4_000, 4_001)
    with db.unit_of_work(CHANNEL) as session:
        plans.undo(plans.get_plan(plan.id), by=by)
        for _death in range(running.MOST_DEATHS):
            session.flush()
            session.execute(text(died), {"key": f"plan:{plan.id}"})
            plans.take_up()
        rests = plans.get_plan(plan.id)
        assert rests.state == "applied" and "several times" in rests.failure and rests.may_be_undone
