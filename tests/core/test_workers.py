"""Workers: what waits behind a row is done in the same process, urgent rows before others, and nobody waits for another queue's sweep."""

import json
import os
import pickle
import resource
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from rq.exceptions import NoSuchJobError
from rq.serializers import JSONSerializer
from sqlalchemy import text

from lms.core import db, jobs, workers
from lms.core.ids import uuid7
from lms.core.plans import running
from lms.core.redis import redis
from tests.conftest import CHANNEL, OTHER_CHANNEL

done: list[str] = []


@jobs.job()
def note(name: str) -> None:
    done.append(name)


@pytest.fixture(autouse=True)
def short_queues(connection: object, monkeypatch: pytest.MonkeyPatch) -> None:
    done.clear()
    monkeypatch.setattr(workers, "_short", ["money", "default"])
    for name in jobs.QUEUES:
        redis().delete(workers.queue(name).key)


def _row(name: str, queue: str) -> workers.RowJob:
    row_id = note.put({"name": name}, queue=queue)
    made = workers.RowJob(id=str(row_id), connection=redis(), serializer=JSONSerializer)
    made.origin = queue
    return made


def test_perform__does_the_short_rows_that_wait_and_leaves_long_ones_and_strange_words() -> None:
    with db.unit_of_work(CHANNEL):
        first, second, urgent, long = (
            _row(name, queue) for name, queue in (("first", "default"), ("second", "default"), ("urgent", "money"), ("long", "bulk"))
        )
    redis().rpush(workers.queue("money").key, "no id", str(uuid7()), b"\xff")
    workers.send_nudges([(row.id, row.origin) for row in (second, urgent, long)])
    workers.send_nudges([(second.id, "default")])
    first.perform()
    assert done == ["first", "urgent", "second"]
    assert redis().llen(workers.queue("bulk").key) == 1 and not redis().llen(workers.queue("default").key)
    long.perform()
    assert done[3:] == ["long"]


@jobs.job(queue="plans", in_steps=True)
def long_one() -> None:
    with jobs.step():
        done.append("first step")
    with db.unit_of_work(CHANNEL):
        urgent = note.put({"name": "a code"}, queue="money")
    workers.send_nudges([(urgent, "money")])
    jobs.give_way()
    with jobs.step():
        done.append("second step")


def test_give_way__lets_a_code_pass_between_two_steps_of_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_urgent", [lambda: workers._go_on(time.monotonic() + workers.PASS_SECONDS)])
    with db.unit_of_work(CHANNEL):
        row_id = long_one.put({})
    assert jobs.perform(row_id)
    assert done == ["first step", "a code", "second step"]
    assert jobs.QUEUES.index("plans") < jobs.QUEUES.index("bulk") and running.carry_on.queue == "plans"


def test_horse__has_a_limit_on_memory_and_leaves_nobody_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "told"

    def leave_a_child(_row: workers.RowJob) -> None:
        child = os.fork()
        if child == 0:
            time.sleep(600)
        told.write_text(f"{child} {resource.getrlimit(resource.RLIMIT_DATA)[0]}")

    monkeypatch.setattr(workers.RowJob, "perform", leave_a_child)
    with db.unit_of_work(CHANNEL):
        row = _row("behind", "bulk")
    workers.send_nudge(row.id, "bulk")
    found = workers.RowJob.fetch(row.id, connection=redis(), serializer=JSONSerializer)
    own = {"connection": redis(blocking=True), "job_class": workers.RowJob, "serializer": JSONSerializer}
    workers.HorseWorker([workers.queue("bulk")], **own).execute_job(found, workers.queue("bulk"))
    child, most = map(int, told.read_text().split())
    assert most == workers.HORSE_BYTES
    until = time.monotonic() + 20
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < until


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "zipped pickle": lambda canary: zlib.compress(pickle.dumps(("os.system", None, (f"touch {canary}",), {}))),
    "pickle": lambda canary: pickle.dumps(("os.system", None, (f"touch {canary}",), {})),
    "system": lambda canary: json.dumps(["os.system", None, [f"touch {canary}"], {}]).encode(),
    "exec": lambda canary: json.dumps(["builtins.exec", None, [f"open({canary!r}, 'w')"], {}]).encode(),
    "call": lambda canary: json.dumps(["subprocess.call", None, [["touch", canary]], {}]).encode(),
    "instance": lambda canary: json.dumps(["lms.core.jobs.perform", "os", [canary], {}]).encode(),
    "50 MB": lambda canary: json.dumps(["os.system", None, [f"touch {canary} #" + "x" * 50_000_000], {}]).encode(),
    "broken": lambda _canary: b"\x80\x04\x95 no pickle either",
    "empty": lambda _canary: b"",
    "unknown": lambda canary: json.dumps({"version": 99, "run": f"touch {canary}"}).encode(),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_perform__runs_nothing_that_was_written_into_the_queue(tmp_path: Path, what: str) -> None:
    canary = str(tmp_path / "canary")
    for name in (str(uuid7()), "a strange name"):
        key = workers.RowJob.key_for(name)
        fields = {"data": HOSTILE[what](canary), "origin": "default", "created_at": "2026-11-22T00:00:00.000000Z", "status": "queued"}
        for when in ("success", "failure", "stopped"):
            fields |= {f"{when}_callback_name": "os.system", f"{when}_callback_timeout": 5}
        redis().hset(key, mapping=fields)
        with suppress(NoSuchJobError, ValueError):
            found = workers.RowJob.fetch(name, connection=redis(), serializer=JSONSerializer)
            found.perform()
            assert found._success_callback_name is found._failure_callback_name is found._stopped_callback_name is None
            assert not found.webhooks
        redis().delete(key)
    assert not Path(canary).exists() and done == []


