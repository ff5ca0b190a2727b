"""Who may knock at which door: every address with the answer each role gets, kept as one file.

A new door, a door that went, or another answer than the file says fails the test. After a change that is meant, write the file
anew with `LECTERN_WRITE_MATRIX=1 ./scripts/test tests/architecture/test_matrix.py` and read the difference before committing it.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from lms.core import limits
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.machine import Machine, token_of

FILE = Path(__file__).with_name("matrix.yaml")
ROLES = ("stranger", "student", "instructor", "admin")
NOWHERE = "0190a000-0000-7000-8000-00000000dead"
VALUES = {"uuid": NOWHERE, "token": "x" * 43, "integer": "0", "int": "0", "path": "none.m3u8"}
NOT_ASKED = ("auth.sign_out", "auth.sessions_end_others", "admin.system_demo_remove")  # would end the asking session, or take long


def address(rule: Any) -> str:
    """A rule with values in it that lead nowhere."""
    if not rule.arguments:
        return str(rule.rule)
    values = {}
    for name, converter in rule._converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        values[name] = sorted(converter.items)[0] if kind == "any" else VALUES.get(kind, "none")
    return str(rule.build(values)[1])


def doors(app: Flask) -> list[tuple[str, str, str]]:
    """Every door as (endpoint, method, address), sockets apart."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.websocket or rule.endpoint in NOT_ASKED or rule.rule.startswith("/ws/"):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((rule.endpoint, method, address(rule)))
    return sorted(found)


def knock(browser: Browser, method: str, path: str) -> int:
    """The answer a role gets: pages by its cookie and form token, machines by its access token with an empty object."""
    if not path.startswith("/api/"):
        return browser._send(method, path, False, False, None, False, headers={"X-CSRFToken": browser.token}).status
    token = token_of(browser.person, CHANNEL).access_token if browser.person else ""
    machine = Machine(browser.app, token)
    return machine.open(method, path, None if method == "GET" else {}, headers={"Idempotency-Key": "key-of-the-matrix"}).status_code


def answers(app: Flask, browsers: dict[str, Browser]) -> dict[str, dict[str, int]]:
    """What every role gets at every door."""
    made: dict[str, dict[str, int]] = {}
    for endpoint, method, path in doors(app):
        row = {}
        for role, browser in browsers.items():
            row[role] = knock(browser, method, path)
        made[f"{method} {endpoint}"] = row
    return made


@pytest.mark.timeout(300)
def test_doors__answer_each_role_as_the_matrix_says(
    app: Flask, client: Browser, as_sam: Browser, as_ada: Browser, as_root: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "hit", lambda *_args, **_options: None)
    browsers = dict(zip(ROLES, (client, as_sam, as_ada, as_root), strict=True))
    for browser in browsers.values():
        browser.token = browser.form_token()
    seen = answers(app, browsers)
    if os.environ.get("LECTERN_WRITE_MATRIX"):
        FILE.write_text(yaml.safe_dump(seen, sort_keys=True, default_flow_style=None, width=200))
    written = yaml.safe_load(FILE.read_text())
    assert set(seen) == set(written), f"not in the matrix: {set(seen) - set(written)}; gone: {set(written) - set(seen)}"
    wrong = {door: (seen[door], written[door]) for door in seen if seen[door] != written[door]}
    assert not wrong, "\n".join(f"{door}: {got}, the matrix says {said}" for door, (got, said) in wrong.items())


def test_matrix__lets_nobody_into_the_back_office_who_does_not_work_there() -> None:
    written = yaml.safe_load(FILE.read_text())
    assert len(written) > 150
    for door, row in written.items():
        module = door.split(" ")[1].split(".")[0]
        if module == "admin" or module.endswith("_admin"):
            assert row["student"] in (403, 404), door
            assert row["stranger"] in (303, 401, 403, 404), door
