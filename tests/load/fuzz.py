"""Odd values for every door (T049): bodies for the API by its document, and forms by what stands in them."""

import io
import json
import random
import re
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import lxml.html
from werkzeug.datastructures import MultiDict

from tests.machine import Machine

ODD: list[Any] = [
    None, True, 0, -1, 10**15, 10**30, 1.5, "", "x", "é" * 300, "\u202e", "0" * 20_000, [], {}, [[]], {"a": {"b": []}}, [None] * 50,
    "00000000-0000-0000-0000-000000000000", "2026-02-30T25:61:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "EUR",
    "' OR 1=1 --", "../../etc/passwd", "<script>", "{{7*7}}", "=1+1", "\x7f", "a\nb", "\ufffe",
]  # fmt: skip


class Maker:
    """Values for a schema: mostly right, sometimes odd."""

    def __init__(self, seed: int, components: dict[str, Any], known: list[str]) -> None:
        self.dice = random.Random(seed)
        self.components = components
        self.known = known

    def value(self, schema: dict[str, Any], depth: int = 0) -> Any:
        if self.dice.random() < 0.12 or depth > 6:
            return self.dice.choice(ODD)
        if "$ref" in schema:
            return self.value(self.components[schema["$ref"].rpartition("/")[2]], depth)
        if "anyOf" in schema:
            return self.value(self.dice.choice(schema["anyOf"]), depth)
        if "enum" in schema:
            return self.dice.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        return getattr(self, f"_{schema.get('type', 'any')}")(schema, depth)

    def _object(self, schema: dict[str, Any], depth: int) -> Any:
        made = {name: self.value(part, depth + 1) for name, part in schema.get("properties", {}).items() if self.dice.random() < 0.9}
        if self.dice.random() < 0.08:
            made[self.dice.choice(["role", "channel_id", "is_admin", "__proto__", "x" * 300])] = self.dice.choice(ODD)
        return made

    def _array(self, schema: dict[str, Any], depth: int) -> Any:
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(self.dice.choice([0, 1, 2, 5]))]

    def _string(self, schema: dict[str, Any], _depth: int) -> Any:
        if schema.get("format") == "uuid":
            return self.dice.choice(self.known)
        if schema.get("format") == "email":
            return self.dice.choice(["sam@example.org", "new@example.org", "a@b", "@", "x" * 300 + "@example.org"])
        if schema.get("format") == "date-time":
            return self.dice.choice(["2026-11-20T15:00:00Z", "2027-01-01T00:00:00+02:00", "2027-01-01T00:00:00", "tomorrow"])
        if "pattern" in schema and "A-Z" in schema["pattern"]:
            return self.dice.choice(["EUR", "USD", "XXX", "eur", ""])
        return self.dice.choice(["Spring", "a", "Some words here", "ünïcode", "x" * 130])

    def _integer(self, schema: dict[str, Any], _depth: int) -> Any:
        low, high = int(schema.get("minimum", 0)), min(int(schema.get("maximum", 50)), 50)
        return self.dice.choice([max(low, 0), max(min(low + 1, high), 0), low - 1, 10**18, "1"])

    def _number(self, schema: dict[str, Any], _depth: int) -> Any:
        return self.dice.choice([0, 1.5, 3, -1, 1e300])

    def _boolean(self, _schema: dict[str, Any], _depth: int) -> Any:
        return self.dice.choice([True, False, "true"])

    def _null(self, _schema: dict[str, Any], _depth: int) -> Any:
        return None

    def _any(self, _schema: dict[str, Any], _depth: int) -> Any:
        return self.dice.choice(ODD)


def fuzz_one(machine: Machine, maker: Maker, method: str, path: str, operation: dict[str, Any]) -> int:
    """One odd request; its answer must be as the document says."""
    query: list[tuple[str, str]] = []
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            value = "1" if parameter["schema"].get("type") == "integer" else maker.dice.choice(maker.known)
            path = path.replace("{" + parameter["name"] + "}", value)
        elif parameter["in"] == "query" and maker.dice.random() < 0.4:
            query.append((parameter["name"], str(maker.value(parameter["schema"]))[:500]))
    body = None
    if "requestBody" in operation:
        body = maker.value(operation["requestBody"]["content"]["application/json"]["schema"])
        body = json.dumps(body)
    headers = {"Idempotency-Key": str(uuid4())} if maker.dice.random() < 0.9 else {}
    response = machine.open(method, path, body, query_string=query, headers=headers)
    assert response.status_code < 500, f"{method} {path} {query} {body}: {response.get_data(as_text=True)[:1000]}"
    machine.check(method, path, response)
    return response.status_code


# --- bodies that are no bodies --------------------------------------------------------------------------------------------------------

DEEP = "[" * 10_000 + "]" * 10_000
HOSTILE: list[bytes] = [
    b"", b"{", b"null", b"[]", b'"x"', b"1e400", b'{"a": NaN}', b'{"a": 1e400}', b'{"a": Infinity}', b'{"title": "\\ud800"}', b"\xff\xfe",
    b'{"title": "a", "title": "b"}', DEEP.encode(), (DEEP.replace("[", '{"a":').replace("]", "1}")[:60_000]).encode(),
    b'{"title": "\\u0000"}', b'{"id": 99999999999999999999999999}', b'{"__proto__": {"x": 1}}', b"\x00" * 50,
]  # fmt: skip
VERY_MANY_KEYS = ("{" + ",".join(f'"k{number}":1' for number in range(1_000_000)) + "}").encode()


