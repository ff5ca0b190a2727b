"""What `lms serve` runs, and what it says before it begins; with the application at hand, the whole of it once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from lms.config import SERVERS, BadSettings, Config
from lms.core import commands, serving
from tests import servers
from tests.core.test_supervisor import Run, eventually
from tests.ports import free_pair

ROOT = Path(__file__).resolve().parents[2]
SECRET = "s" * 32


@pytest.fixture
def home() -> Iterator[Path]:
    path = servers.throwaway_home()
    yield path
    servers.remove_home(path)


def config(home: Path, **settings: str) -> Config:
    return Config.load({"LMS_HOME": str(home), "SECRET_KEY": SECRET, **serving.EMBEDDED, **settings})


def test_plan__starts_the_servers_that_have_no_address_and_stops_pages_first(home: Path) -> None:
    plan = serving.plan(config(home, LMS_WORKERS="3"), ["DATABASE_URL", "REDIS_URL"])
    assert plan.data == ("postgres", "valkey")
    assert [process.name for process in plan.before] == ["migrate"]
    assert [process.name for process in plan.services] == ["pages", "sockets", "worker-1", "worker-2", "worker-3", "live", "scheduler"]
    assert [process.argv[2:] for process in plan.after] == [("lms", "demo", "seed", "--if-empty")]
    assert [process.name for process in plan.services if not process.forked] == ["sockets"]  # gevent has to come first there
    assert plan.scratch == {"PROMETHEUS_MULTIPROC_DIR": home / "metrics"}
    assert plan.listens == (("127.0.0.1", 8000), ("127.0.0.1", 8001))
    assert sum({process.kind: process.patience for process in plan.services}.values()) + 1 + 3 <= 10
    other = serving.plan(config(home, LMS_DEMO="0"), ["REDIS_URL"])
    assert (other.data, other.after) == (("valkey",), ())


def test_welcome__gives_address_sign_ins_and_how_to_stop(home: Path) -> None:
    assert serving.welcome(config(home, LMS_HOST="0.0.0.0", LMS_PORT="9000"))[0] == "Lectern is open at http://localhost:9000"
    assert [re.search(r"lms (\w+ create)", line)[1] for line in serving.welcome(config(home))[1:3]] == ["channel create", "user create"]  # type: ignore[index]
    people = [{"role": "admin", "email": "root@lectern.example", "password": "one"}, {"role": "student", "email": "s@x", "password": "two"}]
    (home / "demo.json").write_text(json.dumps(people))
    assert serving.welcome(config(home, LMS_HOST="::1")) == [
        "Lectern is open at http://[::1]:8000",
        "Sign in as:",
        "  admin    root@lectern.example  one",
        "  student  s@x  two",
        f"Logs: {home}/log. Stop with Ctrl-C.",
    ]


def test_serve__names_every_wrong_setting_and_starts_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serving.serve({"LMS_HOME": str(home), "LMS_PORT": "x", "LMS_ENV": "y", "SMTP_TLS": "z"}) == 2
    said = capsys.readouterr().err
    assert "LMS_PORT is 'x'" in said
    assert "LMS_ENV is 'y'" in said and "SMTP_TLS is 'z'" in said
    assert not (home / "postgres").exists()


def test_ready__answers_for_both_servers(addresses: servers.TestServers) -> None:
    good = {"SECRET_KEY": SECRET, "DATABASE_APP_URL": addresses.database_url, "DATABASE_PLATFORM_URL": addresses.database_url}
    answer = CliRunner().invoke(commands.ready, env={**good, "REDIS_URL": addresses.redis_url})
    assert answer.exit_code == 0
    answer = CliRunner().invoke(commands.ready, env={**good, "REDIS_URL": "unix:///nowhere/valkey.sock"})
    assert answer.exit_code == 1
    assert "Not ready" in answer.output


def test_serve__command_becomes_the_small_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, argv: became.append([program, *argv]))
    CliRunner().invoke(commands.serve)
    assert became == [[sys.executable, sys.executable, "-m", "lms.core.serving"]]


class WholeRun(Run):
    """`lms serve` itself, without the demo."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port, self.mark = (home, port, f"serve-{port}-{time.monotonic_ns()}")
        self.output = home / "serve.out"
        settings = {"LMS_HOME": str(home), "LMS_PORT": str(port), "LMS_DEMO": "0", "LMS_WORKERS": "1", "SUPERVISED": self.mark}
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lms.core.serving"], cwd=ROOT, env={**kept, **settings}, stdout=file, stderr=subprocess.STDOUT
            )


def test_serve__opens_the_platform_and_leaves_nothing_behind(home: Path) -> None:
    run = WholeRun(home, free_pair())
    try:
        run.wait_for("Lectern is open at")
        for port in (run.port, run.port + 1):
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
                assert answer.status == 200
        assert not re.search(r"starts again", run.said)
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(60) == 0
        eventually(lambda: run.processes() == {}, lambda: str(run.processes()))
    finally:
        run.clean_up()


def test_load__finds_the_servers_that_run_on_the_same_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lms mail` in a second terminal needs no address, and an address that is set wins."""
    home.mkdir(parents=True, exist_ok=True)
    (home / SERVERS).write_text(json.dumps({"DATABASE_URL": "postgresql://owner@/lectern", "REDIS_URL": "redis://here"}))
    monkeypatch.setenv("LMS_HOME", str(home))
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("REDIS_URL", "redis://there")
    for name in ("DATABASE_URL", "DATABASE_APP_URL", "DATABASE_PLATFORM_URL"):
        monkeypatch.delenv(name, raising=False)
    config = Config.load()
    assert (config.database_url, config.redis_url) == ("postgresql://owner@/lectern", "redis://there")
    (home / SERVERS).unlink()
    with pytest.raises(BadSettings, match="DATABASE_URL is missing"):
        Config.load()
