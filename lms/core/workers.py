"""Workers and the scheduler: RQ carries row ids and nothing else; PostgreSQL holds the truth.

Whatever lies in Redis, a worker only ever calls `jobs.perform(row id)`: callbacks, web hooks, function names and
arguments found there are ignored.
"""

import os
import resource
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import structlog
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job as RqJob
from rq.job import JobStatus
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.utils import utcformat
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from lms.core import chains, db, i18n, jobs, leases, seals, tenancy
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.redis import RedisError, redis

ENTRY = "lms.core.jobs.perform"
TIMEOUTS = {"media": 6 * 3600, "bulk": 3600, "files": 3600, "plans": 3600}
GRACE_SECONDS = 2
GO_ON_SECONDS = 5.0
PASS_SECONDS = 0.5
RENUDGE_SECONDS = 30
MOST_WOKEN = 400  # rows of one queue in one sweep
HORSE_BYTES = 1536 << 20  # what one job may take; the programs it starts have limits of their own
LINE = 200  # rows of one queue that may lie in Redis before new ones wait for the sweep, which takes the academies by turns
# Where a row may take a minute few lie there, and whoever has done one fills up: the files of an academy wait for one another,
# those of another academy not for all of them.
LINES = {"plans": 2, "files": 2, "bulk": 8}
log = structlog.get_logger(__name__)


class RowJob(RqJob):
    """An RQ job that is only the id of an outbox row; everything else stored with it is ignored."""

    def restore(self, raw_data: dict[Any, Any]) -> None:
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self._success_callback = self._failure_callback = self._stopped_callback = None
        self._dependency_ids: list[str] = []
        self.webhooks: list[object] = []

    def perform(self) -> None:
        """Do the outbox row whose id this is, and short ones that wait behind it."""
        try:
            row_id = UUID(self.id)
        except ValueError as error:
            raise NoSuchJobError("not a row id") from error
        began = time.monotonic()
        _take_note_away(row_id)
        jobs.perform(row_id)
        if self.origin in _short:
            _go_on(began + GO_ON_SECONDS)
        elif self.origin in LINES:
            _fill_up(self.origin)


def _fill_up(name: str) -> None:
    """Put the next rows into a short line; where that fails the scheduler's sweep does it."""
    try:
        sweep([name])
    except (DBAPIError, RedisError) as error:
        log.warning("fill_up_failed", error=type(error).__name__)


def _go_on(until: float) -> None:
    """Do rows that wait, the most urgent first, until a moment: a new process for each would cost ten times what most of them need.

    A row taken here whose process dies is found by the sweep when its lease is over, as any other.
    """
    while time.monotonic() < until:
        row_id = _take()
        if row_id is None:
            return
        jobs.perform(row_id)


def _let_pass() -> None:
    """Do urgent rows for a moment between two pieces of long work, in no language of that work's."""
    i18n.set_locale(i18n.SOURCE)
    _go_on(time.monotonic() + PASS_SECONDS)


def _take() -> UUID | None:
    """The next row id of the short queues, with RQ's note of it removed; None when they are empty, or Redis is away."""
    try:
        for name in _short:
            while taken := redis().lpop(queue(name).key):
                raw = cast(bytes, taken).decode(errors="replace")
                with suppress(ValueError):
                    row_id = UUID(raw)
                    if redis().delete(RowJob.key_for(raw)):
                        _take_note_away(row_id)
                        return row_id
    except RedisError as error:
        log.warning("go_on_failed", error=type(error).__name__)
    return None


def _take_note_away(row_id: UUID) -> None:
    """Forget that a row was nudged: if this process dies with it, the sweep wakes it as soon as its lease is over."""
    with suppress(RedisError):
        redis().delete(f"nudged:{row_id}")


class RowQueue(Queue):
    """A named queue into which row ids are put; the note RQ wants of each is the same but for its time, so it is made once."""

    def put_rows(self, ids: Sequence[str], pipe: Any) -> None:
        """Add to a pipeline what puts rows in line; the pipeline's last answer is how long the line is then."""
        note = self._note() | {"enqueued_at": utcformat(now())}
        pipe.sadd(self.redis_queues_keys, self.key)
        for one in ids:
            pipe.set(f"nudged:{one}", "1", ex=RENUDGE_SECONDS)
            pipe.hset(RowJob.key_for(one), mapping=note)
        pipe.rpush(self.key, *ids)

    def _note(self) -> dict[str, Any]:
        found = _notes.get(self.name)
        if found is None:
            made = self.create_job(ENTRY, result_ttl=0, failure_ttl=3600, timeout=TIMEOUTS.get(self.name, 300), status=JobStatus.QUEUED)
            made.origin = self.name
            found = _notes[self.name] = made.to_dict() | {"status": JobStatus.QUEUED.value}
        return found