def multipart(parts: int) -> tuple[bytes, str]:
    """A form of so many parts, and its content type."""
    body = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % number for number in range(parts))
    return body + b"--x--\r\n", "multipart/form-data; boundary=x"


def hostile_one(machine: Machine, method: str, path: str, body: bytes, kind: str = "application/json") -> int:
    """One body that is none; the status."""
    headers = {"Idempotency-Key": str(uuid4())}
    return machine.open(method, path, body or b" ", headers=headers, content_type=kind).status_code


# --- forms ------------------------------------------------------------------------------------------------------------------------------

ODD_WORDS = [
    "", " ", "x", "é" * 300, "\u202e", "0" * 20_000, "None", "[]", "{}", "-1", "0", "1", "99999999999999999999999", "1e400", "NaN", "٣",
    "12.345,67", "12,5", "+", "%", "=1+1", "a\nb", "\ufffe", "\x00", "a\x00b", "2026-02-30", "9999-12-31", "0001-01-01", "2026-13-01T25:61",
    "9999-12-31T23:59", "24:61", "' OR 1=1 --", "<script>", "{{7*7}}", "../../etc/passwd", "on", "EUR", "javascript:alert(1)", "//evil.example",
    "00000000-0000-0000-0000-000000000000", "not-an-id", "user@", "user@example.org", "\U0001f4a9" * 50, "x" * 70_000, "\r\n", "1/0", "_", "%s",
]  # fmt: skip
ENDS_THE_ASKING = re.compile(r"sign_out|sessions_end|system_demo_remove|view_as|viewing|second_factor|passkey|prove|password")
ENDS_THE_CHANNEL = re.compile(r"strong|must|role$")


FILE = "\0file"
ODD_FILES = [b"", b"x", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4\n%%EOF\n", b"name,email\nAna,ana@example.org\n", b"name\n\xff\xfe\n", b"PK\x03\x04", b"WEBVTT\n\n", b"a,b\n" * 50]  # fmt: skip
ODD_NAMES = [
    "people.csv",
    "x.png",
    "notes.pdf",
    "sheet.xlsx",
    "captions.vtt",
    "film.mp4",
    "",
    "a" * 300 + ".csv",
    "../../etc/passwd",
    "x.exe",
]


def fields_of(html: str) -> list[tuple[str, dict[str, list[str]]]]:
    """Every form of a page that posts, and every button that does so by itself: its action, and each field with what stands in it or may be chosen."""
    made = []
    tree = lxml.html.fromstring(html)
    for form in tree.iter("form"):
        if (form.get("method") or "").lower() != "post":
            continue
        within = list(form.iter("input", "select", "textarea", "button"))
        beside = tree.xpath("//*[@form=$id]", id=form.get("id")) if form.get("id") else []
        fields = _fields(dict.fromkeys([*within, *beside]))
        actions = {str(one.get("formaction")) for one in (*within, *beside) if one.get("formaction")}
        made += [(action, fields) for action in (str(form.get("action") or ""), *sorted(actions))]
    made += [(str(one.get("hx-post")), {}) for one in tree.xpath("//*[@hx-post]") if one.tag != "form"]
    return made


def _fields(found: Iterable[Any]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for field in found:
        name = field.get("name")
        if not name or name == "csrf_token" or ENDS_THE_CHANNEL.search(name):
            continue
        options = [str(one.get("value", "")) for one in field.iter("option")] if field.tag == "select" else []
        usual = [FILE] if field.get("type") == "file" else options[:12] or [str(field.get("value") or field.text or "")]
        fields.setdefault(name, []).extend(usual)
    return fields


def links_of(html: str) -> list[tuple[str, bool]]:
    """The addresses a page leads to, and whether htmx would ask for them."""
    tree = lxml.html.fromstring(html)
    return [(str(one), False) for one in tree.xpath("//a/@href")] + [(str(one), True) for one in tree.xpath("//@hx-get")]


def filled(dice: random.Random, fields: dict[str, list[str]], known: list[str]) -> "MultiDict[str, Any]":
    """A form filled in mostly as a person would, here and there oddly."""
    made: MultiDict[str, Any] = MultiDict()
    for name, usual in fields.items():
        chance = dice.random()
        if chance < 0.06:
            continue
        for _ in range(2 if chance > 0.97 else 1):
            value = dice.choice(usual) if dice.random() < 0.55 else dice.choice([*ODD_WORDS, *ODD_WORDS, dice.choice(known)])
            made.add(name, (io.BytesIO(dice.choice(ODD_FILES)), dice.choice(ODD_NAMES)) if value == FILE else value)
    if dice.random() < 0.05:
        made.add(dice.choice(["channel_id", "role", "x" * 500, "user_id", "id"]), dice.choice(ODD_WORDS))
    return made
