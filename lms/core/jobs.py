"""Later is a table: jobs are rows of `core.outbox`, written in the transaction that wants them, run by workers.

A job is a plain function with ids for arguments. `@job` names it, `.later(…)` writes its row; after the commit Redis is
told the row's id, and nothing else. A worker claims the row with a lease, runs the function in one transaction of the row's
channel and sets `done_at` in that same transaction: effects in the database happen exactly once.
"""

import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, ParamSpec, cast
from uuid import UUID

import structlog
from pydantic_core import to_jsonable_python
from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert

from lms.core import db, leases
from lms.core.clock import now
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import Outbox
from lms.core.tenancy import current_channel

P = ParamSpec("P")
QUEUES = ("codes", "money", "mail", "default", "plans", "files", "bulk", "media")  # in the order workers serve them
BACKOFF = (2, 10, 60, 300, 900, 3600)
# Of the process that does a row, or times that it took all the time or memory there is: whoever else waits has waited enough.
MOST_DEATHS = 3
log = structlog.get_logger(__name__)


class LostLease(RuntimeError):
    """Another worker took the row over; what this one did is rolled back."""


@dataclass(frozen=True, slots=True)
class Every:
    """When a job runs by itself: each `minutes`, or each day at `at` (HH:MM) in UTC."""

    minutes: int = 0
    at: str = ""

    def slot(self, moment: datetime) -> datetime:
        """The newest tick not after the moment."""
        moment = moment.astimezone(UTC)
        if self.minutes:
            seconds = int(moment.timestamp()) // (self.minutes * 60) * self.minutes * 60
            return datetime.fromtimestamp(seconds, UTC)
        hour, minute = (int(part) for part in self.at.split(":"))
        tick = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return tick if tick <= moment else tick - timedelta(days=1)


@dataclass(slots=True)
class Running:
    """The outbox row a worker is at work on."""

    row_id: UUID
    channel_id: UUID
    token: UUID
    lease_seconds: int


_running: ContextVar[Running | None] = ContextVar("running", default=None)
_registry: dict[str, "Job[Any]"] = {}


