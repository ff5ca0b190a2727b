"""The audit log's chain of hashes: every entry sealed a moment after its commit, and read from the first to the last."""

import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lms.core import db
from lms.core.ids import uuid7

MOST_FAULTS = 50
AT_ONCE = 5_000
FIELDS = "a.id, a.at, a.actor_id, a.action, a.target_kind, a.target_id, a.before, a.after, a.actor_name, a.target_name"
COVERS = 2  # what seals cover since the names are in them; those before stay as they were made
UNSEALED = text(
    f"""
    SELECT a.channel_id, {FIELDS} FROM core.audit a
    WHERE a.at < now() - interval '2 seconds' AND a.at > now() - interval '2 days'
      AND NOT EXISTS (SELECT 1 FROM core.audit_seals s WHERE s.channel_id = a.channel_id AND s.audit_id = a.id)
    ORDER BY a.channel_id, a.id LIMIT {AT_ONCE}
    """  # noqa: S608 (names of columns, ours)
)
HEAD = text("SELECT seq, hash FROM core.audit_seals WHERE channel_id = :channel ORDER BY seq DESC LIMIT 1")
SEAL = text(
    """
    INSERT INTO core.audit_seals (channel_id, id, seq, audit_id, hash, covers)
    SELECT l.channel, l.id, l.seq, l.audit, l.hash, :covers
    FROM unnest(CAST(:channels AS uuid[]), CAST(:ids AS uuid[]), CAST(:seqs AS bigint[]),
        CAST(:audits AS uuid[]), CAST(:hashes AS bytea[])) AS l (channel, id, seq, audit, hash)
    """
)
LINKS = text(
    f"""
    SELECT s.seq, s.hash, s.covers, s.audit_id, {FIELDS} FROM core.audit_seals s
    LEFT JOIN core.audit a ON a.channel_id = s.channel_id AND a.id = s.audit_id
    WHERE s.seq > :after ORDER BY s.seq LIMIT {AT_ONCE}
    """  # noqa: S608 (as above)
)
LINK = text("SELECT hash FROM core.audit_seals WHERE seq = :seq")
LATE = text(
    """
    SELECT count(*) FROM core.audit a WHERE a.at < now() - interval '1 hour' AND a.at > now() - interval '2 days'
      AND NOT EXISTS (SELECT 1 FROM core.audit_seals s WHERE s.channel_id = a.channel_id AND s.audit_id = a.id)
    """
)


@dataclass(slots=True)
class Chain:
    """What a reading of a channel's chain found: how far it came, its newest link, and what is wrong in plain sentences."""

    seq: int = 0
    head: bytes = b""
    faults: list[str] = field(default_factory=list)
    took_ms: int = 0


def row_hash(previous: bytes, row: Any, covers: int) -> bytes:
    """The link of an audit row after the link `previous`: SHA-256 over both; the names count since `covers` is 2."""
    names = (str(covers), _canonical({"actor": row.actor_name, "target": row.target_name})) if covers > 1 else ()
    parts = (
        row.id,
        row.at.isoformat(),
        row.actor_id,
        row.action,
        row.target_kind,
        row.target_id,
        _canonical(row.before),
        _canonical(row.after),
        *names,
    )
    return sha256(previous + "\x1f".join(str(part) for part in parts).encode()).digest()


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    return str(value)


def seal_audit() -> int:
    """Add new audit rows to their channels' hash chains; the number of links made."""
    with db.unit_of_work(platform=True) as session:
        if not session.execute(text("SELECT pg_try_advisory_xact_lock(5417001)")).scalar_one():
            return 0
        heads: dict[UUID, tuple[int, bytes]] = {}
        links: list[tuple[UUID, UUID, int, UUID, bytes]] = []
        for row in session.execute(UNSEALED):
            if row.channel_id not in heads:
                head = session.execute(HEAD, {"channel": row.channel_id}).one_or_none()
                heads[row.channel_id] = (head.seq, bytes(head.hash)) if head else (0, b"")
            seq, previous = heads[row.channel_id]
            heads[row.channel_id] = (seq + 1, row_hash(previous, row, COVERS))
            links.append((row.channel_id, uuid7(), seq + 1, row.id, heads[row.channel_id][1]))
        if links:
            columns = ("channels", "ids", "seqs", "audits", "hashes")
            lists = {name: list(values) for name, values in zip(columns, zip(*links, strict=True), strict=True)}
            session.execute(SEAL, {**lists, "covers": COVERS})
        return len(links)


def read_chain(*, known_seq: int = 0, known_head: str = "") -> Chain:
    """Read the running channel's chain from its first link to its last, some thousand at a time: broken, missing, unsealed links.

    `known_seq` and `known_head` are the newest link of an earlier reading, which must still be there: an end cut off shows.
    """
    began, found, previous = time.monotonic(), Chain(), b""
    if known_seq and (bytes(db.session().execute(LINK, {"seq": known_seq}).scalar() or b"").hex() != known_head):
        found.faults.append(f"Link {known_seq}, where an earlier check ended, is gone or another one.")
    while rows := db.session().execute(LINKS, {"after": found.seq}).all():
        for row in rows:
            if row.seq != found.seq + 1:
                found.faults.append(f"Links {found.seq + 1} to {row.seq - 1} are missing.")
            if row.id is None:
                found.faults.append(f"The entry that link {row.seq} sealed is gone ({row.audit_id}).")
            elif row_hash(previous, row, row.covers) != bytes(row.hash):
                found.faults.append(f"Entry {row.seq} is not what was sealed ({row.audit_id}): it was changed afterwards.")
            found.seq, previous = row.seq, bytes(row.hash)
        if len(found.faults) > MOST_FAULTS:
            break
    late = db.session().execute(LATE).scalar_one()
    if late:
        found.faults.append(f"{late} entries are older than an hour and have no seal. Is the scheduler running?")
    found.head, found.took_ms = previous, round((time.monotonic() - began) * 1000)
    return found