def test_sweep__wakes_a_row_again_whose_process_died_with_it() -> None:
    with db.unit_of_work(CHANNEL):
        row = _row("again", "default")
    workers.send_nudges([(row.id, "default")])
    redis().delete(workers.queue("default").key)  # taken by a worker
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE core.outbox SET run_at = run_at - interval '60 seconds'"))
        session.execute(text("UPDATE core.outbox SET lease_until = now() + interval '60 seconds'"))
        row.perform()
        assert workers.sweep() == 0 and done == []
        session.execute(text("UPDATE core.outbox SET lease_until = now() - interval '1 second'"))
    assert workers.sweep() == 1
    assert redis().lrange(workers.queue("default").key, 0, -1) == [str(row.id).encode()]
    row.perform()
    assert done == ["again"]


def test_sweep__wakes_the_oldest_of_each_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MOST_WOKEN", 5)
    with db.unit_of_work(CHANNEL) as session:
        for number in range(12):
            _row(str(number), "default")
        paid = _row("paid", "money")
        session.execute(text("UPDATE core.outbox SET run_at = run_at - CASE queue WHEN 'money' THEN 60 ELSE 90 END * interval '1 second'"))
    assert workers.sweep() >= 6
    assert redis().lrange(workers.queue("money").key, 0, -1) == [str(paid.id).encode()]
    assert redis().llen(workers.queue("default").key) == 5
    workers.sweep()
    assert redis().llen(workers.queue("default").key) == 5


def test_sweep__takes_the_academies_by_turns_once_the_line_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MOST_WOKEN", 4)
    monkeypatch.setattr(workers, "LINE", 3)
    with db.unit_of_work(CHANNEL) as session:
        noisy = [_row(str(number), "default") for number in range(6)]
        session.execute(text("UPDATE core.outbox SET run_at = run_at - interval '90 seconds'"))
    with db.unit_of_work(OTHER_CHANNEL) as session:
        quiet = _row("quiet", "default")
        session.execute(text("UPDATE core.outbox SET run_at = run_at - interval '10 seconds' WHERE id = :id"), {"id": quiet.id})
    workers.send_nudges([(row.id, "default") for row in noisy])
    workers.send_nudge(quiet.id, "default")
    line = workers.queue("default").key
    assert redis().llen(line) == 3, "nobody pushes into a long line"
    workers.sweep()
    assert [str(quiet.id).encode() == one for one in redis().lrange(line, 0, -1)] == [False] * 3 + [True]


def test_sweep__keeps_the_line_of_files_short_so_that_another_academy_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LINES", {"files": 2})
    with db.unit_of_work(CHANNEL) as session:
        noisy = [_row(str(number), "files") for number in range(5)]
        session.execute(text("UPDATE core.outbox SET run_at = run_at - interval '90 seconds'"))
    workers.send_nudges([(row.id, "files") for row in noisy])
    line = workers.queue("files").key
    assert redis().lrange(line, 0, -1) == [str(row.id).encode() for row in noisy[:2]]
    with db.unit_of_work(OTHER_CHANNEL) as session:
        quiet = _row("quiet", "files")
        session.execute(text("UPDATE core.outbox SET run_at = run_at - interval '10 seconds' WHERE id = :id"), {"id": quiet.id})
    workers.send_nudge(quiet.id, "files")
    redis().lpop(line)
    noisy[0].perform()
    assert redis().lrange(line, 0, -1) == [str(one.id).encode() for one in (noisy[1], quiet)]
    assert done == ["0"]
