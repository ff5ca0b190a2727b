"""Jobs: rows in the outbox, claimed once, done with their effects, retried, quarantined."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from lms.core import audit, clock, db, events, jobs
from lms.core.decisions import the_platform
from lms.core.errors import Conflict
from lms.core.ids import uuid7
from lms.core.models import AuditRow, Outbox
from tests.conftest import CHANNEL, OTHER_CHANNEL, run_jobs

seen: list[object] = []


@dataclass(frozen=True, kw_only=True)
class SomethingHappened(events.Event):
    thing_id: UUID


@events.on(SomethingHappened)
def note_it(fact: SomethingHappened) -> None:
    seen.append(fact)
    audit.record("test.noted", "thing", by=the_platform(CHANNEL))


@jobs.job(tries=2)
def fail_always(name: str) -> None:
    audit.record("test.never", "thing", by=the_platform(CHANNEL))
    db.session().flush()
    raise ValueError(name)


@jobs.job()
def refuse(name: str) -> None:
    raise Conflict("Not like that.")


@jobs.job()
def swell(name: str) -> None:
    seen.append(name)
    raise MemoryError("\0\ud800 and more")


@jobs.job()
def die(name: str) -> None:
    seen.append(name)
    raise SystemExit(name)  # as a killed process: nothing of it is written


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


def test_emit__runs_each_handler_once_after_the_commit(connection: object) -> None:
    fact = SomethingHappened(thing_id=uuid7())
    with db.unit_of_work(CHANNEL):
        events.emit(fact)
        assert seen == []
    assert run_jobs() == 1
    assert run_jobs() == 0
    assert seen == [fact]


def test_emit__leaves_nothing_behind_when_the_transaction_fails(connection: object) -> None:
    with pytest.raises(ValueError), db.unit_of_work(CHANNEL):
        events.emit(SomethingHappened(thing_id=uuid7()))
        raise ValueError
    assert run_jobs() == 0


def test_perform__rolls_back_a_failed_try_and_quarantines_after_the_last(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        fail_always.later(name="boom")
    assert run_jobs() == 1
    with db.unit_of_work(CHANNEL) as session:
        row = session.scalars(select(Outbox)).one()
        assert row.state == "waiting" and row.error == "ValueError: boom"
        assert session.scalars(select(AuditRow)).all() == []
        session.execute(text("UPDATE core.outbox SET run_at = now()"))
    assert run_jobs() == 1
    with db.unit_of_work(CHANNEL) as session:
        assert session.scalars(select(Outbox)).one().state == "quarantined"


def test_perform__of_a_job_that_kills_its_process_ends_in_quarantine(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        die.later(name="poison")
    for _turn in range(5):
        with suppress(SystemExit):
            run_jobs()
        with db.unit_of_work(CHANNEL) as session:
            session.execute(text("UPDATE core.outbox SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL"))
    assert len(seen) == 3
    with db.unit_of_work(CHANNEL) as session:
        row = session.scalars(select(Outbox)).one()
        assert row.state == "quarantined" and "died each time" in (row.error or "")


def test_perform__tries_what_costs_a_worker_three_times_and_keeps_odd_words(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        swell.later(name="x")
    for _turn in range(5):
        run_jobs()
        with db.unit_of_work(CHANNEL) as session:
            session.execute(text("UPDATE core.outbox SET run_at = now()"))
    with db.unit_of_work(CHANNEL) as session:
        row = session.scalars(select(Outbox)).one()
        assert (row.state, row.attempts, row.error) == ("quarantined", 3, "MemoryError: \\0\\ud800 and more")


def test_perform__does_not_retry_a_refusal(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        refuse.later(name="x")
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        row = session.scalars(select(Outbox)).one()
        assert (row.state, row.error) == ("quarantined", "Not like that.")


def test_put__with_a_key_writes_one_waiting_row(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        refuse.put({"name": "a"}, key="same")
        refuse.put({"name": "b"}, key="same")
        assert len(session.scalars(select(Outbox)).all()) == 1


def test_outbox__of_another_channel_is_not_there(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        refuse.later(name="x")
    with db.unit_of_work(OTHER_CHANNEL) as session:
        assert session.scalars(select(Outbox)).all() == []
        assert session.execute(text("SELECT count(*) FROM core.outbox")).scalar_one() == 0


@jobs.job(in_steps=True)
def tell_while_working() -> None:
    with jobs.step():
        audit.record("test.stepped", "thing", by=the_platform(CHANNEL))
        db.session().flush()
        jobs.report_progress(0.5, "Half")


def test_step__lets_its_job_tell_how_far_it_is(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        tell_while_working.later()
    assert run_jobs() == 1
    with db.unit_of_work(CHANNEL) as session:
        row = session.scalars(select(Outbox)).one()
        assert (row.state, row.error) == ("done", None) and row.progress is not None and row.progress["fraction"] == 0.5
        assert session.scalars(select(AuditRow.action)).one() == "test.stepped"


def test_forget_done__takes_what_is_done_and_old_and_nothing_else(connection: object) -> None:
    with clock.at(clock.now() - timedelta(days=31)), db.unit_of_work(CHANNEL):
        events.emit(SomethingHappened(thing_id=uuid7(), by=None))
        refuse.later(name="old and refused")
    with db.unit_of_work(CHANNEL):
        events.emit(SomethingHappened(thing_id=uuid7(), by=None))
    run_jobs()
    with db.unit_of_work(CHANNEL):
        refuse.later(name="waiting")
        jobs.forget_done()
    with db.unit_of_work(CHANNEL) as session:
        assert Counter(row.state for row in session.scalars(select(Outbox))) == {"done": 1, "quarantined": 1, "waiting": 1}
