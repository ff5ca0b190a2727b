"""The schema fuzz (T049): every POST form of the site and every body of the API, in one process whose memory is watched."""

import gc
import json
import random
import re
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

import psutil
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from lms.app import create_app
from lms.core import db, limits, mail
from lms.core.decisions import Actor
from lms.web.api_document import document
from tests.architecture.test_matrix import address
from tests.client import TOKEN
from tests.conftest import run_jobs
from tests.factories import people
from tests.load import fuzz as odd
from tests.load.figure import Figure, Wish
from tests.load.stage import _sign_in, a_stage
from tests.looks import filling
from tests.looks.addresses import KEPT, TABLES
from tests.looks.ground import SEATS
from tests.machine import Machine, token_of
from tests.reporting import world

HOST = "http://localhost"


class Reader:
    """Somebody at a browser without checks: signed in, and again when an odd form signed them out."""

    def __init__(self, app: Flask, channel_id: UUID, person: Actor | None) -> None:
        self.client: FlaskClient = app.test_client(use_cookies=False)
        self.channel_id, self.person, self.cookie, self.token = channel_id, person, "", ""
        self.come_in()

    def come_in(self) -> None:
        """Sign in, and take a form token."""
        if self.person is not None:
            with db.unit_of_work(self.channel_id):
                self.cookie = _sign_in(self.person)
        found = TOKEN.search(self.get("/auth/register" if self.person is None else "/channels/profile"))
        self.token = found[1] if found else ""

    def get(self, path: str, headers: Mapping[str, str] = MappingProxyType({})) -> str:
        """A page's HTML; nothing when none came."""
        answer = self.client.get(path, base_url=HOST, headers={"Cookie": self.cookie, **headers})
        return answer.get_data(as_text=True) if answer.status_code == 200 and answer.mimetype == "text/html" else ""

    def post(self, path: str, **options: Any) -> tuple[int, str]:
        """A form; the status and, for a fault, what was said."""
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.token, **options.pop("headers", {})}
        answer = self.client.post(path, base_url=HOST, headers=headers, **options)
        if self.person is not None and (answer.headers.get("Location", "").startswith("/auth/") or answer.status_code in (400, 401)):
            self.come_in()
        return answer.status_code, answer.get_data(as_text=True)[:300] if answer.status_code >= 500 else ""


def rarities(channel_id: UUID, persons: list[Actor]) -> None:
    """What a walk through every page fills a demo with too; a part that does not fit this academy is left out, and said."""
    seats = dict(zip(SEATS, persons, strict=True))
    for part in filling.PARTS:
        try:
            with db.unit_of_work(channel_id):
                part(filling.Hands(seats))
        except Exception as error:
            print(f"  not there: {part.__name__}: {type(error).__name__}: {str(error)[:200]}", flush=True)


class World:
    """The application over an academy where something of everything happened, and everybody who knocks."""

    def __init__(self, app: Flask, channel_id: UUID, *, rare: bool = False) -> None:
        self.app, self.channel_id = app, channel_id
        with db.unit_of_work(channel_id):
            world.full()
            persons = [people.root(), people.ada(), people.sam()]
        if rare:
            rarities(channel_id, persons)
            run_jobs()
        self.readers = [Reader(app, channel_id, person) for person in (*persons, None)]
        self.machines = [Machine(app, token_of(person, channel_id).access_token) for person in persons] + [Machine(app)]
        self.ids = self._ids()
        with db.unit_of_work(channel_id, read_only=True):
            bodies = [mail.readable(one, one.body_text) for one in mail.newest(400, "")]
        self.letters = [*KEPT, *dict.fromkeys(one for body in bodies for one in re.findall(r"https?://[^/\s]+(/[^\s)>\]]*)", body))]

    def _ids(self) -> dict[str, list[str]]:
        tables = text(
            "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'id' AND data_type = 'uuid'"
            " AND table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1, 2"
        )
        made: dict[str, list[str]] = {}
        with db.unit_of_work(self.channel_id, read_only=True) as session:
            for schema, table in session.execute(tables).all():
                found = session.execute(text(f'SELECT id FROM "{schema}"."{table}" ORDER BY id DESC LIMIT 4')).scalars()
                made[f"{schema}.{table}"] = list(map(str, found))
        return made

    @property
    def known(self) -> list[str]:
        """Ids that are there, of every kind."""
        return [one for found in self.ids.values() for one in found]

    def near(self, endpoint: str, argument: str) -> list[str]:
        """Ids that a parameter probably means, by its name and the module."""
        blueprint, name = endpoint.split(".")
        for known in (f"{endpoint}.{argument}", f"{name}.{argument}", f"{blueprint}.{argument}", argument):
            if known in TABLES:
                return [one for table in TABLES[known] for one in self.ids.get(table, [])]
        word = argument.removesuffix("_id")
        many = {f"{word}s", f"{word}es", f"{word.removesuffix('y')}ies"}
        return [one for table, found in self.ids.items() if table.split(".")[1] in many for one in found]

    def paths(self, rule: Any, dice: random.Random) -> str:
        """An address of a rule, with ids it probably means for the most part."""
        values = {}
        for name, converter in rule._converters.items():
            if type(converter).__name__ == "UUIDConverter":
                near = self.near(rule.endpoint, name) if dice.random() < 0.9 else []
                values[name] = dice.choice(near or self.known)
        try:
            return str(rule.build({**_plain(rule), **values})[1])
        except (ValueError, TypeError):
            return address(rule)


