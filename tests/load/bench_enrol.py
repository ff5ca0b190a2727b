"""Enrolling by wallet, against the same statements sent by psycopg alone: other people, fresh ids, the same work for PostgreSQL."""

import os
import pickle
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from lms.app import connect
from lms.config import Config, url_for_role
from lms.core import db
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import queries as courses
from lms.enrollments import operations as enrollments
from lms.wallet import operations as wallet
from tests.factories import people
from tests.load.figure import Figure
from tests.load.stage import ROOT, Stage, cpu_seconds

PROCESSES, THREADS = 2, 8  # those of the page server (deploy/gunicorn_pages.py)
IDS = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ENTER = "SELECT set_config('app.channel_id', %(channel)s, true), set_config('app.user_id', %(user)s, true)"


@dataclass(slots=True)
class Share:
    """What one process does: the people it enrols, or whose purchase it repeats with the statements alone."""

    channel_id: UUID
    course_id: UUID
    people: list[Actor]
    statements: list[tuple[str, Any]] = field(default_factory=list)
    like: UUID | None = None  # whose purchase the statements are
    fresh: set[UUID] = field(default_factory=set)  # the ids that are new in each
    accounts: dict[UUID, UUID] = field(default_factory=dict)


def enrol(stage: Stage, quick: bool) -> list[Figure]:
    """Enrolments a second in as many processes and threads as the page server has, each of a person of their own out of a wallet of their own.

    The floor are the same processes and threads with psycopg, which send the same statements and read their answers.
    """
    count = 160 if quick else 1600
    students = _students(stage, 2 * count + 2)
    one, two, ours, theirs = students[0], students[1], students[2 : 2 + count], students[2 + count :]
    course_id = stage.facts["course_ids"][1]
    first, second = _captured(stage, one, course_id), _captured(stage, two, course_id)
    accounts = _accounts(stage)
    assert one.user_id
    fresh = _ids(first) - (_ids(first) & _ids(second)) - {one.user_id, accounts[one.user_id]}
    made = [_done(stage, [Share(stage.channel_id, course_id, ours[place::PROCESSES]) for place in range(PROCESSES)])]
    made.append(
        _done(
            stage,
            [
                Share(stage.channel_id, course_id, theirs[place::PROCESSES], first, one.user_id, fresh, accounts)
                for place in range(PROCESSES)
            ],
        )
    )
    (seconds, work), (least, floor_work) = made
    ratio = least / seconds
    what = f"enrol by wallet, {PROCESSES} processes of {THREADS} threads, {len(first)} statements"
    return [
        Figure(
            "enrol", what, f"{count / seconds:.0f}/s, {1000 * work / count:.1f} ms CPU each",
            f"{count / least:.0f}/s, {1000 * floor_work / count:.1f} ms (psycopg alone)", f"ratio {ratio:.2f} (≥ 0.5)", ratio >= 0.5,
        )
    ]  # fmt: skip


