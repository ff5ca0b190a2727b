"""One PostgreSQL and one Valkey for the run, one database per worker, one outer transaction per test."""

import gc
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import expect
from sqlalchemy import pool

from lms.app import create_app, wire
from lms.auth import operations as accounts
from lms.auth import queries as auth_queries
from lms.channels import queries as channel_queries
from lms.config import Config, url_for_role
from lms.core import db, ids, jobs, mail, schema, signing, storage, tenancy
from lms.core.decisions import Actor
from lms.core.redis import redis, use_redis
from lms.core.sandbox import sandbox_report
from lms.streaming import gateways as live
from lms.web.sessions import digest_of
from tests import covered, servers
from tests.client import Browser
from tests.factories import people
from tests.machine import Machine, token_of
from tests.schedule import Scheduling

SECRET = b"test-secret-test-secret-test-secret-"
PATIENCE_MS = 30_000  # a busy machine is slow, not wrong
CHANNEL = UUID("0190a000-0000-7000-8000-000000000001")
OTHER_CHANNEL = UUID("0190a000-0000-7000-8000-000000000002")


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("shared")
    expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong
    gc.set_threshold(50_000, 10, 50)  # a run makes many objects and keeps most: looking through them took a tenth of its time
    if not config.option.collectonly:
        if not hasattr(config, "workerinput") and not sandbox_report().runs:
            pytest.exit(f"{sandbox_report().sentence} Move the checkout, or run the tests as an ordinary user.", 1)
        servers.begin(lambda url: schema.migrate(url, SECRET))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    covered.report(terminalreporter)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        servers.end()


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> servers.TestServers:
    """The database and Valkey of this test process."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return servers.for_worker(worker)


@pytest.fixture(scope="session")
def engine(addresses: servers.TestServers) -> Iterator[sa.Engine]:
    """An engine as a login that may become either role, so that one connection serves a whole test."""
    made = sa.create_engine(
        addresses.database_url.replace("postgresql://", "postgresql+psycopg://", 1),
        poolclass=pool.StaticPool,
        connect_args={"options": f"-c timezone=UTC -c statement_timeout={PATIENCE_MS}"},
    )
    with made.connect() as connection:
        _make_channels(connection)
        connection.commit()
    yield made
    made.dispose()


def _make_channels(connection: sa.Connection) -> None:
    """The two channels of every test: Ada's academy, and Beta, whose rows nobody of the first may see."""
    for channel_id, slug, name in ((CHANNEL, "academy", "Ada Academy"), (OTHER_CHANNEL, "beta", "Beta School")):
        connection.execute(
            sa.text("INSERT INTO channels.channels (id, slug, name, currency) VALUES (:id, :slug, :name, 'EUR')"),
            {"id": channel_id, "slug": slug, "name": name},
        )
    connection.execute(
        sa.text(
            "INSERT INTO channels.domains (host, channel_id, verified_at) VALUES ('localhost', :one, now()), ('beta.example', :two, now())"
        ),
        {"one": CHANNEL, "two": OTHER_CHANNEL},
    )


@pytest.fixture
def connection(engine: sa.Engine, addresses: servers.TestServers) -> Iterator[sa.Connection]:
    """The outer transaction of one test, in place of both engines; an empty Valkey beside it."""
    use_redis(addresses.redis_url)
    signing.use_secret(SECRET)
    redis().flushdb()
    with engine.connect() as made:
        outer = made.begin()
        db.use_engines(db.Engines(app=made, platform=made))
        tenancy.channels_come_from(lambda: [CHANNEL, OTHER_CHANNEL])
        channel_queries.forget_faces()
        yield made
        outer.rollback()


@pytest.fixture
def work(connection: sa.Connection) -> Iterator[sa.orm.Session]:
    """An open unit of work in Ada's academy, for tests of operations, queries and policies."""
    with db.unit_of_work(CHANNEL) as session:
        yield session


