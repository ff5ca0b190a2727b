"""The addresses of every page, with real ids in them: the first of each kind that opens for somebody."""

import itertools
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule

from lms.core import db, mail
from tests.looks.ground import Ground

TRIES = 12
# Where the ids of a parameter lie, when its name does not say it.
TABLES = {
    "user_id": ("channels.members",),
    "room_id": ("streaming.sessions",),
    "session_id": ("streaming.sessions",),
    "audit_show.row_id": ("core.audit",),
    "bin_show.row_id": ("core.bin",),
    "system_jobs_show.row_id": ("core.outbox",),
    "notifications.messages_show.message_id": ("core.mails", "notifications.notices"),
    "chat_admin.messages_show.message_id": ("chat.messages",),
    "mail_id": ("core.mails",),
    "broadcast_id": ("notifications.broadcasts",),
    "letter_id": ("vouchers.letters",),
    "enrollments.batches_enroll.batch_id": ("enrollments.course_batches",),
    "enrollments_admin.batch_id": ("enrollments.course_batches",),
    "vouchers_admin.batch_id": ("vouchers.batches",),
    "asset_id": ("content.assets",),
}
PAIRS = {
    "courses_lessons_show": "SELECT course_id, id AS lesson_id FROM courses.lessons WHERE deleted_at IS NULL",
    "rooms_messages_flag": "SELECT room_id, seq FROM chat.messages",
    "rooms_questions_answer": "SELECT m.room_id, m.seq FROM chat.questions q JOIN chat.messages m USING (channel_id, id)",
}
NOT_PAGES = ("static", "pages.metrics", "pages.healthz", "pages.readyz", "pages.theme_show")


@dataclass(frozen=True, slots=True)
class Place:
    """A page that opens for somebody."""

    endpoint: str
    path: str
    role: str


@dataclass(slots=True)
class Map:
    """Every page that opens, and what became of the others."""

    places: list[Place]
    closed: dict[str, dict[str, set[int]]]
    broken: list[tuple[str, str, int]]


def every_place(app: Flask, ground: Ground, roles: list[str], only: str, each: int) -> Map:
    """For each rule and role the first addresses that open, up to `each`; refusals are counted, faults are told."""
    found = Map([], {}, [])
    rules = sorted((rule for rule in app.url_map.iter_rules() if _is_page(rule)), key=lambda rule: rule.rule)
    for rule in rules:
        for role in roles:
            if only and not re.search(only, f"{rule.endpoint} {rule.rule}"):
                continue
            _open(found, ground, rule, role, each)
    return found


def _open(found: Map, ground: Ground, rule: Rule, role: str, each: int) -> None:
    opened, seen = 0, set()
    for path in itertools.islice(paths(ground, rule), TRIES):
        status, is_page = knock(ground, path, role)
        seen.add(status)
        if status >= 500:
            found.broken.append((path, role, status))
        if status == 200 and is_page:
            found.places.append(Place(rule.endpoint, path, role))
            opened += 1
        outside = rule.rule.startswith("/admin/") and role in ("student", "stranger")  # one answer says what all say
        if opened == each or (status == 200 and not is_page) or outside or (status == 403 and not rule.arguments):
            break
    if not opened:
        found.closed.setdefault(rule.endpoint, {})[role] = seen


def _is_page(rule: Rule) -> bool:
    return "GET" in (rule.methods or ()) and rule.endpoint not in NOT_PAGES and not rule.rule.startswith(("/api/", "/ws/"))


def knock(ground: Ground, path: str, role: str) -> tuple[int, bool]:
    """The status of an address for somebody, and whether a whole page came."""
    request = urllib.request.Request(ground.address + path, headers={"Accept": "text/html"})
    if role in ground.cookies:
        request.add_header("Cookie", f"lectern={ground.cookies[role]}")
    try:
        with _opener().open(request, timeout=60) as answer:
            body = answer.read(2000)
            return answer.status, answer.headers.get_content_type() == "text/html" and b"<html" in body
    except urllib.error.HTTPError as error:
        return error.code, False


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_all: Any) -> None:
        return None


