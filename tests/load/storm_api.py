"""The replay of the API (T003): every address with an id in it, asked by those whose thing it is not."""

import random
import re
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import text

from lms.app import create_app
from lms.channels import operations as channels
from lms.core import db, limits
from lms.web.api_document import document
from tests.factories import people
from tests.load.figure import Figure, Wish
from tests.load.stage import a_stage
from tests.machine import Machine, token_of
from tests.reporting import world

VARIES = re.compile(r'"(request_id|instance)": ?"[^"]*"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')


def ids_by_table(channel_id: UUID) -> dict[str, list[UUID]]:
    """One id of each table of the academy, under `schema.table`: what somebody may have seen, guessed or bought."""
    tables = text(
        "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'channel_id' AND table_name IN"
        " (SELECT table_name FROM information_schema.columns WHERE column_name = 'id' AND data_type = 'uuid')"
        " AND table_schema NOT IN ('information_schema', 'pg_catalog') GROUP BY 1, 2 ORDER BY 1, 2"
    )
    found: dict[str, list[UUID]] = {}
    with db.unit_of_work(channel_id, read_only=True) as session:
        for schema, table in session.execute(tables).all():
            rows = session.execute(
                text(f'SELECT id FROM "{schema}"."{table}" WHERE channel_id = :one ORDER BY id LIMIT 1'), {"one": channel_id}
            )
            if ids := list(rows.scalars()):
                found[f"{schema}.{table}"] = ids
    return found


def addresses(app: Flask, ids: dict[str, list[UUID]]) -> list[tuple[str, str, str]]:
    """(method, address, the same with an id that is nowhere) for each operation of the API with one id, and each id of its module."""
    with app.app_context():
        written = document()
    made = []
    for path, methods in written["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        kinds = {parameter["name"]: parameter["schema"].get("format") for one in methods.values() for parameter in one["parameters"]}
        if len(names) != 1 or kinds.get(names[0]) != "uuid" or "/auth/" in path:
            continue
        module = path.removeprefix("/api/v1/").split("/")[0]
        near = [
            one
            for table, found in ids.items()
            if table.split(".")[0] in (module, {"chat": "streaming"}.get(module, "core"))
            for one in found
        ]
        for one in dict.fromkeys(near):
            for method in methods:
                made.append(
                    (method.upper(), path.replace("{" + names[0] + "}", str(one)), path.replace("{" + names[0] + "}", str(uuid4())))
                )
    return made


def leaks(machine: Machine, asked: tuple[str, str, str], secrets: tuple[str, ...], *, within: bool = False) -> tuple[str, int]:
    """What gives the thing away to somebody whose thing it is not, and the status; nothing when it looks like a thing that is nowhere.

    `within` the same academy a shop window is open to all, and a door may say that it is for staff; the thing's words stay inside.
    """
    method, path, nowhere = asked
    body = None if method in ("GET", "DELETE") else {}
    answers = []
    for where in (path, nowhere):
        answer = machine.open(method, where, body, headers={"Idempotency-Key": str(uuid4())})
        answers.append((answer.status_code, VARIES.sub("", answer.get_data(as_text=True)).replace(where.split("/")[-1], "")))
    here, gone = answers
    if within:
        bad = [word for word in secrets if word in here[1]] or here[0] >= 500 or (here[0] < 400 and method != "GET")
        return f"{method} {path}: {here}" if bad else "", here[0]
    if here[0] < 400 or here[0] >= 500:
        return f"{method} {path}: {here[0]}", here[0]
    if found := [word for word in secrets if word in here[1]]:
        return f"{method} {path} says {found}", here[0]
    if here != gone:
        return f"{method} {path}: {here} but nowhere {gone}", here[0]
    return "", here[0]


def deeds(channel_id: UUID) -> int:
    """How many deeds the audit log of the academy holds: nothing that is refused leaves one."""
    with db.unit_of_work(channel_id, read_only=True) as session:
        return int(session.execute(text("SELECT count(*) FROM core.audit WHERE channel_id = :one"), {"one": channel_id}).scalar_one())


def replay(wish: Wish) -> list[Figure]:
    """Everything that happened in one academy, asked for by another's admin, and by nobody at all; student and student by rights."""
    limits.hit = lambda *_args, **_options: None  # type: ignore[assignment]
    with a_stage(10) as stage:
        house = _house(stage)
        asked = house["asked"]
        if wish.quick:
            asked = random.Random(3).sample(asked, min(300, len(asked)))
        before, wrong, seen = deeds(stage.channel_id), list[str](), Counter[tuple[str, int]]()
        for who, machine in house["machines"].items():
            within = who == "another student"
            for one in asked:
                if within and one[0] != "GET" and re.search(r"/(courses|enrollments|vouchers)/", one[1]):
                    continue  # anybody of the academy may enrol and redeem: what is theirs then is no longer another's
                said, status = leaks(machine, one, ("sam@example.org",) if within else house["secrets"], within=within)
                seen[(who, status)] += 1
                if said:
                    wrong.append(f"{who}: {said}")
        changed = deeds(stage.channel_id) - before
    for line in wrong[:30]:
        print(f"  leak: {line[:500]}", flush=True)
    types = len(house["ids"])
    value = f"{len(wrong)} leaks, {changed} deeds; " + ", ".join(
        f"{who} {status}: {count}" for (who, status), count in sorted(seen.items())
    )
    what = f"{types} kinds of things at {len(asked):,} addresses of the API, by {len(house['machines'])} others"
    return [Figure("replay", what, value, "", "≥ 30 kinds, 0 leaks, nothing changed", not wrong and not changed and types >= 30)]


def _house(stage: Any) -> dict[str, Any]:
    app = create_app(stage.config, testing=True)
    with db.unit_of_work(stage.channel_id):
        world.full()
        nia = people.a_student("Nia Newcomer")
    with db.unit_of_work(platform=True):
        beta = channels.open_channel("Beta School", "beta", currency="EUR")
        channels.add_host(beta.id, "beta.example", verified=True)
    with db.unit_of_work(beta.id):
        otto = people.a_person("Otto Other", "admin", "otto@example.org")
    ids = ids_by_table(stage.channel_id)
    machines = {
        "another academy's admin": Machine(app, token_of(otto, beta.id).access_token, host="beta.example"),
        "another student": Machine(app, token_of(nia, stage.channel_id).access_token),
        "nobody": Machine(app),
    }
    return {"asked": addresses(app, ids), "ids": ids, "machines": machines, "secrets": ("Sam Student", "Geometry", "sam@example.org")}
