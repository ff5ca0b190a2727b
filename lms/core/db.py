"""The database: models' base, the session, and the unit of work, which alone commits or rolls back (work.py).

Three roles reach PostgreSQL: the owner (migrations only), `lms_app` (one channel at a time, behind row-level security)
and `lms_platform` (the few tables that belong to the whole install). `open_engines` connects the last two.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import structlog
from flask_sqlalchemy import SQLAlchemy
from psycopg.rows import namedtuple_row
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Date,
    DateTime,
    Engine,
    ForeignKeyConstraint,
    MetaData,
    Text,
    Uuid,
    bindparam,
    create_engine,
    event,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, ORMExecuteState, Session, declared_attr, mapped_column, registry, with_loader_criteria

from lms.core.ids import uuid7
from lms.core.notes import NotingSession
from lms.core.work import Work, begin

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
STATEMENT_TIMEOUT_MS = 5_000
RUNNING_CHANNEL = "running_channel"  # the parameter by which every gated statement names the channel it runs in
log = structlog.get_logger(__name__)


class Base(DeclarativeBase):
    """Every table of the platform."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            UUID: Uuid(),
            datetime: DateTime(timezone=True),
            date: Date(),
            str: Text(),
            int: BigInteger(),
            dict[str, Any]: JSONB(),
            list[Any]: JSONB(),
        },
    )


class Tenant:
    """A table whose rows belong to one channel: gated by the session and, again, by row-level security.

    Its primary key is (channel_id, id) in the database, so that references carry the channel; the mapper knows rows by id.
    """

    channel_id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, sort_order=-20)
    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7, sort_order=-10)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"primary_key": ["id"]}


def belongs_to(column: str, target: str, **options: Any) -> ForeignKeyConstraint:
    """A reference that cannot leave its channel: (channel_id, column) → target's (channel_id, id); target is "schema.table"."""
    return ForeignKeyConstraint(["channel_id", column], [f"{target}.channel_id", f"{target}.id"], **options)


db = SQLAlchemy(metadata=Base.registry.metadata)


class NoWork(RuntimeError):
    """The database was asked outside a unit of work: a bug of the caller."""


@dataclass(slots=True)
class Engines:
    """The two ways into the database a running process has; tests put one shared connection in their place."""

    app: Engine | Connection
    platform: Engine | Connection


_work: ContextVar[Work | None] = ContextVar("work", default=None)
_engines: list[Engines] = []


def make_engine(url: str, *, pool_size: int = 10, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> Engine:
    """An engine with a bounded pool, time-outs on connect, statements and idle transactions, in UTC."""
    options = (
        f"-c statement_timeout={statement_timeout_ms} -c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c lock_timeout=10000"
    )
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        pool_use_lifo=True,  # the connection used last has its plans and catalogue at hand
        max_overflow=0,
        pool_timeout=2,
        connect_args={"connect_timeout": 5, "options": options, "application_name": "lectern"},
    )


def use_engines(engines: Engines) -> None:
    """Make these the engines of this process."""
    _engines[:] = [engines]


def engines() -> Engines:
    """The engines of this process; raises NoWork before `use_engines`."""
    if not _engines:
        raise NoWork("no engines: create_app() or a test opens them")
    return _engines[0]


def work() -> Work:
    """The running unit of work; raises NoWork outside one."""
    current = _work.get()
    if current is None:
        raise NoWork("no unit of work is open here")
    return current


def has_work() -> bool:
    """Whether a unit of work is open here."""
    return _work.get() is not None


def session() -> NotingSession:
    """The session of the running unit of work."""
    return work().session


def after_commit(action: Callable[[], None]) -> None:
    """Run the action once the running unit of work has committed; never when it rolls back."""
    work().after_commit.append(action)


@contextmanager
def unit_of_work(
    channel_id: UUID | None = None, *, user_id: UUID | None = None, platform: bool = False, read_only: bool = False
) -> Iterator[Session]:
    """One transaction: commits when the block ends, rolls back when it raises.

    `channel_id` is the channel whose rows exist for it (none: no tenant row does); `platform` uses the platform role instead.
    """
    with running(channel_id, user_id=user_id, platform=platform, read_only=read_only) as current:
        yield current.session


@contextmanager
def running(
    channel_id: UUID | None = None, *, user_id: UUID | None = None, platform: bool = False, read_only: bool = False
) -> Iterator[Work]:
    """The same unit of work, whose session is made only when it is asked for."""
    bind = engines().platform if platform else engines().app
    outer = _work.get()
    if outer is not None and outer.shared:
        outer.flush()  # on the same connection, which is another channel's from here on
    if isinstance(bind, Connection):
        current = Work(bind, bind.connection, channel_id, user_id, platform=platform, read_only=read_only)
        _enter_shared(current)
    else:
        current = begin(bind, channel_id, user_id, platform=platform, read_only=read_only)
    token = _work.set(current)
    try:
        yield current
        current.flush()
        if current.shared:
            _check_deferred(current)
        current.commit()
    except BaseException:
        current.roll_back()
        raise
    finally:
        current.close()
        _work.reset(token)
        if outer is not None and outer.shared:
            _enter_shared(outer)
    for action in current.after_commit:
        action()