def _plain(rule: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, converter in rule._converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        made[name] = sorted(converter.items)[0] if kind == "any" else {"token": "x" * 43, "integer": 1, "path": "a.m3u8"}.get(kind, "none")
    return made


Doors = dict[str, list[tuple[str, dict[str, list[str]]]]]


def doors_of(house: World, dice: random.Random, asks: int = 2, only: Sequence[str] = ()) -> Doors:
    """For each endpoint that takes a POST: addresses and fields, read from the pages of the rules that the admin, the student and a stranger can open."""
    found: Doors = {}
    for rule in house.app.url_map.iter_rules():
        if not _is_page(rule) or (only and rule.endpoint not in only):
            continue
        for reader in (house.readers[0], house.readers[2], house.readers[3]):
            for _ in range(asks if rule.arguments else 1):
                path = house.paths(rule, dice)
                _note_forms(house, found, path, reader.get(path))
    return found


def doors_by_links(house: World, each: int = 3) -> Doors:
    """The same by following every link from the pages that need none, up to `each` addresses of one endpoint for each reader."""
    found: Doors = {}
    for _reader, _endpoint, where, html in by_links(house, each):
        _note_forms(house, found, where.partition("#")[0].partition("?")[0], html)
    return found


def by_links(house: World, each: int) -> Iterator[tuple[Reader, str, str, str]]:
    """Every link followed from the pages that need none, by everybody: (reader, endpoint, address, HTML), up to `each` addresses of one endpoint."""
    adapter = house.app.url_map.bind("localhost")
    for reader in house.readers:
        seen: Counter[str] = Counter()
        asked = set[str]()
        plain = [rule.rule for rule in house.app.url_map.iter_rules() if _is_page(rule) and not rule.arguments]
        waiting = deque((where, False) for where in [*plain, *house.letters])
        while waiting:
            where, by_htmx = waiting.popleft()
            path, _, query = where.partition("#")[0].partition("?")
            try:
                endpoint = adapter.match(path, "GET")[0]
            except (HTTPException, RequestRedirect):
                continue
            kind = f"{endpoint} {bool(query)}"
            if where in asked or seen[kind] >= each or path.startswith(("/api/", "/ws/", "/static/")) or not path.startswith("/"):
                continue
            asked.add(where)
            html = reader.get(where, headers={"HX-Request": "true"} if by_htmx else {})
            if not html.strip():
                continue
            seen[kind] += 1
            yield reader, endpoint, where, html
            waiting.extend(odd.links_of(html))


def _forms_of(house: World) -> list[Any]:
    return [
        rule for rule in house.app.url_map.iter_rules() if "POST" in (rule.methods or ()) and not rule.rule.startswith(("/api/", "/ws/"))
    ]


def _is_page(rule: Any) -> bool:
    return "GET" in (rule.methods or ()) and not rule.rule.startswith(("/api/", "/ws/")) and rule.endpoint != "static"


def _note_forms(house: World, found: Doors, path: str, html: str) -> None:
    adapter = house.app.url_map.bind("localhost")
    for action, fields in odd.fields_of(html) if "<form" in html or "hx-post" in html else ():
        try:
            endpoint, _values = adapter.match((action or path).partition("?")[0], "POST")
        except (HTTPException, RequestRedirect):
            continue
        found.setdefault(endpoint, []).append((action or path, fields))


def fuzz(wish: Wish) -> list[Figure]:
    """10,000 odd requests: half of them forms, half bodies; no fault of the server, memory flat."""
    cases = 800 if wish.quick else 10_000
    end = time.monotonic() + wish.minutes * 60 - 45  # the heavy bodies at the end, and taking the stage down
    limits.hit = lambda *_args, **_options: None  # type: ignore[assignment]  # what is asked is not how often one may
    with a_stage(20) as stage:
        app = create_app(stage.config, testing=True)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        house, dice = World(app, stage.channel_id, rare=True), random.Random(20261121 + wish.turn)
        faults: list[str] = []
        sizes: list[int] = []
        doors = doors_by_links(house)
        for endpoint, found in doors_of(house, dice).items():
            doors.setdefault(endpoint, []).extend(found)
        print(f"  {len(doors)} forms are filled from their pages", flush=True)
        seen: Counter[int] = Counter()
        forms = form_cases(house, doors, dice)
        bodies = body_cases(house, dice)
        for number in range(cases):
            what, status, said = next(forms if number % 2 else bodies)
            seen[status] += 1
            if status >= 500 and status != 503:
                faults.append(f"{status} {what} {said}")
            if number % (cases // 20) == 0:
                gc.collect()
                sizes.append(psutil.Process().memory_info().rss)
            if time.monotonic() > end:
                break
        heavy = heavy_cases(house, faults)
        gc.collect()
        size = psutil.Process().memory_info().rss
    missing = [rule.rule for rule in _forms_of(house) if rule.endpoint not in doors and not odd.ENDS_THE_ASKING.search(rule.endpoint)]
    print(f"  not filled from their own pages: {', '.join(sorted(missing))}", flush=True)
    for fault in list(dict.fromkeys(faults))[:40]:
        print(f"  fault: {fault[:600]}", flush=True)
    warm = max(sizes[: max(len(sizes) // 2, 1)])
    growth = (sizes[-1] - warm) / warm
    rules = _forms_of(house)
    return [
        Figure("fuzz", f"{seen.total():,} odd requests at {len(rules)} forms ({len(doors)} filled from their pages) and every API body",
               f"{len(faults)} × 5xx; {dict(seen.most_common(8))}", "", "0 × 5xx", not faults),
        Figure("fuzz", "memory of the process, second half of the requests", f"{growth:+.1%} of {warm / 2**20:.0f} MiB", "", "< 5 %", growth < 0.05),
        Figure("fuzz", f"{heavy} heavy bodies: a million keys, 100,000 parts, 10,000 deep", f"{size / 2**20:.0f} MiB after", "", "4xx", not faults),
    ]  # fmt: skip


def form_cases(house: World, doors: dict[str, list[tuple[str, dict[str, list[str]]]]], dice: random.Random) -> Any:
    """Odd forms without end, each door in its turn."""
    rules = [rule for rule in _forms_of(house) if not odd.ENDS_THE_ASKING.search(rule.endpoint)]
    dice.shuffle(rules)
    pool = {name: usual for found in doors.values() for _path, fields in found for name, usual in fields.items()}
    while True:
        for rule in rules:
            if rule.endpoint in doors and dice.random() < 0.8:
                path, fields = dice.choice(doors[rule.endpoint])
            else:
                path, fields = house.paths(rule, dice), dict(dice.sample(sorted(pool.items()), min(12, len(pool))))
            reader = dice.choice([house.readers[0], *house.readers])
            data = odd.filled(dice, fields, house.known)
            headers = {"HX-Request": "true"} if dice.random() < 0.3 else {}
            status, said = reader.post(path, data=data, headers=headers)
            yield f"POST {path} {dict(data.lists())}"[:900], status, said


def body_cases(house: World, dice: random.Random) -> Any:
    """Odd bodies without end, each operation in its turn; every answer is as the document says."""
    with house.app.app_context():
        written = document()
    maker = odd.Maker(dice.randrange(10**9), written["components"]["schemas"], house.known)
    operations = [
        (method.upper(), path, one) for path, methods in written["paths"].items() for method, one in methods.items() if "/auth/" not in path
    ]
    while True:
        for method, path, one in operations:
            if path.endswith(("/suspend", "/role")):
                continue
            machine = dice.choice([house.machines[0], *house.machines])
            if dice.random() < 0.15 and "requestBody" in one:
                where = path
                for parameter in one["parameters"]:
                    where = where.replace(
                        "{" + parameter["name"] + "}", "1" if parameter["schema"].get("type") == "integer" else dice.choice(house.known)
                    )
                body = dice.choice(odd.HOSTILE)
                yield f"{method} {where} {body[:60]!r}", odd.hostile_one(machine, method, where, body), ""
                continue
            try:
                yield f"{method} {path}", odd.fuzz_one(machine, maker, method, path, one), ""
            except AssertionError as error:
                yield f"{method} {path}", 599, str(error)[:700]


def heavy_cases(house: World, faults: list[str]) -> int:
    """What is too big, at a few doors each; the number of requests."""
    done = 0
    with house.app.app_context():
        written = document()
    operations = [
        path for path, methods in written["paths"].items() if "post" in methods and "{" not in path and "requestBody" in methods["post"]
    ]
    body, kind = odd.multipart(100_000)
    for path in operations[:4]:
        for many in (odd.VERY_MANY_KEYS, json.dumps({"title": "x" * 17_000_000}).encode()):
            status = odd.hostile_one(house.machines[0], "POST", path, many)
            faults += [f"{status} POST {path} heavy"] if status >= 500 else []
            done += 1
    for path in ("/auth/sign-in", "/admin/courses/new", "/admin/channels/people/import", "/vouchers/redeem"):
        status, said = house.readers[0].post(path, data=body, content_type=kind)
        faults += [f"{status} POST {path} parts {said}"] if status >= 500 else []
        done += 1
    return done
