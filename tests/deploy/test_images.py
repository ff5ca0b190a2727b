"""Dockerfile and docker-compose.yml name only what exists: programs, commands, queues, files, ports and settings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lms.config import SETTINGS, Config, role_password
from lms.core import embedded, jobs, serving

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build") == "."}
# Variables of the database's and the cache's own images.
SECRETS = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD"}


def dockerfile() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def program(service: str) -> list[str]:
    return [str(word) for word in SERVICES[service]["command"]]


def test_compose__runs_the_processes_the_supervisor_runs() -> None:
    config = Config.load({"SECRET_KEY": "x" * 32, **serving.EMBEDDED})
    kinds = {process.kind for process in serving.plan(config, []).services}
    assert kinds | {"media", "migrate", "settings"} == set(OURS)
    assert {*OURS, "web", "postgres", "valkey"} == set(SERVICES)


@pytest.mark.parametrize("service", ["pages", "sockets"])
def test_compose__web_servers_use_settings_and_application_that_exist(service: str) -> None:
    words = program(service)
    config = {"pages": serving.PAGES_CONFIG, "sockets": serving.SOCKETS_CONFIG}[service]
    assert words[:3] == ["gunicorn", "--config", config]
    assert (ROOT / config).is_file()
    assert words[-1] == serving.APPLICATION
    port = words[words.index("--bind") + 1].rpartition(":")[2]
    assert SERVICES[service]["expose"] == [port] and "ports" not in SERVICES[service]  # nobody comes past nginx
    assert f"{service}:{port}" in program("settings")
    assert f"http://127.0.0.1:{port}/healthz" in SERVICES[service]["healthcheck"]["test"][-1]


def test_compose__commands_exist() -> None:
    app = pytest.importorskip("lms.app")
    checks = [service["healthcheck"]["test"][1:] for service in OURS.values() if "healthcheck" in service]
    called = [words[3] for words in [*map(program, OURS), *checks] if words[:3] == ["python", "-m", "lms"]]
    assert {"worker", "live", "scheduler", "migrate", "ready", "nginx"} == set(called)
    assert set(called) <= set(app.main.commands)


def test_compose__workers_serve_every_queue_once() -> None:
    named = [name for service in OURS for name in queues(program(service))]
    assert sorted(named) == sorted(jobs.QUEUES)


def test_workers__the_first_of_several_keeps_off_slow_jobs() -> None:
    assert set(jobs.QUEUES) - set(serving.QUICK_QUEUES.split(",")) == {"bulk", "media"}
    assert [process.argv[2:] for process in serving.workers(2)] == [("lms", "worker", "--queues", serving.QUICK_QUEUES), ("lms", "worker")]
    assert [process.argv[2:] for process in serving.workers(1)] == [("lms", "worker")]


def queues(words: list[str]) -> list[str]:
    return words[words.index("--queues") + 1].split(",") if "--queues" in words else []


@pytest.mark.parametrize("service", sorted(OURS))
def test_compose__sets_only_settings_that_are_read(service: str) -> None:
    assert set(OURS[service]["environment"]) <= set(SETTINGS)


def test_compose__takes_only_known_variables_and_demands_the_secrets() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    taken = dict(re.findall(r"(?<!\$)\$\{(\w+)(:?[-?])?", text))
    assert set(taken) <= set(SETTINGS) | SECRETS
    assert {name for name, kind in taken.items() if kind == ":?"} == {"SECRET_KEY", *SECRETS}


def test_compose__gives_the_owners_password_to_the_migrations_alone() -> None:
    holders = {name for name, service in SERVICES.items() if "POSTGRES_PASSWORD" in json.dumps(service)}
    assert holders == {"migrate", "postgres"}
    address = OURS["pages"]["environment"]["DATABASE_URL"]
    config = Config.load({"DATABASE_URL": address, "REDIS_URL": "redis://valkey", "SECRET_KEY": "x" * 32})
    assert config.database_app_url == f"postgresql://lms_app:{role_password(b'x' * 32, 'lms_app')}@postgres:5432/lectern"


def test_compose__every_lasting_service_is_checked_and_comes_back() -> None:
    for name, service in SERVICES.items():
        if name not in ("migrate", "settings"):
            assert "healthcheck" in service, name
            assert service["restart"] == "unless-stopped", name
        for dependency in service.get("depends_on", {}):
            assert dependency in SERVICES


def test_compose__nginx_reads_the_settings_that_are_written_for_it_and_the_files_as_their_owner() -> None:
    web, told = SERVICES["web"], program("settings")
    assert program("web")[-1] == f"{OURS['pages']['environment']['LMS_HOME']}/nginx/{told[told.index('--to') + 1]}"
    assert web["user"] == dict(dockerfile())["USER"] and web["volumes"] == OURS["pages"]["volumes"]
    assert [port.rpartition(":")[2] for port in web["ports"]] == [told[told.index("--listen") + 1], told[told.index("--rtmp") + 1]]
    assert OURS["pages"]["environment"]["LMS_TRUSTED_PROXIES"].endswith(":-1}")


def test_compose__volumes_are_declared_and_data_lies_on_them() -> None:
    used = {volume.split(":")[0]: volume.split(":")[1] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert set(used) == set(COMPOSE["volumes"])
    assert used["files"] == OURS["pages"]["environment"]["LMS_HOME"]


def test_compose__database_is_the_one_of_the_embedded_server() -> None:
    environment = SERVICES["postgres"]["environment"]
    assert (environment["POSTGRES_USER"], environment["POSTGRES_DB"]) == (embedded.OWNER, embedded.DATABASE)
    assert SERVICES["postgres"]["image"] == f"postgres:{embedded.MAJOR}"
    for flag in environment["POSTGRES_INITDB_ARGS"].split():
        assert flag in (ROOT / "lms/core/embedded.py").read_text()


def test_dockerfile__copies_what_exists_and_the_ignore_file_lets_it_through() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [word for verb, rest in dockerfile() if verb == "COPY" and "--from" not in rest for word in rest.split()[:-1]]
    assert {"lms", "templates", "static", "migrations", "deploy", "wsgi.py", "requirements.lock"} <= set(copied)
    for path in copied:
        assert path in allowed
        assert (ROOT / path).exists(), path


def test_dockerfile__does_not_run_as_root_and_opens_what_it_serves() -> None:
    steps = dockerfile()
    assert dict(steps)["USER"].split(":")[0] not in {"0", "root"}
    assert [verb for verb, _ in steps].index("USER") < [verb for verb, _ in steps].index("CMD")
    assert json.loads(dict(steps)["CMD"]) == program("pages")
    assert dict(steps)["EXPOSE"].split() == ["8000", "8001"]
    settings = set(re.findall(r"\b(LMS_\w+)=", dict(steps)["ENV"]))
    assert settings <= set(SETTINGS)
    assert dict(steps)["VOLUME"] == OURS["pages"]["environment"]["LMS_HOME"]