def queue(name: str) -> RowQueue:
    """One of the named queues of `jobs.QUEUES`; kept, because a new one first asks the server for its version."""
    connection = redis(blocking=True)
    found = _queues.get(name)
    if found is None or found.connection is not connection:
        found = _queues[name] = RowQueue(name, connection=connection, serializer=JSONSerializer, job_class=RowJob)
    return found


_queues: dict[str, RowQueue] = {}
_notes: dict[str, dict[str, Any]] = {}
_short: list[str] = []
_full: dict[str, float] = {}  # lines that were full when this process last looked, and when it may look again


def send_nudge(row_id: UUID, queue_name: str) -> None:
    """Put a row id where a worker will see it; when Redis is away the sweep does it later."""
    send_nudges([(row_id, queue_name)])


def send_nudges(rows: Sequence[tuple[UUID, str]]) -> None:
    """Put row ids where workers will see them, all in one breath; when Redis is away the sweep does it later.

    Into a long line nobody pushes in: the sweep does it, so that an academy with fifty thousand rows keeps no other one waiting.
    """
    by_queue: dict[str, list[str]] = {}
    for row_id, name in rows:
        by_queue.setdefault(name, []).append(str(row_id))
    try:
        _put_in_line({name: ids[: _room(name)] for name, ids in by_queue.items()})
    except RedisError as error:
        log.warning("nudge_failed", rows=len(rows), error=type(error).__name__)


def _room(name: str) -> int:
    """How many rows may be put into a line now; of the long lines only one that was full is asked, and once in a second."""
    if name not in LINES:
        look_again = _full.get(name)
        if look_again is None:
            return LINE
        if time.monotonic() < look_again:
            return 0
    length = cast(int, redis().llen(queue(name).key))
    _note_length(name, length)
    return max(0, LINES.get(name, LINE) - length)


def _note_length(name: str, length: int) -> None:
    if length >= LINE:
        _full[name] = time.monotonic() + 1.0
    else:
        _full.pop(name, None)


def _put_in_line(by_queue: dict[str, list[str]]) -> None:
    pipe = redis().pipeline(transaction=False)
    places: dict[str, int] = {}  # where among the answers each length stands
    for name, ids in by_queue.items():
        if ids:
            queue(name).put_rows(ids, pipe)
            places[name] = len(pipe) - 1
    answers = pipe.execute() if places else []
    for name, place in places.items():
        _note_length(name, answers[place])


class HorseWorker(Worker):
    """An RQ worker that gives each forked work-horse database connections of its own, and soon finds a Redis that came back.

    A work-horse has a limit on memory, so that a job without measure fails and the machine lives; what it forked ends with it.
    """

    max_connection_wait_time = 5.0

    def main_work_horse(self, job: RqJob, queue: Queue) -> None:
        for engine in (db.engines().app, db.engines().platform):
            if not isinstance(engine, Connection):
                engine.dispose(close=False)
        leases.renew_beside_jobs()
        _most, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (HORSE_BYTES if hard == resource.RLIM_INFINITY else min(HORSE_BYTES, hard), hard))
        super().main_work_horse(job, queue)

    def monitor_work_horse(self, job: RqJob, queue: Queue) -> None:
        horse = self.horse_pid
        super().monitor_work_horse(job, queue)
        with suppress(ProcessLookupError, PermissionError):  # whom it left behind; a program in a session of its own is not of its group
            os.killpg(horse, signal.SIGKILL)


def work(queues: Sequence[str] = jobs.QUEUES, *, burst: bool = False) -> None:
    """Serve the queues, most urgent first, until told to stop; `burst` returns when they are empty."""
    _short[:] = [name for name in queues if name not in TIMEOUTS]  # what follows in one process shares one time-out
    jobs.greedy_errors_are(JobTimeoutException)
    jobs.urgent_is_done_by(_let_pass)
    worker = HorseWorker(
        [queue(name) for name in queues],
        connection=redis(blocking=True),
        job_class=RowJob,
        serializer=JSONSerializer,
        worker_ttl=60,
        job_monitoring_interval=10,
        maintenance_interval=30,
    )
    worker.work(burst=burst, logging_level="WARNING")