def become(user_id: UUID) -> None:
    """Let the rest of the running unit of work act for a person found during it (sign-in)."""
    current = work()
    current.user_id = user_id
    current.session.execute(text("SELECT set_config('app.user_id', :user, true)"), {"user": str(user_id)})


def rows(statement: LiteralString, **values: Any) -> list[Any]:
    """The rows of one SQL statement as named tuples, without the ORM; `%(channel)s` is the running channel.

    For pages asked many times a second: a statement costs a fifth of what it costs through the ORM. Row-level security holds
    as everywhere; wall 1 is the statement's own `%(channel)s`, without which it is refused (RuntimeError).
    """
    if "%(channel)s" not in statement:
        raise RuntimeError("a statement without its channel: say WHERE channel_id = %(channel)s")
    values["channel"] = work().channel_id
    return fetched(statement, values, namedtuple_row)


def fetched(statement: str, values: dict[str, Any], shape: Any) -> list[Any]:
    """The rows of a statement that was checked for its channel, in a shape of the driver; for `rows` and `Settled` alone."""
    current = _told(statement, values)
    try:
        with current.driver.cursor(row_factory=shape) as cursor:
            return cursor.execute(statement, values).fetchall()
    except psycopg.Error as error:
        raise current.refused(statement, values, error) from error


def answering(model: type[DeclarativeBase], statement: LiteralString) -> Any:
    """SQL that writes rows and answers them as rows of a model, for `session().scalars(…, values)`; `{columns}` in it are its columns.

    Made once, when the module is loaded: putting the same statement together from its parts takes as long as everything else about it.
    """
    names = ", ".join(model.__table__.columns.keys())
    return select(model).from_statement(text(statement.replace("{columns}", names)))


def streamed(statement: str, values: dict[str, Any], *, size: int) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of such a statement as plain tuples, so many at a time through a cursor of the server; for `Settled` alone."""
    current = _told(statement, values)
    try:
        with current.driver.cursor(name=f"rows_{uuid7().hex}") as cursor:
            cursor.execute(statement, values)
            while rows := cursor.fetchmany(size):
                yield rows
    except psycopg.Error as error:
        raise current.refused(statement, values, error) from error


def _told(statement: str, values: dict[str, Any]) -> Work:
    """The running unit of work, once what the session holds is sent and whoever counts statements has counted this one."""
    current = work()
    current.flush()
    current.tell(statement, values)
    return current


def _enter_shared(current: Work) -> None:
    """The same on a test's connection, whose transaction goes on: the role, channel, person and mode are set anew."""
    current.session.execute(text(f"SET LOCAL ROLE {'lms_platform' if current.platform else 'lms_app'}"))
    current.session.execute(
        text(
            "SELECT set_config('app.channel_id', :channel, true), set_config('app.user_id', :user, true),"
            " set_config('transaction_read_only', :read_only, true)"
        ),
        {
            "channel": str(current.channel_id or ""),
            "user": str(current.user_id or ""),
            "read_only": "on" if current.read_only else "off",
        },
    )


def _check_deferred(current: Work) -> None:
    """On a shared connection nothing really commits, so deferred constraints are checked here."""
    current.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    current.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def _running_channel() -> UUID | None:
    current = _work.get()
    return current.channel_id if current is not None else None


# One option for every statement, so that SQLAlchemy reads it once; the channel is asked for when the statement runs.
_CHANNEL: BindParameter[UUID | None] = bindparam(RUNNING_CHANNEL, callable_=_running_channel, type_=Uuid())
GATE = with_loader_criteria(Tenant, lambda cls: cls.channel_id == _CHANNEL, include_aliases=True, track_closure_variables=False)


@event.listens_for(Session, "do_orm_execute")
def _only_this_channel(state: ORMExecuteState) -> None:
    """Wall 1: every query of a tenant model sees the rows of the running channel alone."""
    current = _work.get()
    if current is None or current.platform or state.is_column_load or state.is_relationship_load:
        return
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(GATE)


@event.listens_for(Session, "before_flush")
def _stamp_channel(session: Session, _context: object, _instances: object) -> None:
    """Wall 1, writing: new rows get the running channel, and no other."""
    current = _work.get()
    if current is None or current.platform:
        return
    for row in session.new:
        if isinstance(row, Tenant):
            if row.channel_id is None:
                row.channel_id = current.channel_id
            elif row.channel_id != current.channel_id:
                raise RuntimeError(f"{type(row).__name__} of another channel in this unit of work")
