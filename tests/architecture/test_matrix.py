"""Who may knock at which door: every address with the answer each role gets, kept as one file.

A new door, a door that went, or another answer than the file says fails the test. After a change that is meant, write the file
anew with `LECTERN_WRITE_MATRIX=1 ./scripts/test tests/architecture/test_matrix.py` and read the difference before committing it.
"""

import fcntl
import os
import re
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
ROLES = (("stranger", "client"), ("student", "as_sam"), ("instructor", "as_ada"), ("admin", "as_root"))  # with the browser of each
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


HEADERS = {
    "Content-Security-Policy": "(?=.*object-src 'none')(?=.*base-uri 'none')(?=.*frame-ancestors 'none')|sandbox",
    "X-Content-Type-Options": "nosniff$",
    "Referrer-Policy": "same-origin$|no-referrer$",
    "Cross-Origin-Opener-Policy": "same-origin$",
    "Cross-Origin-Resource-Policy": "same-origin$|same-site$|cross-origin$",
}


def knock(browser: Browser, machine: Machine, method: str, path: str) -> int:
    """The answer at one door: a page's by cookie and form token, a machine's by access token with an empty object; its headers are the house's (T040)."""
    if not path.startswith("/api/"):
        answer = browser.raw.open(path, method=method, headers={"X-CSRFToken": browser.token}, base_url="http://localhost")
    else:
        answer = machine.open(method, path, None if method == "GET" else {}, headers={"Idempotency-Key": "key-of-the-matrix"})
    lacks = [name for name, wanted in HEADERS.items() if not re.match(wanted, answer.headers.get(name, ""))]
    assert not lacks, f"{method} {path}: {lacks}"
    return answer.status_code


def answers(app: Flask, browser: Browser) -> dict[str, int]:
    """What one role gets at every door."""
    browser.token = browser.form_token()
    machine = Machine(app, token_of(browser.person, CHANNEL).access_token if browser.person else "")
    return {f"{method} {endpoint}": knock(browser, machine, method, path) for endpoint, method, path in doors(app)}


def write(role: str, seen: dict[str, int]) -> None:
    """Put a role's answers into the file; the roles may be asked by several processes at once."""
    with FILE.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        written = yaml.safe_load(file)
        rows = {door: {**written.get(door, {}), role: answer} for door, answer in seen.items()}
        file.seek(0)
        file.truncate()
        file.write(yaml.safe_dump(rows, sort_keys=True, default_flow_style=None, width=200))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("role", "browser_of"), ROLES)
def test_doors__answer_each_role_as_the_matrix_says(
    app: Flask, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, role: str, browser_of: str
) -> None:
    monkeypatch.setattr(limits, "hit", lambda *_args, **_options: None)
    seen = answers(app, request.getfixturevalue(browser_of))
    if os.environ.get("LECTERN_WRITE_MATRIX"):
        write(role, seen)
    written = yaml.safe_load(FILE.read_text())
    assert set(seen) == set(written), f"not in the matrix: {set(seen) - set(written)}; gone: {set(written) - set(seen)}"
    wrong = {door: (seen[door], written[door].get(role)) for door in seen if seen[door] != written[door].get(role)}
    assert not wrong, "\n".join(f"{door}: {got} for {role}, the matrix says {said}" for door, (got, said) in wrong.items())


def test_matrix__lets_nobody_into_the_back_office_who_does_not_work_there() -> None:
    written = yaml.safe_load(FILE.read_text())
    assert len(written) > 150
    for door, row in written.items():
        module = door.split(" ")[1].split(".")[0]
        if module == "admin" or module.endswith("_admin"):
            assert row["student"] in (403, 404), door
            assert row["stranger"] in (303, 401, 403, 404), door