DUE = text(
    """
    WITH turns AS (
        SELECT id, queue, run_at, row_number() OVER (PARTITION BY queue, channel_id ORDER BY run_at, id) AS turn FROM core.outbox
        WHERE done_at IS NULL AND dead_at IS NULL AND run_at < clock_timestamp() - :grace * interval '1 second'
          AND (lease_until IS NULL OR lease_until < clock_timestamp()))
    SELECT due.id, due.queue FROM unnest(CAST(:queues AS text[])) AS served (queue) CROSS JOIN LATERAL (
        SELECT id, queue FROM turns WHERE queue = served.queue ORDER BY turn, run_at LIMIT :most) AS due
    """
)
TAKE_SLOT = text("INSERT INTO core.slots (task, slot_time) VALUES (:task, :slot) ON CONFLICT DO NOTHING RETURNING task")


def sweep(queues: Sequence[str] = jobs.QUEUES) -> int:
    """Nudge the rows that are due and that nobody holds, as far as there is room in their lines; the number of rows that are due.

    Each queue by itself, in it the academies by turns, in an academy the oldest first: none waits for another.
    """
    with db.unit_of_work(platform=True, read_only=True) as session:
        rows = session.execute(DUE, {"grace": GRACE_SECONDS, "queues": list(queues), "most": MOST_WOKEN}).all()
    if rows:
        _put_in_line(_first_of(_with_room(rows)))
    return len(rows)


def _with_room(rows: Sequence[Any]) -> list[Any]:
    """Those of some due rows that do not lie in line already and find room there."""
    pipe = redis().pipeline(transaction=False)
    for row in rows:
        pipe.exists(f"nudged:{row.id}")
    waiting = [row for row, is_nudged in zip(rows, pipe.execute(), strict=True) if not is_nudged]
    short = sorted(LINES.keys() & {row.queue for row in waiting})
    pipe = redis().pipeline(transaction=False)
    for name in short:
        pipe.lrange(queue(name).key, 0, -1)
    lines = dict(zip(short, pipe.execute(), strict=True))
    found = []
    for row in waiting:
        line = lines.get(row.queue)
        if line is None:
            found.append(row)
        elif len(line) < LINES[row.queue] and str(row.id).encode() not in line:
            line.append(str(row.id).encode())
            found.append(row)
    return found


def _first_of(rows: Sequence[Any]) -> dict[str, list[str]]:
    """The rows nobody else nudges at this moment, by queue; they are nudged now."""
    pipe = redis().pipeline(transaction=False)
    for row in rows:
        pipe.set(f"nudged:{row.id}", "1", ex=RENUDGE_SECONDS, nx=True)
    chosen: dict[str, list[str]] = {}
    for row, is_first in zip(rows, pipe.execute(), strict=True):
        if is_first:
            chosen.setdefault(row.queue, []).append(str(row.id))
    return chosen


def tick() -> int:
    """Take the scheduler slots that are due, once over all schedulers, and write their jobs; the number of jobs."""
    timed = [job for job in jobs.registry().values() if job.every is not None]
    channels = tenancy.all_channels()
    written = 0
    with db.unit_of_work(platform=True) as session:
        moment: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        for job in timed:
            assert job.every is not None
            slot = job.every.slot(moment)
            if session.execute(TAKE_SLOT, {"task": job.name, "slot": slot}).one_or_none() is None:
                continue
            for channel_id in channels:
                session.execute(
                    text(
                        "INSERT INTO core.outbox (channel_id, id, task, payload, queue, key, tries, lease_seconds, attempts,"
                        " created_at, run_at)"
                        " VALUES (:channel, :id, :task, '{}', :queue, :key, :tries, :lease, 0, now(), now()) ON CONFLICT DO NOTHING"
                    ),
                    {
                        "channel": channel_id,
                        "id": uuid7(),
                        "task": job.name,
                        "queue": job.queue,
                        "key": f"{job.name}@{slot.isoformat()}",
                        "tries": job.tries,
                        "lease": job.lease_seconds,
                    },
                )
                written += 1
    return written


def schedule_once() -> None:
    """One round of the scheduler: slots, sweep, seals of audit and chains. A part that fails is logged and tried again next round."""
    for part in (tick, sweep, seals.seal_audit, chains.extend_all):
        try:
            part()
        except (DBAPIError, RedisError) as error:
            log.warning("scheduler_part_failed", part=part.__name__, error=type(error).__name__)


def schedule_forever(seconds: float = 2.0) -> None:
    """Run the scheduler; any number may run side by side."""
    while True:
        schedule_once()
        time.sleep(seconds)
