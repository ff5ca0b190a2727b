"""One throwaway PostgreSQL and Valkey for a whole test run; each xdist worker has a database and a Valkey number of its own.

The process that begins the run starts them and stops them; the kernel ends them with it when it crashes.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from lms.core.embedded import PostgresServer, ValkeyServer, start_postgres, start_valkey
from lms.core.places import hold

TEMPLATE = "lectern_template"
PREFIX = "lectern-test-"
# The workers of xdist inherit the environment of the process that began the run.
POSTGRES_VARIABLE = "LECTERN_TEST_POSTGRES"
VALKEY_VARIABLE = "LECTERN_TEST_VALKEY"
HOME_VARIABLE = "LECTERN_TEST_HOME"


@dataclass(frozen=True, slots=True)
class TestServers:
    """The two addresses a test process works on."""

    __test__ = False
    database_url: str
    redis_url: str


@dataclass(slots=True)
class _Running:
    home: Path
    postgres: PostgresServer
    valkey: ValkeyServer


_running: list[_Running] = []


def begin(migrate: Callable[[str], None]) -> None:
    """Start both servers and migrate the template database by `migrate(owner's address of it)`; in an xdist worker, do nothing."""
    if POSTGRES_VARIABLE in os.environ:
        return
    _sweep()
    home = throwaway_home()
    running = _Running(home, start_postgres(home, durable=False), start_valkey(home, durable=False))
    _running.append(running)
    os.environ[HOME_VARIABLE] = str(home)
    os.environ[POSTGRES_VARIABLE] = running.postgres.url
    os.environ[VALKEY_VARIABLE] = running.valkey.url
    try:
        migrate(_create(TEMPLATE))
    except BaseException:
        end()
        raise


def end() -> None:
    """Stop what this process began; elsewhere, and a second time, do nothing."""
    while _running:
        running = _running.pop()
        running.valkey.stop()
        running.postgres.stop()
        remove_home(running.home)
        os.environ.pop(HOME_VARIABLE, None)
        os.environ.pop(POSTGRES_VARIABLE, None)
        os.environ.pop(VALKEY_VARIABLE, None)


def for_worker(worker: str = "main") -> TestServers:
    """A fresh copy of the template database and an empty Valkey number for one test process (`gw0`, `gw1`, … or `main`)."""
    number = int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0
    return TestServers(_create(f"lectern_{worker}", TEMPLATE), os.environ[VALKEY_VARIABLE].replace("?db=0", f"?db={number}"))


def shared_folder() -> Path:
    """A folder that all test processes of the run share, gone with it."""
    folder = Path(os.environ[HOME_VARIABLE]) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def throwaway_home() -> Path:
    """A new home with a short path, which the servers' account can reach also when the tests run as root."""
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    home.chmod(0o711)
    return home


def remove_home(home: Path) -> None:
    """Remove a throwaway home and the data the servers kept elsewhere for it."""
    elsewhere = home / "data_location"
    if elsewhere.exists():
        shutil.rmtree(elsewhere.read_text().strip(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _sweep() -> None:
    """Remove homes that crashed runs left behind: an hour old, and no server holds their lock."""
    for home in Path("/tmp").glob(f"{PREFIX}*"):
        if home.stat().st_mtime < time.time() - 3600 and (lock := hold(home / "postgres.lock", patience=0)) is not None:
            os.close(lock)
            remove_home(home)


def _create(database: str, template: str = "template0") -> str:
    owner = os.environ[POSTGRES_VARIABLE]
    names = {"database": sql.Identifier(database), "template": sql.Identifier(template)}
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {database} WITH (FORCE)").format(**names))
        connection.execute(sql.SQL("CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY").format(**names))
    return owner.replace("@/lectern?", f"@/{database}?")
