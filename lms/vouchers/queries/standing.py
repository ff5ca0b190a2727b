"""How batches stand, and the equation that must hold at every moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from lms.core import db
from lms.core.money import Money
from lms.vouchers.models import Batch, Redemption
from lms.wallet.queries import Afterwards, afterwards


@dataclass(frozen=True, slots=True)
class Totals:
    """How a batch stands, in uses and in minor units: issued = redeemed + outstanding + void + expired."""

    issued: int = 0
    redeemed: int = 0
    outstanding: int = 0
    void: int = 0
    expired: int = 0
    handed_out: int = 0
    issued_minor: int = 0
    redeemed_minor: int = 0
    outstanding_minor: int = 0
    void_minor: int = 0
    expired_minor: int = 0


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A batch held against itself and the ledger; `faults` is empty when every figure agrees. `given` is what its uses brought.

    `after` is what became of the money with a date once it was in wallets: redeemed = spent + held + expired.
    """

    totals: Totals
    ledger: Money
    given: Money
    after: Afterwards | None
    faults: tuple[str, ...]


TOTALS = """
    SELECT batch_id, sum(max_uses) AS issued, sum(uses) AS redeemed,
        coalesce(sum(max_uses - uses) FILTER (WHERE now_state = 'open'), 0) AS outstanding,
        coalesce(sum(max_uses - uses) FILTER (WHERE now_state = 'void'), 0) AS void,
        coalesce(sum(max_uses - uses) FILTER (WHERE now_state = 'expired'), 0) AS expired,
        count(*) FILTER (WHERE state <> 'created') AS handed_out,
        sum(max_uses * value_minor) AS issued_minor, sum(uses * value_minor) AS redeemed_minor,
        coalesce(sum((max_uses - uses) * value_minor) FILTER (WHERE now_state = 'open'), 0) AS outstanding_minor,
        coalesce(sum((max_uses - uses) * value_minor) FILTER (WHERE now_state = 'void'), 0) AS void_minor,
        coalesce(sum((max_uses - uses) * value_minor) FILTER (WHERE now_state = 'expired'), 0) AS expired_minor
    FROM (SELECT *, CASE WHEN state NOT IN ('created', 'sent', 'printed') THEN state
          WHEN expires_at <= clock_timestamp() THEN 'expired' ELSE 'open' END AS now_state
          FROM vouchers.codes WHERE {which}) c GROUP BY batch_id
"""


def totals_of(batch_ids: Sequence[UUID]) -> dict[UUID, Totals]:
    """How batches stand now, by one query; an open code past its date counts as expired from that second on."""
    rows = db.session().execute(text(TOTALS.format(which="batch_id = ANY(CAST(:ids AS uuid[]))")), {"ids": list(batch_ids)}).mappings()
    return {row["batch_id"]: _totals(row) for row in rows}


def _totals(row: Any) -> Totals:
    return Totals(**{name: int(value) for name, value in row.items() if name != "batch_id"})


BALANCE = f"""
    SELECT (SELECT count(*) FROM vouchers.codes WHERE batch_id = :batch) AS codes,
        (SELECT coalesce(sum(-e.amount_minor), 0) FROM vouchers.redemptions r
            JOIN wallet.transactions t ON t.channel_id = r.channel_id AND t.source = 'voucher' AND t.reference_id = r.id
            JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.amount_minor < 0
            WHERE r.batch_id = :batch) AS booked,
        (SELECT count(*) FROM vouchers.redemptions WHERE batch_id = :batch) AS uses,
        (SELECT coalesce(sum(amount_minor), 0) FROM vouchers.redemptions WHERE batch_id = :batch) AS given, t.*
    FROM (VALUES (1)) AS one LEFT JOIN ({TOTALS.format(which="batch_id = ANY(CAST(:ids AS uuid[]))")}) t ON true
"""  # noqa: S608 -- parts of this file, no input