@dataclass(frozen=True, slots=True)
class Job(Generic[P]):
    """A function that can be done later; `name` is its module and name, which is what the outbox stores."""

    run: Callable[P, None]
    name: str
    queue: str
    tries: int
    lease_seconds: int
    in_steps: bool
    every: Every | None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        self.run(*args, **kwargs)

    def later(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Do this after the commit; arguments go by keyword: ids and plain values."""
        if args:
            raise TypeError(f"{self.name}.later() takes keywords only")
        self.put(dict(kwargs))

    def put(
        self,
        payload: dict[str, Any],
        *,
        run_at: datetime | None = None,
        key: str | None = None,
        event_id: UUID | None = None,
        queue: str | None = None,
    ) -> UUID:
        """Write the outbox row and return its id; while a row with the same `key` waits, no second one is written."""
        queue = queue or self.queue
        row = _row(self, to_jsonable_python(payload), queue, event_id=event_id, run_at=run_at)
        if key is None:
            db.session().note("outbox", row)
        else:
            db.session().execute(insert(Outbox).values(key=key, **row).on_conflict_do_nothing())
        if row["run_at"] <= now():
            nudge_later(row["id"], queue)
        return cast(UUID, row["id"])


def _row(job: "Job[Any]", payload: Any, queue: str, *, event_id: UUID | None = None, run_at: datetime | None = None) -> dict[str, Any]:
    """The outbox row of something to be done."""
    moment = now()
    return {
        "id": uuid7(),
        "channel_id": current_channel(),
        "task": job.name,
        "payload": payload,
        "queue": queue,
        "event_id": event_id,
        "created_at": moment,
        "run_at": run_at or moment,
        "attempts": 0,
        "tries": job.tries,
        "lease_seconds": job.lease_seconds,
    }


def register(run: Callable[P, None], **options: Any) -> Job[P]:
    """Name a function as a job; `job` is the decorator."""
    made = Job(
        run=run,
        name=f"{run.__module__}.{run.__qualname__}",
        queue=options.get("queue", "default"),
        tries=options.get("tries", 5),
        lease_seconds=min(options.get("lease_seconds", leases.LONGEST), leases.LONGEST),
        in_steps=options.get("in_steps", False),
        every=options.get("every"),
    )
    if made.queue not in QUEUES:
        raise ValueError(f"{made.name}: no queue {made.queue!r}")
    _registry[made.name] = made
    return made


def job(
    *, queue: str = "default", tries: int = 5, lease_seconds: int = 60, in_steps: bool = False, every: Every | None = None
) -> Callable[[Callable[P, None]], Job[P]]:
    """Make a function a job.

    `in_steps` jobs get no transaction of their own: they open one with `step()` for each piece of work, so that an hour of
    ffmpeg holds none. `every` jobs run by themselves, once for each channel and tick, and take no arguments.
    """

    def wrap(run: Callable[P, None]) -> Job[P]:
        return register(run, queue=queue, tries=tries, lease_seconds=lease_seconds, in_steps=in_steps, every=every)

    return wrap


def registry() -> dict[str, "Job[Any]"]:
    """Every job by name, handlers of events among them."""
    return dict(_registry)


_nudge: list[Callable[[Sequence[tuple[UUID, str]]], None]] = []
WAKING = "jobs.waking"


def nudges_go_to(send: Callable[[Sequence[tuple[UUID, str]]], None]) -> None:
    """Tell the kernel how to wake workers for rows, each with its queue (Redis); without it rows wait for the sweep."""
    _nudge[:] = [send]


def nudge_later(row_id: UUID, queue: str) -> None:
    """Wake a worker for a row after the commit, together with those for the other rows; when that fails the sweep finds them."""
    info = db.session().info
    if WAKING not in info:
        waking = info[WAKING] = []
        db.after_commit(lambda: _wake(waking))
    info[WAKING].append((row_id, queue))


def _wake(rows: Sequence[tuple[UUID, str]]) -> None:
    if _nudge:
        _nudge[0](rows)


def put_for_each(handlers: Sequence["Job[Any]"], payload: dict[str, Any], *, event_id: UUID) -> None:
    """Note a row for everybody who hears a fact; they are sent together."""
    plain = to_jsonable_python(payload)
    for one in handlers:
        row = _row(one, plain, one.queue, event_id=event_id)
        db.session().note("outbox", row)
        nudge_later(row["id"], one.queue)


_greedy: list[type[Exception]] = [MemoryError]


def greedy_errors_are(*kinds: type[Exception]) -> None:
    """Tell the kernel what a worker raises in a job that takes too long: like one that eats memory it is tried less often than others."""
    _greedy[:] = [MemoryError, *kinds]


# --- what a worker does -------------------------------------------------------------------------------------------------

CLAIM = text(
    """
    UPDATE core.outbox SET lease_until = clock_timestamp() + lease_seconds * interval '1 second', lease_token = :token,
        attempts = attempts + 1,
        started_at = coalesce(started_at, now())
    WHERE (channel_id, id) IN (
        SELECT channel_id, id FROM core.outbox
        WHERE id = :id AND done_at IS NULL AND dead_at IS NULL AND run_at <= clock_timestamp()
          AND (lease_until IS NULL OR lease_until < clock_timestamp())
        FOR UPDATE SKIP LOCKED)
    RETURNING channel_id, task, payload, attempts, tries, lease_seconds, error
    """
)
DONE = text(
    "UPDATE core.outbox SET done_at = clock_timestamp(), lease_until = NULL, lease_token = NULL, error = NULL"
    " WHERE id = :id AND lease_token = :token"
)
FAILED = text(
    """
    UPDATE core.outbox SET lease_until = NULL, lease_token = NULL, error = :error,
        dead_at = CASE WHEN :final OR attempts >= tries THEN clock_timestamp() END, run_at = clock_timestamp() + :wait * interval '1 second'
    WHERE id = :id AND lease_token = :token
    """
)
HELD = text("SELECT 1 FROM core.outbox WHERE id = :id AND lease_token = :token")
RENEW = text(
    """
    UPDATE core.outbox SET lease_until = clock_timestamp() + lease_seconds * interval '1 second',
        progress = coalesce(CAST(:progress AS jsonb), progress)
    WHERE id = :id AND lease_token = :token
    """
)


def perform(row_id: UUID) -> bool:
    """Claim a row and do it; false when there was nothing to claim. Failures are written on the row, not raised."""
    token = uuid7()
    with db.unit_of_work(platform=True) as session:
        row = session.execute(CLAIM, {"id": row_id, "token": token}).mappings().one_or_none()
    if row is None:
        return False
    running = Running(row_id, row["channel_id"], token, row["lease_seconds"])
    holder = _running.set(running)
    structlog.contextvars.bind_contextvars(job=row["task"], row_id=str(row_id))
    try:
        if row["attempts"] > _most(row, died=row["error"] is None):  # nobody was left to write down that it failed
            raise Refusal(_("The process that did this died each time, perhaps for want of memory."))
        with leases.kept(lambda: _renew(running), every=running.lease_seconds / 3):
            _run(running, row["task"], row["payload"])
    except LostLease:
        log.warning("job_lease_lost")
    except Refusal as refusal:
        _fail(running, refusal.sentence, attempts=row["attempts"], final=True)
    except Exception as error:
        if is_greedy := isinstance(error, tuple(_greedy)):
            traceback.clear_frames(error.__traceback__)  # the memory it took is given back before anything is written down
        log.exception("job_failed", attempt=row["attempts"])
        _fail(running, _in_words(error), attempts=row["attempts"], final=row["attempts"] >= _most(row, died=is_greedy))
    finally:
        _running.reset(holder)
        structlog.contextvars.unbind_contextvars("job", "row_id")
    return True


def _most(row: RowMapping, *, died: bool) -> int:
    """How often a row is tried: fewer times when its process died of it, or nearly did."""
    return min(int(row["tries"]), MOST_DEATHS) if died else int(row["tries"])


def _in_words(error: Exception) -> str:
    """What is kept of an error: text that PostgreSQL takes, whatever stands in it."""
    words = f"{type(error).__name__}: {str(error)[:2000]}"
    return words.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")[:2000]


def _renew(running: Running) -> None:
    with db.unit_of_work(running.channel_id):
        _changed(RENEW, running, progress=None)


def _run(running: Running, task: str, payload: dict[str, Any]) -> None:
    found = _registry.get(task)
    if found is None:
        raise Refusal(_("No job is called %(task)s; it may belong to a newer version.", task=task))
    if found.in_steps:
        found.run(**payload)
        with db.unit_of_work(running.channel_id):
            _done(running)
        return
    with db.unit_of_work(running.channel_id):
        found.run(**payload)
        _done(running)


def _done(running: Running) -> None:
    if not _changed(DONE, running):
        raise LostLease


def _changed(statement: Any, running: Running, **values: Any) -> int:
    result = db.session().execute(statement, {"id": running.row_id, "token": running.token, **values})
    return cast(int, cast(Any, result).rowcount)


def _fail(running: Running, error: str, *, attempts: int, final: bool) -> None:
    wait = BACKOFF[min(attempts, len(BACKOFF)) - 1]
    with db.unit_of_work(running.channel_id):
        _changed(FAILED, running, error=error, final=final, wait=wait)


@contextmanager
def step() -> Iterator[None]:
    """One transaction of a job `in_steps`; it commits only while this worker still holds the row, and renews the lease.

    The row itself is touched last: until then its progress can be told, which is a transaction of its own.
    """
    running = _running.get()
    if running is None:
        raise RuntimeError("step() is for jobs in a worker")
    with db.unit_of_work(running.channel_id):
        if db.session().execute(HELD, {"id": running.row_id, "token": running.token}).one_or_none() is None:
            raise LostLease
        yield
        if not _changed(RENEW, running, progress=None):
            raise LostLease


_urgent: list[Callable[[], None]] = []


def urgent_is_done_by(do: Callable[[], None]) -> None:
    """Tell the kernel how a worker does the more urgent rows that wait; a process that is no worker has none."""
    _urgent[:] = [do]


def give_way() -> None:
    """Let what is more urgent pass, between two steps of long work somebody waits for: a sign-in code does not wait behind a plan."""
    for do in _urgent:
        copy_context().run(do)


def report_progress(fraction: float, note: str = "") -> None:
    """Show how far the running job is (0 to 1) and renew its lease; nothing outside a worker."""
    running = _running.get()
    if running is None:
        return
    value = {"fraction": round(min(max(fraction, 0.0), 1.0), 4), "note": note, "at": now().isoformat()}
    with db.unit_of_work(running.channel_id):
        if not _changed(RENEW, running, progress=json.dumps(value)):
            raise LostLease


KEPT_DAYS = 30
FORGET = text(
    """
    DELETE FROM core.outbox WHERE channel_id = :channel AND id IN (
        SELECT id FROM core.outbox WHERE channel_id = :channel AND created_at < :before AND done_at IS NOT NULL
        ORDER BY created_at LIMIT 50000)
    """
)


@job(queue="bulk", every=Every(minutes=60))
def forget_done() -> None:
    """Delete rows that are done and older than thirty days, some at a time; what failed stays until somebody settles it."""
    db.session().execute(FORGET, {"channel": current_channel(), "before": now() - timedelta(days=KEPT_DAYS)})