def _done(stage: Stage, shares: list[Share]) -> tuple[float, float]:
    """Seconds until all shares are done, each in a process of its own, and seconds of CPU of these and of PostgreSQL."""
    running = []
    for share in shares:
        program = [sys.executable, "-m", "tests.load.bench_enrol"]
        child = subprocess.Popen(program, cwd=ROOT, env={**os.environ, **stage.environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin and child.stdout
        child.stdin.write(pickle.dumps(share))
        child.stdin.flush()
        running.append(child)
    for child in running:
        assert child.stdout and child.stdout.readline() == b"ready\n"
    pids = [stage.postgres_pid, *(child.pid for child in running)]
    work, began = cpu_seconds(*pids), time.perf_counter()
    for child in running:
        assert child.stdin
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in running:
        assert child.stdout and child.stdout.readline() == b"done\n"
    seconds, work = time.perf_counter() - began, cpu_seconds(*pids) - work
    for child in running:
        child.communicate()
    return seconds, work


def main() -> None:
    """Be one process: take the share, say when everything stands ready, do it, and say when it is done."""
    config = Config.load(dict(os.environ))
    connect(config)
    share: Share = pickle.load(sys.stdin.buffer)
    acts = _acts(share, url_for_role(config.database_url, "lms_app", config.secret_key))
    acts.pop()()  # the first one has every statement put together
    print("ready", flush=True)
    sys.stdin.readline()
    _race(acts)
    print("done", flush=True)


def _acts(share: Share, url: str) -> list[Callable[[], None]]:
    if share.like is None:
        return [partial(_enrol, share.channel_id, share.course_id, person) for person in share.people]
    local = threading.local()
    return [
        partial(_replay, local, url, share, person.user_id, _for(share, share.like, person)) for person in share.people if person.user_id
    ]


def _for(share: Share, like: UUID, person: Actor) -> list[tuple[str, Any]]:
    """The statements as this person's purchase would have them: their ids, and fresh ones where each has its own."""
    assert person.user_id
    names = {old: uuid7() for old in share.fresh}
    names[like], names[share.accounts[like]] = person.user_id, share.accounts[person.user_id]
    return [(statement, _renamed(values, names)) for statement, values in share.statements]


def _replay(local: Any, url: str, share: Share, user_id: UUID, statements: list[tuple[str, Any]]) -> None:
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(url)
    with local.connection.transaction(), local.connection.cursor() as cursor:
        cursor.execute(ENTER, {"channel": str(share.channel_id), "user": str(user_id)})
        for statement, values in statements:
            cursor.execute(statement, values)
            if cursor.description:
                cursor.fetchall()


def _students(stage: Stage, count: int) -> list[Actor]:
    made: list[Actor] = []
    with db.unit_of_work(stage.channel_id):
        root = people.root()
        rows = (
            db.session()
            .execute(text("SELECT id, name FROM channels.members WHERE role = 'student' ORDER BY id LIMIT :n"), {"n": count})
            .all()
        )
        for row in rows:
            wallet.credit(row.id, Money(100_000, "EUR"), source="adjustment", reference_id=row.id, by=root)
            made.append(Actor(user_id=row.id, name=row.name, role="student", channel_id=stage.channel_id))
    return made


def _accounts(stage: Stage) -> dict[UUID, UUID]:
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        rows = session.execute(text("SELECT user_id, id FROM wallet.accounts WHERE user_id IS NOT NULL"))
        return {row.user_id: row.id for row in rows}


def _enrol(channel_id: UUID, course_id: UUID, person: Actor) -> None:
    with db.unit_of_work(channel_id, user_id=person.user_id):
        enrollments.enroll_by_wallet(courses.get_course(course_id), by=person)


def _captured(stage: Stage, person: Actor, course_id: UUID) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, values: Any, *_rest: object) -> None:
        seen.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    _enrol(stage.channel_id, course_id, person)
    event.remove(Engine, "before_cursor_execute", note)
    return seen


def _values(given: Any) -> Iterator[Any]:
    """Every plain value inside parameters, lists and arrays too; the ids inside the JSON of notes."""
    if isinstance(given, str) and given.startswith("["):
        yield from (UUID(one) for one in IDS.findall(given))
    elif isinstance(given, (dict, list, tuple)):
        for part in given.values() if isinstance(given, dict) else given:
            yield from _values(part)
    else:
        yield given


def _ids(statements: list[tuple[str, Any]]) -> set[UUID]:
    return {value for _, given in statements for value in _values(given) if isinstance(value, UUID)}


def _renamed(given: Any, names: dict[UUID, UUID]) -> Any:
    if isinstance(given, str) and given.startswith("["):
        return IDS.sub(lambda found: str(names.get(UUID(found[0]), found[0])), given)
    if isinstance(given, dict):
        return {key: _renamed(value, names) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return type(given)(_renamed(value, names) for value in given)
    return names.get(given, given) if isinstance(given, UUID) else given


def _race(acts: list[Callable[[], None]]) -> None:
    """Acts, done once each by the threads of a process."""
    waiting = iter(acts)
    guard = threading.Lock()

    def loop() -> None:
        while True:
            with guard:
                act = next(waiting, None)
            if act is None:
                return
            act()

    running = [threading.Thread(target=loop) for _ in range(THREADS)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


if __name__ == "__main__":
    main()
