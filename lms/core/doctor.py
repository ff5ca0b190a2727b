"""How the platform is: versions, settings, roles, row-level security, invariants, storage, mail, ffmpeg, clock, disk."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lms.config import Config
from lms.core import db, mail, schema, tenancy
from lms.core.clock import now
from lms.core.redis import redis

LOW_DISK = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and whether it is well."""

    is_well: bool
    sentence: str


Examiner = Callable[[Config], Sequence[Finding]]
_examiners: list[Examiner] = []
_of_channel: dict[str, Callable[[], Sequence[str]]] = {}


def examines(examiner: Examiner) -> Examiner:
    """Add a module's own examination; it runs once for the install, outside any unit of work."""
    _examiners.append(examiner)
    return examiner


def examines_each_channel(subject: str, faults: Callable[[], Sequence[str]]) -> None:
    """Add an examination that goes channel by channel: `faults` gives a sentence for each thing that is wrong in the running one."""

    def examine_them(_config: Config) -> list[Finding]:
        found = []
        channels = tenancy.all_channels()
        for channel_id in channels:
            with db.unit_of_work(channel_id, read_only=True):
                where = f" of {channel_id}" if len(channels) > 1 else ""
                found += [mend(f"{subject}{where}: {sentence}") for sentence in faults()]
        return found or [well(f"{subject}: everything agrees{f' in {len(channels)} channels' if len(channels) > 1 else ''}.")]

    examine_them.__name__ = subject.lower()
    examines(examine_them)
    _of_channel[subject] = faults


def faults_of_this_channel() -> list[tuple[str, str]]:
    """What every examination that goes channel by channel finds in the running one: (subject, sentence), by subject."""
    return [(subject, sentence) for subject, faults in sorted(_of_channel.items()) for sentence in faults()]


def well(sentence: str) -> Finding:
    """Nothing to do."""
    return Finding(True, sentence)


def mend(sentence: str) -> Finding:
    """Something a person must mend; the sentence says what and how."""
    return Finding(False, sentence)


def examine(config: Config) -> list[Finding]:
    """Everything that can be looked at without changing anything, most basic first."""
    findings = [well(f"Python {sys.version.split()[0]}, settings read from the environment.")]
    findings += _disk(config)
    for part in (_database, _security, _redis, _outbox, _audit, *_examiners):
        try:
            findings += part(config)
        except (DBAPIError, RedisError) as error:
            findings.append(
                mend(f"{part.__name__.strip('_').replace('_', ' ').capitalize()} could not be examined: {error.__class__.__name__}.")
            )
    return findings


def _disk(config: Config) -> list[Finding]:
    config.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(config.home).free
    words = f"{free / 10**9:.1f} GB free under the home folder."
    return [well(words) if free > LOW_DISK else mend(words + " Make room before uploads fail.")]


def _database(config: Config) -> list[Finding]:
    with db.unit_of_work(platform=True, read_only=True) as session:
        version, moment = session.execute(text("SELECT current_setting('server_version'), clock_timestamp()")).one()
        current, newest = schema.current_revision(), schema.newest_revision()
    drift = abs(moment - now())
    return [
        well(f"PostgreSQL {version} answers."),
        well(f"The schema is at {current}.")
        if current == newest
        else mend(f"The schema is at {current}, this version wants {newest}. Run: lms migrate"),
        well("Clock and database agree.")
        if drift < timedelta(seconds=2)
        else mend(f"Clock and database differ by {drift}. Set the clock."),
    ]


RLS_GAPS = text(
    """
    SELECT c.oid::regclass::text AS name FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attname = 'channel_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg_%'
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    """
)


def _security(config: Config) -> list[Finding]:
    faults: list[str] = []
    with db.unit_of_work(platform=True, read_only=True) as session:
        faults += schema.role_faults()
        gaps = [f"Table {name} has a channel but no forced row-level security." for name in session.execute(RLS_GAPS).scalars()]
    with db.unit_of_work(read_only=True):
        faults += schema.role_faults()
    return [mend(fault) for fault in (*faults, *gaps)] or [
        well("The application's database roles own nothing and bypass nothing; every tenant table is behind row-level security.")
    ]


def _redis(config: Config) -> list[Finding]:
    version = redis().info("server").get("redis_version", "?")  # type: ignore[union-attr]
    return [well(f"Redis or Valkey answers (speaks {version}).")]


def _outbox(config: Config) -> list[Finding]:
    with db.unit_of_work(platform=True, read_only=True) as session:
        old, dead, late = session.execute(
            text(
                "SELECT count(*) FILTER (WHERE done_at IS NULL AND dead_at IS NULL AND run_at < now() - interval '5 minutes'"
                " AND coalesce(lease_until, now()) < now()),"
                " count(*) FILTER (WHERE dead_at IS NOT NULL AND done_at IS NULL),"
                " count(*) FILTER (WHERE lease_until < now() - interval '1 minute' AND done_at IS NULL AND dead_at IS NULL)"
                " FROM core.outbox"
            )
        ).one()
    return [
        mend(f"{old} jobs wait for more than five minutes. Is a worker running?")
        if old
        else well("No job waits for more than five minutes."),
        mend(f"{dead} jobs are in quarantine. Look at System, Jobs.") if dead else well("No job is in quarantine."),
        mend(f"{late} jobs are past their lease. Is the scheduler running?") if late else well("No job is held past its lease."),
    ]


def _audit(config: Config) -> list[Finding]:
    with db.unit_of_work(platform=True, read_only=True) as session:
        gaps = session.execute(
            text(
                "SELECT count(*) FROM (SELECT seq, lag(seq, 1, 0::bigint) OVER (PARTITION BY channel_id ORDER BY seq) AS before"
                " FROM core.audit_seals) s WHERE seq <> before + 1"
            )
        ).scalar_one()
    sink = "Mail stays in the built-in sink: no mail server is set." if mail.is_sink() else "Mail goes through the mail server."
    return [mend(f"The audit chain has {gaps} gaps.") if gaps else well("The audit chain is whole."), well(sink)]
