"""Enrolling by wallet, against the same statements sent by psycopg alone: other people, fresh ids, the same work for PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from lms.config import url_for_role
from lms.core import db
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import queries as courses
from lms.enrollments import operations as enrollments
from lms.wallet import operations as wallet
from tests.factories import people
from tests.load.figure import Figure
from tests.load.stage import Stage

THREADS = 8
ENTER = "SELECT set_config('app.channel_id', %(channel)s, true), set_config('app.user_id', %(user)s, true)"


def enrol(stage: Stage, quick: bool) -> list[Figure]:
    """Enrolments a second with 8 threads, each of a person of their own out of a wallet of their own."""
    count = 160 if quick else 1600
    students = _students(stage, 2 * count + 2)
    one, two, ours, theirs = students[0], students[1], students[2 : 2 + count], students[2 + count :]
    first, second = _captured(stage, one), _captured(stage, two)
    common = _ids(first) & _ids(second)
    accounts = _accounts(stage)
    mine = {one.user_id, accounts[one.user_id]}
    fresh = _ids(first) - common - mine
    application = _race([lambda person=person: _enrol(stage, person) for person in ours])
    url = url_for_role(stage.config.database_url, "lms_app", stage.config.secret_key)
    local = threading.local()

    def replay(person: Actor) -> None:
        names = {old: uuid7() for old in fresh}
        names[one.user_id], names[accounts[one.user_id]] = person.user_id, accounts[person.user_id]
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(url)
        with local.connection.transaction(), local.connection.cursor() as cursor:
            cursor.execute(ENTER, {"channel": str(stage.channel_id), "user": str(person.user_id)})
            for statement, values in first:
                cursor.execute(statement, _renamed(values, names))
                if cursor.description:
                    cursor.fetchall()

    floor = _race([lambda person=person: replay(person) for person in theirs])
    ratio = application / floor
    return [
        Figure(
            "enrol", f"enrol by wallet, {THREADS} threads, {len(first)} statements",
            f"{application:.0f}/s", f"{floor:.0f}/s (psycopg alone)", f"ratio {ratio:.2f} (≥ 0.5)", ratio >= 0.5,
        )
    ]  # fmt: skip


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


def _enrol(stage: Stage, person: Actor) -> None:
    with db.unit_of_work(stage.channel_id, user_id=person.user_id):
        enrollments.enroll_by_wallet(courses.get_course(stage.facts["course_ids"][1]), by=person)


def _captured(stage: Stage, person: Actor) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, values: Any, *_rest: object) -> None:
        seen.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    _enrol(stage, person)
    event.remove(Engine, "before_cursor_execute", note)
    return seen


def _values(given: Any) -> Iterator[Any]:
    """Every plain value inside parameters, lists and arrays too."""
    if isinstance(given, (dict, list, tuple)):
        for part in given.values() if isinstance(given, dict) else given:
            yield from _values(part)
    else:
        yield given


def _ids(statements: list[tuple[str, Any]]) -> set[UUID]:
    return {value for _, given in statements for value in _values(given) if isinstance(value, UUID)}


def _renamed(given: Any, names: dict[UUID, UUID]) -> Any:
    if isinstance(given, dict):
        return {key: _renamed(value, names) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return type(given)(_renamed(value, names) for value in given)
    return names.get(given, given) if isinstance(given, UUID) else given


def _race(acts: list[Callable[[], None]]) -> float:
    """Acts a second, done once each by 8 threads."""
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
    began = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return len(acts) / (time.perf_counter() - began)
