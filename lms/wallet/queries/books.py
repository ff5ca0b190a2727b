"""The reading of the books: sums, balances, legs, the guards of the tables, and the hash chain."""

from sqlalchemy import text

from lms.core import db
from lms.core.chains import Chain, faults_of

LEDGER = Chain(
    name="Ledger",
    facts="""
        SELECT t.channel_id, t.id, t.written_at AS at,
            concat_ws(E'\\x1f', t.source, t.reference_id, t.currency, t.note, t.actor_id, t.actor_kind,
                to_char(t.at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'),
                to_char(t.written_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'),
                (SELECT string_agg(e.account_id || ':' || e.amount_minor, ',' ORDER BY e.account_id) FROM wallet.entries e
                 WHERE e.channel_id = t.channel_id AND e.transaction_id = t.id),
                'mirrors ' || t.mirrors_id, 'until ' || to_char(t.money_until AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')) AS fact
        FROM wallet.transactions t""",
    seals="wallet.seals",
    column="transaction_id",
    lock=5417006,
)


FAULTS = {
    "I1": """SELECT a.currency || ' entries sum to ' || sum(e.amount_minor) || ', not to 0'
        FROM wallet.entries e
        JOIN wallet.accounts a ON a.channel_id = e.channel_id AND a.id = e.account_id
        GROUP BY a.currency HAVING sum(e.amount_minor) <> 0""",
    "I2": """SELECT 'wallet ' || a.id || ' shows ' || a.balance_minor || ' and ' || a.moves || ' moves; its entries sum to '
            || coalesce(e.total, 0) || ' in ' || coalesce(e.moves, 0) FROM wallet.accounts a
        LEFT JOIN (SELECT account_id, sum(amount_minor) AS total, count(*) AS moves FROM wallet.entries GROUP BY account_id) e
            ON e.account_id = a.id
        WHERE a.user_id IS NOT NULL AND (a.balance_minor <> coalesce(e.total, 0) OR a.moves <> coalesce(e.moves, 0)) LIMIT 20""",
    "I3": "SELECT 'wallet ' || id || ' is below zero: ' || balance_minor FROM wallet.accounts WHERE balance_minor < 0 LIMIT 20",
    "I4": """SELECT 'transaction ' || t.id || ' has ' || count(e.id) || ' legs that sum to ' || coalesce(sum(e.amount_minor), 0)
            || CASE WHEN bool_or(e.xid <> t.xid) THEN ', some written later' ELSE '' END
        FROM wallet.transactions t LEFT JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id GROUP BY t.id
        HAVING count(e.id) < 2 OR coalesce(sum(e.amount_minor), 0) <> 0 OR bool_or(e.xid <> t.xid) LIMIT 20""",
    "L1": """SELECT 'wallet ' || a.id || ' holds ' || a.dated_minor || ' with a date of ' || a.balance_minor || '; its lots hold '
            || coalesce(l.held, 0) FROM wallet.accounts a
        LEFT JOIN (SELECT account_id, sum(left_minor) AS held FROM wallet.lots GROUP BY account_id) l ON l.account_id = a.id
        WHERE a.dated_minor <> coalesce(l.held, 0) OR a.dated_minor > coalesce(a.balance_minor, 0) LIMIT 20""",
    "L2": """SELECT 'lot ' || l.id || ' shows ' || l.left_minor || '; what moved it sums to ' || coalesce(m.total, 0) FROM wallet.lots l
        LEFT JOIN (SELECT lot_id, sum(amount_minor) AS total FROM wallet.lot_moves GROUP BY lot_id) m ON m.lot_id = l.id
        WHERE l.left_minor <> coalesce(m.total, 0) LIMIT 20""",
    "L3": """SELECT 'transaction ' || m.transaction_id || ' moved ' || sum(m.amount_minor) || ' in lots of wallet ' || l.account_id
            || ', and booked ' || coalesce(min(e.amount_minor)::text, 'nothing') FROM wallet.lot_moves m
        JOIN wallet.lots l ON l.channel_id = m.channel_id AND l.id = m.lot_id
        LEFT JOIN wallet.entries e ON e.channel_id = m.channel_id AND e.transaction_id = m.transaction_id AND e.account_id = l.account_id
        GROUP BY m.transaction_id, l.account_id
        HAVING min(e.amount_minor) IS NULL OR sign(sum(m.amount_minor)) <> sign(min(e.amount_minor))
            OR abs(sum(m.amount_minor)) > abs(min(e.amount_minor)) LIMIT 20""",
}
GUARDS = (
    "accounts_guard",
    "accounts_no_truncate",
    "accounts_open",
    "entries_balanced",
    "entries_post",
    "lots_guard",
    "lots_no_truncate",
    "transactions_balanced",
    "wallet_entries_append_only",
    "wallet_entries_no_truncate",
    "wallet_lot_moves_append_only",
    "wallet_lot_moves_no_truncate",
    "wallet_transactions_append_only",
    "wallet_transactions_no_truncate",
)


def ledger_faults() -> list[str]:
    """What is wrong with this channel's books, in plain sentences: the sums (I1–I4), the lots (L1–L3), the guards, the hash chain."""
    db.session().execute(text("SET LOCAL statement_timeout = '15min'"))
    whole = " UNION ALL ".join(f"(SELECT '{name}: ' || fault FROM ({query}) AS {name} (fault))" for name, query in FAULTS.items())  # noqa: S608 (constants)
    faults = [f"{sentence}." for sentence in db.session().scalars(text(whole))]
    standing = set(
        db.session().scalars(
            text(
                "SELECT g.tgname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'wallet' AND g.tgenabled IN ('O', 'A')"
            )
        )
    )
    faults += [f"The guard {name} of the ledger is gone or switched off." for name in GUARDS if name not in standing]
    return faults + faults_of(LEDGER)
