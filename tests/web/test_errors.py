"""A fault at any door: a plain sentence and a number to quote; what broke stands in the log alone (T051)."""

import pytest
import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from lms.core import limits
from tests.architecture.test_matrix import doors
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.machine import Machine, token_of

INSIDE = "SELECT 'hunter2' FROM auth.users"
FAULTS = (
    RuntimeError(INSIDE),
    ProgrammingError(INSIDE, {"password": "hunter2"}, Exception("hunter2")),
    TimeoutError(INSIDE),
    OperationalError(INSIDE, {}, Exception("hunter2")),
    KeyError("hunter2"),
)
QUOTED = {"X-Request-Id": "0190a000-0000-7000-8000-0000000000aa"}


def test_answer_bug__says_the_same_at_every_door_and_nothing_of_what_broke(
    app: Flask, as_root: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "hit", lambda *_args, **_options: None)
    found = doors(app)
    machine = Machine(app, token_of(as_root.person, CHANNEL).access_token)
    token = as_root.form_token()
    broken = iter(FAULTS * len(found))

    def breaks(**_values: object) -> None:
        raise next(broken)

    for endpoint in {endpoint for endpoint, _method, _path in found}:
        monkeypatch.setitem(app.view_functions, endpoint, breaks)
    with structlog.testing.capture_logs() as logged:
        said_at_every_door(found, machine, as_root, token)
    assert len([one for one in logged if one["event"] in ("bug", "database_away")]) == len(found)


def said_at_every_door(found: list[tuple[str, str, str]], machine: Machine, browser: Browser, token: str) -> None:
    """Knock at each, and hold what it says."""
    for endpoint, method, path in found:
        if path.startswith("/api/"):
            answer = machine.open(method, path, None if method == "GET" else {}, headers={"Idempotency-Key": f"key-{endpoint}", **QUOTED})
        else:
            answer = browser.raw.open(path, method=method, headers={"X-CSRFToken": token, **QUOTED}, base_url="http://localhost")
        said = answer.get_data(as_text=True)
        assert answer.status_code in (500, 503), f"{method} {path}: {answer.status_code}"
        assert "hunter2" not in said and "Traceback" not in said and "lms/" not in said, f"{method} {path}: {said[:300]}"
        assert QUOTED["X-Request-Id"] in said, f"{method} {path} has no number to quote"
