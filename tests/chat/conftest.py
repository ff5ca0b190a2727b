"""One socket process for the tests of a file, and a fresh live class for each test."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import sqlalchemy as sa

from lms.channels import queries as channel_queries
from lms.config import url_for_role
from lms.core import db, signing, tenancy
from lms.core.redis import redis, use_redis
from tests import servers
from tests.chat.kit import Person, SocketServer, hang_up, signed_in, sockets
from tests.conftest import CHANNEL, OTHER_CHANNEL, SECRET, _make_channels
from tests.factories.courses import a_course
from tests.factories.people import a_student, ada, root
from tests.factories.streaming import a_session, enrol

_numbers = itertools.count(1)


@dataclass(slots=True)
class House:
    """A database with real commits and a socket process on it."""

    server: SocketServer
    engines: db.Engines
    redis_url: str
    database_url: str


@dataclass(slots=True)
class Stage:
    """A live class of Ada's with a student Sam in it, Eve beside it, and a socket process."""

    server: SocketServer
    room_id: UUID
    ada: Person
    sam: Person
    eve: Person
    root: Person


@pytest.fixture(scope="module")
def house(addresses: servers.TestServers, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    url = servers.for_worker(f"chat_{worker}").database_url
    owner = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=sa.pool.NullPool)
    with owner.connect() as made:
        _make_channels(made)
        made.commit()
    engines = db.Engines(
        app=db.make_engine(url_for_role(url, "lms_app", SECRET)),
        platform=db.make_engine(url_for_role(url, "lms_platform", SECRET), pool_size=4),
    )
    with sockets(url, addresses.redis_url, tmp_path_factory.mktemp("sockets")) as server:
        yield House(server, engines, addresses.redis_url, url)
    for engine in (engines.app, engines.platform):
        assert isinstance(engine, sa.Engine)
        engine.dispose()


@pytest.fixture
def stage(house: House) -> Iterator[Stage]:
    use_redis(house.redis_url)
    signing.use_secret(SECRET)
    redis().flushdb()
    channel_queries.forget_faces()
    db.use_engines(house.engines)
    tenancy.channels_come_from(lambda: [CHANNEL, OTHER_CHANNEL])
    number = next(_numbers)
    with db.unit_of_work(CHANNEL):
        session = a_session(a_course(f"Course {number}", lessons=0), state="live")
        student = a_student(f"Sam {number}")
        enrol(student, session)
        people = [signed_in(actor) for actor in (ada(), student, a_student(f"Eve {number}"), root())]
        made = Stage(house.server, session.id, *people)
    yield made
    hang_up()
