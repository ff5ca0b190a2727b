"""Hash chains: what is only ever inserted is sealed link by link, so that a change made behind the application's back shows.

A chain names a SELECT of facts (channel_id, id, at, fact as one canonical text) and a table of seals. Links are made a moment
after the commit, in a platform-wide transaction, so that no writer waits for the link before its own.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lms.core import db
from lms.core.ids import uuid7

BATCH = 5000
RECENT = "2 days"


@dataclass(frozen=True, slots=True)
class Chain:
    """One kind of chain, one chain of it in every channel.

    `facts` selects channel_id, id, at and fact; `seals` is the table of links (channel_id, id, seq, <column>, hash); `lock` is the
    number of the advisory lock that keeps two schedulers from sealing at once.
    """

    name: str
    facts: str
    seals: str
    column: str
    lock: int


_chains: dict[str, Chain] = {}


def register(chain: Chain) -> Chain:
    """Have the scheduler seal this chain in every round."""
    _chains[chain.name] = chain
    return chain


def link(previous: bytes, fact_id: UUID, fact: str) -> bytes:
    """The link of a fact after the link `previous`: SHA-256 over both."""
    return sha256(previous + f"{fact_id}\x1f{fact}".encode()).digest()


def extend(chain: Chain, *, all_time: bool = False) -> int:
    """Seal the new facts of every channel; the number of links made. `all_time` looks for facts older than two days, too."""
    with db.unit_of_work(platform=True) as session:
        if not session.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": chain.lock}).scalar_one():
            return 0
        rows = session.execute(text(_unsealed(chain, recent=not all_time))).all()
        heads: dict[UUID, tuple[int, bytes]] = {}
        links: list[dict[str, Any]] = []
        for row in rows:
            seq, previous = heads.get(row.channel_id) or _head(chain, row.channel_id)
            made = link(previous, row.id, row.fact)
            links.append({"channel": row.channel_id, "id": uuid7(), "seq": seq + 1, "fact": row.id, "hash": made})
            heads[row.channel_id] = (seq + 1, made)
        if links:
            session.execute(
                text(
                    f"INSERT INTO {chain.seals} (channel_id, id, seq, {chain.column}, hash)"  # noqa: S608 (names are the module's own)
                    " VALUES (:channel, :id, :seq, :fact, :hash)"
                ),
                links,
            )
        return len(links)


def extend_all() -> int:
    """Seal the new facts of every registered chain; the number of links made."""
    return sum(extend(chain) for chain in _chains.values())


def extend_back() -> int:
    """Seal what was written with a date of the past (the demo, what was brought over); the number of links.

    The scheduler's rounds do not look that far back.
    """
    links = 0
    for chain in _chains.values():
        while made := extend(chain, all_time=True):
            links += made
    return links


def head_of(chain: Chain) -> tuple[int, bytes]:
    """The newest link of the running channel: its number and its hash; (0, b"") of an empty chain."""
    query = f"SELECT seq, hash FROM {chain.seals} ORDER BY seq DESC LIMIT 1"  # noqa: S608 (as above)
    row = db.session().execute(text(query)).one_or_none()
    return (row.seq, bytes(row.hash)) if row else (0, b"")


def faults_of(chain: Chain) -> list[str]:
    """What is wrong with the running channel's chain, in plain sentences: broken, missing and unsealed links."""
    seq, previous, faults = 0, b"", []
    rows = db.session().execute(
        text(
            f"SELECT s.seq, s.hash, s.{chain.column} AS id, f.fact FROM {chain.seals} s"  # noqa: S608 (as above)
            f" LEFT JOIN ({chain.facts}) f ON f.id = s.{chain.column} ORDER BY s.seq"
        ),
        execution_options={"yield_per": BATCH},
    )
    for row in rows:
        if row.seq != seq + 1:
            faults.append(f"{chain.name}: links {seq + 1} to {row.seq - 1} are missing.")
        if row.fact is None:
            faults.append(f"{chain.name}: what link {row.seq} sealed is gone ({row.id}).")
        elif link(previous, row.id, row.fact) != bytes(row.hash):
            faults.append(f"{chain.name}: link {row.seq} does not fit what it sealed ({row.id}); it was changed afterwards.")
        seq, previous = row.seq, bytes(row.hash)
    late = db.session().execute(text(_unsealed(chain, recent=False, older_than="1 hour", counting=True))).scalar_one()
    if late:
        faults.append(f"{chain.name}: {late} entries are older than an hour and have no seal; is the scheduler running?")
    return faults


def _head(chain: Chain, channel_id: UUID) -> tuple[int, bytes]:
    query = f"SELECT seq, hash FROM {chain.seals} WHERE channel_id = :channel ORDER BY seq DESC LIMIT 1"  # noqa: S608 (as above)
    row = db.session().execute(text(query), {"channel": channel_id}).one_or_none()
    return (row.seq, bytes(row.hash)) if row else (0, b"")


def _unsealed(chain: Chain, *, recent: bool, older_than: str = "2 seconds", counting: bool = False) -> str:
    window = f" AND f.at > now() - interval '{RECENT}'" if recent else ""
    rest = "" if counting else f" ORDER BY f.channel_id, f.id LIMIT {BATCH}"
    return (
        f"SELECT {'count(*)' if counting else 'f.channel_id, f.id, f.fact'} FROM ({chain.facts}) f"  # noqa: S608 (as above)
        f" WHERE f.at < now() - interval '{older_than}'{window}"
        f" AND NOT EXISTS (SELECT 1 FROM {chain.seals} s WHERE s.channel_id = f.channel_id AND s.{chain.column} = f.id){rest}"
    )