@pytest.fixture(scope="session")
def test_config(addresses: servers.TestServers, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The settings of this test process."""
    return Config.load(
        {
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "SECRET_KEY": SECRET.decode(),
            "LMS_HOME": str(tmp_path_factory.mktemp("home")),
        }
    )


@pytest.fixture(scope="session")
def app(test_config: Config) -> Flask:
    """The whole application, as every process has it."""
    made = create_app(test_config, testing=True)
    made.config["PROPAGATE_EXCEPTIONS"] = False
    made.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(servers.shared_folder()))  # what one worker compiled, all have
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked through again and again
    return made


@pytest.fixture(autouse=True)
def modules(test_config: Config) -> None:
    """Every module's listeners, storage and mail, wired as in production."""
    wire()
    storage.use_storage(storage.make_storage(test_config))
    mail.use_config(test_config)
    live.use_folder(test_config.home / "live")


@pytest.fixture
def client(app: Flask, connection: sa.Connection) -> Browser:
    """A stranger's browser (Eve's)."""
    channel_queries.forget_faces()
    return Browser(app)


def signed_in(app: Flask, person: Callable[[], Actor]) -> Browser:
    """The browser of somebody who signed in a moment ago; how one gets there is seen in tests/auth and in the browser."""
    browser, token = Browser(app), ids.token()
    with db.unit_of_work(CHANNEL):
        actor = browser.person = person()
        assert actor.user_id is not None
        db.become(actor.user_id)
        accounts.start_session(auth_queries.get_user(actor.user_id), digest_of(token), staff=actor.is_staff, address="127.0.0.1", device="")
    redis().set(f"session:{digest_of(token).hex()}", json.dumps({"_user_id": str(actor.user_id)}))
    browser.enter(token)
    return browser


def newest_code(address: str) -> str:
    """The code in the newest mail to an address."""
    with db.unit_of_work(CHANNEL, read_only=True):
        body = mail.readable(newest := mail.newest(1, address)[0], newest.body_text)
    found = re.search(r"\b(\d{6})\b", body)
    assert found, body
    return found[1]


@pytest.fixture
def as_ada(app: Flask, connection: sa.Connection) -> Browser:
    """The browser of Ada, who teaches."""
    return signed_in(app, people.ada)


@pytest.fixture
def as_sam(app: Flask, connection: sa.Connection) -> Browser:
    """The browser of Sam, who studies."""
    return signed_in(app, people.sam)


@pytest.fixture
def as_root(app: Flask, connection: sa.Connection) -> Browser:
    """The browser of Root, who administers."""
    return signed_in(app, people.root)


@pytest.fixture
def machine(app: Flask, connection: sa.Connection) -> Machine:
    """A machine without a token."""
    channel_queries.forget_faces()
    return Machine(app)


def machine_of(app: Flask, person: Callable[[], Actor]) -> Machine:
    """A machine with the token of one of the cast."""
    channel_queries.forget_faces()
    with db.unit_of_work(CHANNEL):
        actor = person()
    made = Machine(app, token_of(actor, CHANNEL).access_token)
    made.person = actor
    return made


@pytest.fixture
def api_root(app: Flask, connection: sa.Connection) -> Machine:
    """Root's machine."""
    return machine_of(app, people.root)


@pytest.fixture
def api_ada(app: Flask, connection: sa.Connection) -> Machine:
    """Ada's machine."""
    return machine_of(app, people.ada)


@pytest.fixture
def api_sam(app: Flask, connection: sa.Connection) -> Machine:
    """Sam's machine."""
    return machine_of(app, people.sam)


@pytest.fixture
def as_eve(client: Browser) -> Browser:
    """The browser of Eve, a stranger."""
    return client


@pytest.fixture
def real_database(addresses: servers.TestServers, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own with real commits and real engines, for threads and races; yields the owner's address."""
    use_redis(addresses.redis_url)
    signing.use_secret(SECRET)
    redis().flushdb()
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    url = servers.for_worker(f"real_{worker}").database_url
    owner = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool)
    with owner.connect() as made:
        _make_channels(made)
        made.commit()
    engines = db.Engines(
        app=db.make_engine(url_for_role(url, "lms_app", SECRET), pool_size=24, statement_timeout_ms=PATIENCE_MS),
        platform=db.make_engine(url_for_role(url, "lms_platform", SECRET), pool_size=8, statement_timeout_ms=PATIENCE_MS),
    )
    db.use_engines(engines)
    tenancy.channels_come_from(lambda: [CHANNEL, OTHER_CHANNEL])
    yield url
    for made_engine in (engines.app, engines.platform):
        assert isinstance(made_engine, sa.Engine)
        made_engine.dispose()
    owner.dispose()


def run_jobs(rounds: int = 10) -> int:
    """Do everything the outbox holds that is due, as the workers would; the number of rows done."""
    done = 0
    for _ in range(rounds):
        with db.unit_of_work(platform=True) as session:
            ids = (
                session.execute(
                    sa.text(
                        "SELECT id FROM core.outbox WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= clock_timestamp() ORDER BY id"
                    )
                )
                .scalars()
                .all()
            )
        if not ids:
            break
        done += sum(jobs.perform(row_id) for row_id in ids)
    return done


def outbox_errors() -> list[str]:
    """What went wrong in jobs so far: task and error of each row that has one."""
    with db.unit_of_work(platform=True) as session:
        rows = session.execute(sa.text("SELECT task, error, payload FROM core.outbox WHERE error IS NOT NULL")).all()
    return [f"{row.task}: {row.error} {json.dumps(row.payload)}" for row in rows]