def reconcile(batch: Batch) -> Reconciled:
    """Hold a batch against its codes and the ledger: issued = redeemed + outstanding + void + expired, and redeemed = booked."""
    row = dict(db.session().execute(text(BALANCE), {"ids": [batch.id], "batch": batch.id}).mappings().one())
    codes, booked, uses, given = (int(row.pop(name)) for name in ("codes", "booked", "uses", "given"))
    totals = _totals(row) if row["batch_id"] else Totals()
    left = totals.redeemed + totals.outstanding + totals.void + totals.expired
    left_minor = totals.redeemed_minor + totals.outstanding_minor + totals.void_minor + totals.expired_minor
    after = _afterwards(batch)
    checks = (
        (after is None or after.came.minor <= totals.redeemed_minor, "more money with a date came of it than was redeemed"),
        (codes == batch.code_count, f"{codes} codes are there, and {batch.code_count} were issued"),
        (totals.issued == left, f"{totals.issued} uses were issued, and {left} are accounted for"),
        (totals.issued_minor == left_minor, f"{totals.issued_minor} was issued in money, and {left_minor} is accounted for"),
        (uses == totals.redeemed, f"codes count {totals.redeemed} uses, and {uses} redemptions are noted"),
        (
            int(booked) == (totals.redeemed_minor if batch.kind == "value" else 0),
            f"{totals.redeemed_minor} was redeemed, and the ledger booked {booked}",
        ),
    )
    ledger, off = Money(booked, batch.currency), Money(given, batch.currency)
    return Reconciled(totals, ledger, off, after, tuple(sentence for holds, sentence in checks if not holds))


def _afterwards(batch: Batch) -> Afterwards | None:
    """What became of the batch's money with a date; None where none of it ever had one."""
    had_dates = batch.money_days is not None or batch.money_until is not None or batch.version > 1
    if batch.kind != "value" or not had_dates:
        return None
    found = afterwards(select(Redemption.id).where(Redemption.batch_id == batch.id), batch.currency)
    return found if found.came.minor else None


def voucher_faults() -> list[str]:
    """What is wrong with this channel's vouchers, in plain sentences: uses, redemptions and ledger agree code by code (I6)."""
    rows = db.session().scalars(
        text(
            """
            SELECT 'I6: code ' || c.id || ' counts ' || c.uses || ' of ' || c.max_uses || ' uses, ' || count(r.id) || ' redemptions and '
                || count(t.id) || ' bookings.'
            FROM vouchers.codes c JOIN vouchers.batches b ON b.channel_id = c.channel_id AND b.id = c.batch_id
            LEFT JOIN vouchers.redemptions r ON r.channel_id = c.channel_id AND r.code_id = c.id
            LEFT JOIN wallet.transactions t ON t.channel_id = r.channel_id AND t.source = 'voucher' AND t.reference_id = r.id
            WHERE c.uses > 0 OR r.id IS NOT NULL GROUP BY c.id, c.uses, c.max_uses, b.kind
            HAVING c.uses > c.max_uses OR c.uses <> count(r.id)
                OR count(t.id) <> CASE WHEN b.kind = 'value' THEN c.uses ELSE 0 END
            UNION ALL
            SELECT 'Gift ' || g.id || ' of ' || g.amount_minor || CASE WHEN g.cancelled_at IS NULL THEN '' ELSE ', taken back,' END
                || ' has ' || c.uses || ' uses; the ledger took ' || coalesce(-e.amount_minor, 0) || ' and gave back '
                || coalesce(r.amount_minor, 0) || '.'
            FROM vouchers.gifts g JOIN vouchers.codes c ON c.channel_id = g.channel_id AND c.batch_id = g.batch_id
            LEFT JOIN wallet.transactions t ON t.channel_id = g.channel_id AND t.source = 'gift' AND t.reference_id = g.id
            LEFT JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.amount_minor < 0
            LEFT JOIN wallet.transactions u ON u.channel_id = g.channel_id AND u.source = 'gift_cancel' AND u.reference_id = g.id
            LEFT JOIN wallet.entries r ON r.channel_id = u.channel_id AND r.transaction_id = u.id AND r.amount_minor > 0
            WHERE coalesce(-e.amount_minor, 0) <> g.amount_minor OR c.value_minor <> g.amount_minor
                OR coalesce(r.amount_minor, 0) <> CASE WHEN g.cancelled_at IS NULL THEN 0 ELSE g.amount_minor END
                OR (g.cancelled_at IS NOT NULL AND c.uses > 0)
            LIMIT 20
            """
        )
    )
    return list(rows)