@cache
def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Stay)


def paths(ground: Ground, rule: Rule) -> Iterator[str]:
    """Addresses of a rule with ids of the academy in them."""
    if not rule.arguments:
        yield rule.rule
        return
    name = rule.endpoint.split(".")[1]
    if name in PAIRS:
        for row in rows(ground, PAIRS[name]):
            yield str(rule.build(dict(row))[1])
        return
    lists = [values(ground, rule, argument) for argument in sorted(rule.arguments)]
    for combination in itertools.product(*lists):
        yield str(rule.build(dict(zip(sorted(rule.arguments), combination, strict=True)))[1])


def values(ground: Ground, rule: Rule, argument: str) -> list[Any]:
    """What may stand for one parameter, the newest first."""
    kind = type(rule._converters[argument]).__name__.removesuffix("Converter").lower()
    if kind == "any":
        return sorted(rule._converters[argument].items)  # type: ignore[attr-defined]
    if kind == "token":
        return held(ground, rule)
    if argument == "slug":
        return [row["slug"] for row in rows(ground, "SELECT slug FROM courses.courses WHERE status = 'published' ORDER BY id")]
    if argument in ("key", "name"):
        pattern = re.escape(rule.rule.rpartition("<")[0]) + r"([\w.-]+)"
        parent = rule.rule.rpartition("/")[0]
        return re.findall(pattern, page(ground, parent if rule.endpoint != "reporting_admin.reports_show" else "/admin/reporting/"))
    if kind != "uuid":
        return [1, 2, 3]
    blueprint, name = rule.endpoint.split(".")
    for known in (f"{rule.endpoint}.{argument}", f"{name}.{argument}", f"{blueprint}.{argument}", argument):
        if known in TABLES:
            return [one for table in TABLES[known] for one in ids(ground, table)]
    module = blueprint.removesuffix("_admin")
    word = argument.removesuffix("_id")
    many = {f"{word}s", f"{word}es", f"{word.removesuffix('y')}ies"}
    tables = sorted((one for one in every_table(ground) if one.split(".")[1] in many), key=lambda one: not one.startswith(module))
    return [one for table in tables for one in ids(ground, table)]


def rows(ground: Ground, query: str) -> list[dict[str, Any]]:
    """The rows of a query, in the academy."""
    with db.unit_of_work(ground.channel_id, read_only=True) as session:
        return [dict(row) for row in session.execute(text(query)).mappings()]


@cache
def _tables(channel_id: UUID) -> tuple[str, ...]:
    with db.unit_of_work(channel_id, read_only=True) as session:
        query = (
            "SELECT table_schema || '.' || table_name FROM information_schema.columns"
            " WHERE column_name = 'id' AND data_type = 'uuid' AND table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1"
        )
        return tuple(session.execute(text(query)).scalars())


def every_table(ground: Ground) -> tuple[str, ...]:
    """Every table whose rows have an id, as the application sees them."""
    return _tables(ground.channel_id)


def ids(ground: Ground, table: str) -> list[Any]:
    """The ids of a table, the newest first."""
    return [row["id"] for row in rows(ground, f"SELECT id FROM {table} ORDER BY id DESC LIMIT {TRIES}")]


def page(ground: Ground, path: str) -> str:
    """A page as the admin gets it."""
    request = urllib.request.Request(ground.address + path, headers={"Cookie": f"lectern={ground.cookies['admin']}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError:
        return ""


def held(ground: Ground, rule: Rule) -> list[str]:
    """The tokens that went out in letters to addresses of this rule, and those the filling kept."""
    pattern = re.escape(rule.rule.partition("<")[0]) + r"([A-Za-z0-9_.=-]{20,})"
    with db.unit_of_work(ground.channel_id, read_only=True):
        bodies = [mail.readable(one, one.body_text) for one in mail.newest(400, "")]
    return list(dict.fromkeys(found for body in [*KEPT, *bodies] for found in re.findall(pattern, body)))[:TRIES]


KEPT: list[str] = []
