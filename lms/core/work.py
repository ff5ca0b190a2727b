"""One running unit of work: the connection it holds, its transaction, and the session, which is made when it is first asked for.

Pages that read plain rows alone need neither SQLAlchemy's connection nor its session; what begins, ends and gives back is the driver's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus
from sqlalchemy import Connection, Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from lms.core.notes import NotingSession

if TYPE_CHECKING:
    from psycopg import Connection as PsycopgConnection


class Work:
    """One running unit of work: its connection, the channel it sees, and what happens after its commit."""

    __slots__ = ("_bind", "_connection", "_lent", "_session", "after_commit", "channel_id", "driver", "platform", "read_only", "user_id")

    def __init__(
        self, bind: Engine | Connection, lent: PoolProxiedConnection, channel_id: UUID | None, user_id: UUID | None,
        *, platform: bool, read_only: bool,
    ) -> None:  # fmt: skip
        self._bind = bind
        self._lent = lent
        self._connection: Connection | None = bind if isinstance(bind, Connection) else None
        self._session: NotingSession | None = None
        self.driver = cast("PsycopgConnection[Any]", lent.driver_connection)
        self.channel_id = channel_id
        self.user_id = user_id
        self.platform = platform
        self.read_only = read_only
        self.after_commit: list[Callable[[], None]] = []

    @property
    def shared(self) -> bool:
        """Whether it is a test's connection, which outlives this unit of work."""
        return isinstance(self._bind, Connection)

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's face of the connection, made when it is first asked for."""
        if self._connection is None:
            self._connection = Connection(cast("Engine", self._bind), self._lent)
            self._connection.begin()
        return self._connection

    @property
    def session(self) -> NotingSession:
        """The session, made when it is first asked for: pages that read plain rows need none."""
        if self._session is None:
            self._session = NotingSession(
                bind=self.connection,
                join_transaction_mode="create_savepoint" if self.shared else "control_fully",
                expire_on_commit=False,
            )
        return self._session

    def flush(self) -> None:
        """Send what the session has not sent yet."""
        if self._session is not None:
            self._session.flush()

    def commit(self) -> None:
        """Make it last: what the session did, and what went past it by `rows`."""
        if self._session is not None:
            self._session.commit()
        if self._connection is None:
            self._end(self._lent.commit)
        elif self._session is None or (not self.shared and self._connection.in_transaction()):
            self._connection.commit()

    def roll_back(self) -> None:
        """Undo it."""
        if self._connection is None:
            self._end(self._lent.rollback)
        else:
            (self._session or self._connection).rollback()

    def _end(self, how: Callable[[], None]) -> None:
        """End the transaction of a unit of work that read plain rows alone; raises DBAPIError, as the session would."""
        try:
            how()
        except psycopg.Error as error:
            raise self.refused(how.__name__.upper(), {}, error) from error

    def refused(self, statement: str, values: dict[str, Any], error: psycopg.Error) -> Exception:
        """What the driver said, as SQLAlchemy would say it."""
        return DBAPIError.instance(statement, values, error, psycopg.Error, dialect=self._bind.dialect)

    def tell(self, statement: str, values: dict[str, Any]) -> None:
        """Let those who count statements count one that goes past SQLAlchemy."""
        told = (self._connection or self._bind).dispatch.before_cursor_execute
        if told:
            told(self._connection, None, statement, values, None, False)

    def drop(self) -> None:
        """Throw the connection away: it is dead."""
        self._lent.invalidate()

    def close(self) -> None:
        """Give the connection back."""
        if self._session is not None:
            self._session.close()
        if not self.shared:
            (self._connection or self._lent).close()


def begin(engine: Engine, channel_id: UUID | None, user_id: UUID | None, *, platform: bool, read_only: bool) -> Work:
    """A unit of work whose transaction has begun, with its channel, person and mode. DBAPIError where no server answers."""

    def anew() -> Work:
        return Work(engine, _lent(engine), channel_id, user_id, platform=platform, read_only=read_only)

    current = anew()
    try:
        _enter(current)
    except psycopg.OperationalError:
        # The server was restarted since the connection was last used; nothing happened in it yet, so another one may try.
        current.drop()
        engine.dispose(close=False)
        current = anew()
        try:
            _enter(current)
        except psycopg.Error as error:
            current.drop()
            raise current.refused("BEGIN", {}, error) from error
    return current


def _lent(engine: Engine) -> PoolProxiedConnection:
    """A connection out of the pool."""
    try:
        return engine.raw_connection()
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=engine.dialect) from error


def _enter(current: Work) -> None:
    """Begin the transaction with its mode, channel and person, in one round trip; it shows a dead connection, too."""
    driver = current.driver
    channel, user = (str(value) if isinstance(value, UUID) else "" for value in (current.channel_id, current.user_id))
    mode = "BEGIN READ ONLY" if current.read_only else "BEGIN"
    words = f"{mode}; SELECT set_config('app.channel_id', '{channel}', true), set_config('app.user_id', '{user}', true)"
    driver.pgconn.send_query(words.encode())
    for result in driver.wait(generators.execute(driver.pgconn)):
        if result.status == ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
