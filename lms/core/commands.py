"""Commands of the kernel: serve, ready, migrate, worker, scheduler, mail, doctor."""

import os
import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import click
import psycopg
import redis
from sqlalchemy import text

from lms.config import BadSettings, Config
from lms.core import db, doctor, jobs, mail, schema, workers
from lms.core.clock import now
from lms.core.errors import Refusal

P = ParamSpec("P")
R = TypeVar("R")
_connect: list[Callable[..., None]] = []


def connects_by(connect: Callable[..., None]) -> None:
    """Tell the commands how a process gets its database, Redis and modules (app.py)."""
    _connect[:] = [connect]


def connected(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the whole platform before it runs; what it refuses is one sentence and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _connect[0](Config.load())
            return command(*args, **kwargs)
        except (Refusal, BadSettings) as problem:
            raise SystemExit(str(problem)) from problem

    return run


def the_channel(slug: str) -> UUID:
    """The channel a command means: the one named, or the only one; exits with a sentence otherwise."""
    with db.unit_of_work(platform=True, read_only=True) as session:
        rows = session.execute(text("SELECT id, slug FROM channels.channels WHERE status = 'open' ORDER BY created_at")).all()
    if slug:
        rows = [row for row in rows if row.slug == slug]
    if len(rows) == 1:
        found: UUID = rows[0].id
        return found
    names = ", ".join(row.slug for row in rows)
    raise SystemExit(
        f"Say which channel with --channel: {names}" if rows else "There is no such channel. Make one with: lms channel create"
    )


@click.command()
def serve() -> None:
    """Run everything: database, cache, pages, sockets, workers and scheduler, until Ctrl-C."""
    # In the place of this process, which has the whole application loaded: the supervisor is small.
    os.execv(sys.executable, [sys.executable, "-m", "lms.core.serving"])


@click.command()
def ready() -> None:
    """Exit with 0 when PostgreSQL and Redis answer, for health checks."""
    try:
        config = Config.load()
        with psycopg.connect(config.database_app_url, connect_timeout=3) as connection:
            connection.execute("SELECT 1")
        with redis.Redis.from_url(config.redis_url, socket_timeout=3) as client:
            client.ping()
    except (BadSettings, psycopg.Error, redis.RedisError) as problem:
        sys.exit(f"Not ready: {problem}")


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    try:
        config = Config.load()
    except BadSettings as problem:
        sys.exit(str(problem))
    if not config.database_url:
        sys.exit("DATABASE_URL is missing: migrations run as the owner of the database.")
    schema.migrate(config.database_url, config.secret_key)
    click.echo(f"The schema is at {schema.newest_revision()}.")


@click.command()
@click.option("--queues", default="", help="comma-separated; all when empty: " + ", ".join(jobs.QUEUES))
@click.option("--burst", is_flag=True, help="stop when the queues are empty")
@connected
def worker(queues: str, burst: bool) -> None:
    """Do jobs until told to stop."""
    wanted = tuple(name for name in queues.split(",") if name) or jobs.QUEUES
    unknown = set(wanted) - set(jobs.QUEUES)
    if unknown:
        raise SystemExit(f"There is no queue {', '.join(sorted(unknown))}. There are: {', '.join(jobs.QUEUES)}.")
    workers.work(wanted, burst=burst)


@click.command()
@connected
def scheduler() -> None:
    """Start what is due by the clock, and what got lost on the way; any number may run."""
    workers.schedule_forever()


@click.command("mail")
@click.option("--channel", default="", help="slug, when there are several")
@click.option("--to", default="", help="only mails to this address")
@click.option("--count", default=5, help="how many")
@click.option("--wait", default=0.0, help="seconds to wait for a mail to arrive")
@connected
def mail_command(channel: str, to: str, count: int, wait: float) -> None:
    """Show the newest mails of the built-in sink."""
    channel_id = the_channel(channel)
    deadline = time.monotonic() + wait
    while True:
        with db.unit_of_work(channel_id, read_only=True):
            rows = [(m.created_at, m.state, m.to_address, m.subject, mail.readable(m, m.body_text)) for m in mail.newest(count, to)]
        if rows or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    for at, state, address, subject, body in reversed(rows):
        click.echo(f"--- {at:%Y-%m-%d %H:%M:%S} UTC · {state} · {address}\n{subject}\n\n{body}")


@click.command("doctor")
@connected
def doctor_command() -> None:
    """Say how the platform is, in plain sentences; exit code 1 when something must be mended."""
    findings = doctor.examine(Config.load())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.is_well else 'MEND'}  {finding.sentence}")
    broken = sum(not finding.is_well for finding in findings)
    click.echo(f"{now():%Y-%m-%d %H:%M} UTC: {len(findings) - broken} well, {broken} to mend.")
    if broken:
        sys.exit(1)


def in_channel(channel: str, act: Callable[[], Any]) -> Any:
    """Run an act in one transaction of a channel; the edge of commands."""
    with db.unit_of_work(the_channel(channel)):
        return act()


COMMANDS: list[click.Command] = [serve, ready, migrate, worker, scheduler, mail_command, doctor_command]
