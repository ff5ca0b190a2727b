"""`lms token`: what it prints opens the API."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from lms.auth.commands import token
from lms.channels import operations, queries
from lms.config import Config
from lms.core import commands as core_commands
from lms.core import db
from tests.conftest import CHANNEL
from tests.factories import people
from tests.machine import Machine


@pytest.fixture
def lms_token(real_database: str, test_config: Config, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command on a database of its own, with Root and Sam in it."""
    monkeypatch.setattr(core_commands, "_connect", [lambda _config: None])
    monkeypatch.setenv("DATABASE_URL", test_config.database_url)
    monkeypatch.setenv("REDIS_URL", test_config.redis_url)
    queries.forget_faces()
    with db.unit_of_work(CHANNEL):
        people.root()
        people.sam()
    return lambda *words: CliRunner().invoke(token, [*words, "--channel", "academy"])


def test_token__opens_the_api(app: Flask, lms_token: Callable[..., Any]) -> None:
    made = lms_token("root@example.org")
    assert made.exit_code == 0, made.output
    assert Machine(app, made.output.strip()).get("/channels/people")["count"] == 2
    pair = json.loads(lms_token("root@example.org", "--refresh").output)
    assert Machine(app).post("/auth/refresh", {"refresh_token": pair["refresh_token"]})["expires_in"] == 900


def test_token__is_not_for_strangers_and_the_suspended(lms_token: Callable[..., Any]) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
        operations.suspend(queries.get_member(sam.user_id), by=people.root())  # type: ignore[arg-type]
    for address in ("who@example.org", "sam@example.org"):
        refused = lms_token(address)
        assert refused.exit_code == 1 and "may sign in here" in refused.output
