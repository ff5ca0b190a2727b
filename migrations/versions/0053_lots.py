"""Money with a date: lots that the entries of a wallet fill and empty, the one that expires first before the others.

Only money with a date lies in lots; what is left of a balance has none. So nothing has to be filled in, and a wallet without dated
money moves as fast as before. A transaction says until when its money lasts, and which transaction it mirrors: a refund goes back
into the lots its purchase came from, a refund taken back leaves the lots it went into.
"""

from migrations.kit import APP, THIS_CHANNEL, append_only, belongs_to, sql, tenant_table

revision = "0053"
down_revision = "0052"

POST_ENTRY = """
CREATE OR REPLACE FUNCTION wallet.post_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head record;
    held record;
    dated bigint;
BEGIN
    SELECT xid, written_at, at, currency, source, mirrors_id, money_until INTO head
        FROM wallet.transactions WHERE channel_id = NEW.channel_id AND id = NEW.transaction_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such transaction' USING ERRCODE = 'foreign_key_violation';
    END IF;
    -- Both must agree: after a restore the numbers of transactions begin again, their times do not.
    IF head.xid <> pg_current_xact_id()::text::bigint OR head.written_at <> now() THEN
        RAISE EXCEPTION 'the transaction is sealed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.at := head.at;
    -- What comes in, and what goes out of a wallet without dated money.
    UPDATE wallet.accounts SET balance_minor = balance_minor + NEW.amount_minor, moves = moves + 1
        WHERE channel_id = NEW.channel_id AND id = NEW.account_id AND currency = head.currency AND user_id IS NOT NULL
            AND (dated_minor = 0 OR NEW.amount_minor > 0)
        RETURNING balance_minor, moves INTO NEW.balance_after, NEW.position;
    IF FOUND THEN
        IF NEW.amount_minor > 0 AND (head.money_until IS NOT NULL OR head.mirrors_id IS NOT NULL) THEN
            dated := wallet.fill_lots(NEW.channel_id, NEW.account_id, NEW.transaction_id, NEW.amount_minor, head.mirrors_id, head.money_until);
            UPDATE wallet.accounts SET dated_minor = dated_minor + dated
                WHERE channel_id = NEW.channel_id AND id = NEW.account_id AND dated <> 0;
        ELSIF NEW.amount_minor < 0 AND head.source = 'expiry' THEN
            RAISE EXCEPTION 'nothing in this wallet has expired' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_lots_due';
        END IF;
        RETURN NEW;
    END IF;
    PERFORM 1 FROM wallet.accounts
        WHERE channel_id = NEW.channel_id AND id = NEW.account_id AND currency = head.currency AND user_id IS NULL;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    SELECT balance_minor, dated_minor INTO held FROM wallet.accounts
        WHERE channel_id = NEW.channel_id AND id = NEW.account_id AND currency = head.currency AND user_id IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account is of another currency, or there is none' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF held.balance_minor + NEW.amount_minor < 0 THEN
        RAISE EXCEPTION 'the wallet holds less' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_accounts_balance';
    END IF;
    dated := wallet.empty_lots(NEW.channel_id, NEW.account_id, NEW.transaction_id, -NEW.amount_minor,
        held.balance_minor - held.dated_minor, head.source, head.mirrors_id);
    UPDATE wallet.accounts SET balance_minor = balance_minor + NEW.amount_minor, dated_minor = dated_minor - dated, moves = moves + 1
        WHERE channel_id = NEW.channel_id AND id = NEW.account_id RETURNING balance_minor, moves INTO NEW.balance_after, NEW.position;
    RETURN NEW;
END $$
"""
POST_ENTRY_BEFORE = """
CREATE OR REPLACE FUNCTION wallet.post_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head record;
BEGIN
    SELECT xid, written_at, at, currency INTO head FROM wallet.transactions WHERE channel_id = NEW.channel_id AND id = NEW.transaction_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such transaction' USING ERRCODE = 'foreign_key_violation';
    END IF;
    -- Both must agree: after a restore the numbers of transactions begin again, their times do not.
    IF head.xid <> pg_current_xact_id()::text::bigint OR head.written_at <> now() THEN
        RAISE EXCEPTION 'the transaction is sealed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.at := head.at;
    UPDATE wallet.accounts SET balance_minor = balance_minor + NEW.amount_minor, moves = moves + 1
        WHERE channel_id = NEW.channel_id AND id = NEW.account_id AND currency = head.currency AND user_id IS NOT NULL
        RETURNING balance_minor, moves INTO NEW.balance_after, NEW.position;
    IF NOT FOUND THEN
        PERFORM 1 FROM wallet.accounts
            WHERE channel_id = NEW.channel_id AND id = NEW.account_id AND currency = head.currency AND user_id IS NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the account is of another currency, or there is none' USING ERRCODE = 'foreign_key_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""
# How much of what comes in has a date: a new lot, or what a mirrored purchase took out of lots, the last one taken first.
FILL_LOTS = """
CREATE FUNCTION wallet.fill_lots(channel uuid, account uuid, moved uuid, amount bigint, mirrored uuid, until timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    family uuid[];
    lot record;
    free bigint;
    part bigint;
    rest bigint := amount;
    put bigint := 0;
BEGIN
    IF mirrored IS NULL THEN
        PERFORM wallet.open_lot(channel, account, moved, amount, until, NULL);
        RETURN amount;
    END IF;
    -- The purchase, its refunds, and those of them that were taken back.
    SELECT array_agg(f.id) INTO family FROM (
        SELECT mirrored AS id
        UNION SELECT t.id FROM wallet.transactions t WHERE t.channel_id = channel AND t.mirrors_id = mirrored AND t.id <> moved
        UNION SELECT u.id FROM wallet.transactions t JOIN wallet.transactions u ON u.channel_id = t.channel_id AND u.mirrors_id = t.id
            WHERE t.channel_id = channel AND t.mirrors_id = mirrored) f;
    SELECT coalesce(-sum(e.amount_minor), 0) INTO free FROM wallet.entries e
        WHERE e.channel_id = channel AND e.account_id = account AND e.transaction_id = ANY(family);
    SELECT free + coalesce(sum(m.amount_minor), 0) INTO free FROM wallet.lot_moves m
        JOIN wallet.lots l ON l.channel_id = m.channel_id AND l.id = m.lot_id
        WHERE m.channel_id = channel AND l.account_id = account AND m.transaction_id = ANY(family);
    rest := rest - least(rest, greatest(free, 0));
    FOR lot IN
        SELECT l.id, l.expires_at, s.owed FROM (
            SELECT CASE WHEN EXISTS (SELECT 1 FROM wallet.lot_moves o WHERE o.channel_id = channel AND o.lot_id = w.id
                    AND o.transaction_id = mirrored) THEN w.id ELSE coalesce(w.from_lot_id, w.id) END AS id, -sum(m.amount_minor) AS owed
            FROM wallet.lot_moves m JOIN wallet.lots w ON w.channel_id = m.channel_id AND w.id = m.lot_id
            WHERE m.channel_id = channel AND w.account_id = account AND m.transaction_id = ANY(family) GROUP BY 1) s
        JOIN wallet.lots l ON l.channel_id = channel AND l.id = s.id
        WHERE s.owed > 0 ORDER BY l.expires_at DESC, l.id
    LOOP
        part := least(rest, lot.owed);
        EXIT WHEN part <= 0;
        IF until IS NOT NULL AND lot.expires_at <= clock_timestamp() THEN
            PERFORM wallet.open_lot(channel, account, moved, part, until, lot.id);
        ELSE
            PERFORM wallet.move_lot(channel, lot.id, moved, part);
        END IF;
        rest := rest - part;
        put := put + part;
    END LOOP;
    RETURN put;
END $$
"""
# How much of what goes out has a date: first what a mirrored refund put in, then the lot that expires first.
EMPTY_LOTS = """
CREATE FUNCTION wallet.empty_lots(channel uuid, account uuid, moved uuid, amount bigint, undated bigint, source text, mirrored uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lot record;
    free bigint;
    part bigint;
    rest bigint := amount;
    taken bigint := 0;
BEGIN
    IF mirrored IS NOT NULL THEN
        SELECT coalesce(sum(e.amount_minor), 0) INTO free FROM wallet.entries e
            WHERE e.channel_id = channel AND e.account_id = account AND e.transaction_id = mirrored;
        SELECT free - coalesce(sum(m.amount_minor), 0) INTO free FROM wallet.lot_moves m
            JOIN wallet.lots l ON l.channel_id = m.channel_id AND l.id = m.lot_id
            WHERE m.channel_id = channel AND l.account_id = account AND m.transaction_id = mirrored;
        rest := rest - least(rest, greatest(free, 0), undated);
        FOR lot IN
            SELECT l.id, least(l.left_minor, s.put) AS most FROM (
                SELECT m.lot_id, sum(m.amount_minor) AS put FROM wallet.lot_moves m
                WHERE m.channel_id = channel AND m.transaction_id = mirrored GROUP BY m.lot_id) s
            JOIN wallet.lots l ON l.channel_id = channel AND l.id = s.lot_id
            WHERE l.account_id = account AND least(l.left_minor, s.put) > 0 ORDER BY l.expires_at DESC, l.id
        LOOP
            part := least(rest, lot.most);
            EXIT WHEN part <= 0;
            PERFORM wallet.move_lot(channel, lot.id, moved, -part);
            rest := rest - part;
            taken := taken + part;
        END LOOP;
    END IF;
    FOR lot IN
        SELECT l.id, l.left_minor AS most FROM wallet.lots l
        WHERE l.channel_id = channel AND l.account_id = account AND l.left_minor > 0
            AND (source <> 'expiry' OR l.expires_at <= clock_timestamp())
        ORDER BY l.expires_at, l.id
    LOOP
        part := least(rest, lot.most);
        EXIT WHEN part <= 0;
        PERFORM wallet.move_lot(channel, lot.id, moved, -part);
        rest := rest - part;
        taken := taken + part;
    END LOOP;
    IF source = 'expiry' AND rest > 0 THEN
        RAISE EXCEPTION 'less than that has expired' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_lots_due';
    END IF;
    RETURN taken;
END $$
"""
OPEN_LOT = """
CREATE FUNCTION wallet.open_lot(channel uuid, account uuid, moved uuid, amount bigint, until timestamptz, origin uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made uuid := gen_random_uuid();
BEGIN
    INSERT INTO wallet.lots (channel_id, id, account_id, transaction_id, from_lot_id, amount_minor, left_minor, expires_at)
        VALUES (channel, made, account, moved, origin, amount, 0, until);
    PERFORM wallet.move_lot(channel, made, moved, amount);
END $$
"""
MOVE_LOT = """
CREATE FUNCTION wallet.move_lot(channel uuid, lot uuid, moved uuid, amount bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE wallet.lots SET left_minor = left_minor + amount WHERE channel_id = channel AND id = lot;
    INSERT INTO wallet.lot_moves (channel_id, id, lot_id, transaction_id, amount_minor) VALUES (channel, gen_random_uuid(), lot, moved, amount);
END $$
"""
GUARD_LOT = """
CREATE FUNCTION wallet.guard_lot() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF channels.may_go(OLD.channel_id) THEN RETURN OLD; END IF;
    ELSIF (NEW.channel_id, NEW.id, NEW.account_id, NEW.transaction_id, NEW.amount_minor, NEW.opened_at)
            = (OLD.channel_id, OLD.id, OLD.account_id, OLD.transaction_id, OLD.amount_minor, OLD.opened_at)
        AND NEW.from_lot_id IS NOT DISTINCT FROM OLD.from_lot_id AND (NEW.left_minor = OLD.left_minor OR pg_trigger_depth() > 1) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a lot is filled and emptied by entries alone' USING ERRCODE = 'insufficient_privilege';
END $$
"""
FUNCTIONS = {
    "fill_lots": "uuid, uuid, uuid, bigint, uuid, timestamptz",
    "empty_lots": "uuid, uuid, uuid, bigint, bigint, text, uuid",
    "open_lot": "uuid, uuid, uuid, bigint, timestamptz, uuid",
    "move_lot": "uuid, uuid, uuid, bigint",
    "guard_lot": "",
}


def upgrade() -> None:
    _accounts_and_transactions()
    _lots()
    sql(MOVE_LOT, OPEN_LOT, FILL_LOTS, EMPTY_LOTS, GUARD_LOT, POST_ENTRY)
    for name, arguments in FUNCTIONS.items():
        sql(f"REVOKE ALL ON FUNCTION wallet.{name}({arguments}) FROM PUBLIC")
    sql(
        "CREATE TRIGGER lots_guard BEFORE UPDATE OR DELETE ON wallet.lots FOR EACH ROW EXECUTE FUNCTION wallet.guard_lot()",
        "CREATE TRIGGER lots_no_truncate BEFORE TRUNCATE ON wallet.lots FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()",
    )
    append_only("wallet.lot_moves")
    _who_says_the_date()


def _accounts_and_transactions() -> None:
    sql(
        "ALTER TABLE wallet.accounts ADD COLUMN dated_minor bigint NOT NULL DEFAULT 0",
        "ALTER TABLE wallet.accounts ADD CONSTRAINT ck_accounts_dated CHECK (dated_minor = 0"
        " OR (dated_minor > 0 AND dated_minor <= coalesce(balance_minor, 0))) NOT VALID",
        "ALTER TABLE wallet.accounts VALIDATE CONSTRAINT ck_accounts_dated",
        "ALTER TABLE wallet.transactions ADD COLUMN mirrors_id uuid, ADD COLUMN money_until timestamptz",
        f"ALTER TABLE wallet.transactions ADD {belongs_to('mirrors_id', 'wallet.transactions', on_delete='NO ACTION')} NOT VALID",
        "ALTER TABLE wallet.transactions VALIDATE CONSTRAINT fk_mirrors_id_wallet_transactions",
        "CREATE INDEX ix_transactions_mirrors ON wallet.transactions (channel_id, mirrors_id) WHERE mirrors_id IS NOT NULL",
        f"GRANT INSERT (mirrors_id, money_until) ON wallet.transactions TO {APP}",
    )


def _lots() -> None:
    tenant_table(
        "wallet.lots",
        f"""account_id uuid NOT NULL, transaction_id uuid NOT NULL, from_lot_id uuid, amount_minor bigint NOT NULL, left_minor bigint NOT NULL,
        expires_at timestamptz NOT NULL, opened_at timestamptz NOT NULL DEFAULT now(), warned_days bigint,
        reason text NOT NULL DEFAULT '',
        {belongs_to("account_id", "wallet.accounts")}, {belongs_to("transaction_id", "wallet.transactions")},
        {belongs_to("from_lot_id", "wallet.lots", on_delete="NO ACTION")},
        CONSTRAINT ck_lots_left CHECK (amount_minor > 0 AND left_minor BETWEEN 0 AND amount_minor AND length(reason) <= 500)""",
        app="SELECT",
        platform="SELECT",
    )
    tenant_table(
        "wallet.lot_moves",
        f"""lot_id uuid NOT NULL, transaction_id uuid NOT NULL, amount_minor bigint NOT NULL,
        {belongs_to("lot_id", "wallet.lots")}, {belongs_to("transaction_id", "wallet.transactions")},
        CONSTRAINT ck_lot_moves_amount CHECK (amount_minor <> 0)""",
        app="SELECT",
        platform="SELECT",
    )
    for table in ("lots", "lot_moves"):
        # The triggers run as the owner, whom FORCEd row-level security holds too.
        sql(
            f"CREATE POLICY ledger ON wallet.{table} TO CURRENT_USER USING (channel_id = {THIS_CHANNEL}) WITH CHECK (channel_id = {THIS_CHANNEL})"
        )
    sql(
        f"GRANT UPDATE (expires_at, warned_days, reason) ON wallet.lots TO {APP}",
        "CREATE INDEX ix_lots_account ON wallet.lots (channel_id, account_id, expires_at, id) WHERE left_minor > 0",
        "CREATE INDEX ix_lots_due ON wallet.lots (channel_id, expires_at) WHERE left_minor > 0",
        "CREATE INDEX ix_lots_transaction ON wallet.lots (channel_id, transaction_id)",
        "CREATE INDEX ix_lot_moves_lot ON wallet.lot_moves (channel_id, lot_id)",
        "CREATE INDEX ix_lot_moves_transaction ON wallet.lot_moves (channel_id, transaction_id)",
    )


def _who_says_the_date() -> None:
    sql(
        "ALTER TABLE wallet.adjustments ADD COLUMN money_until timestamptz",
        "ALTER TABLE wallet.adjustments ADD CONSTRAINT ck_adjustments_until CHECK (money_until IS NULL OR amount_minor > 0) NOT VALID",
        "ALTER TABLE wallet.adjustments VALIDATE CONSTRAINT ck_adjustments_until",
        "ALTER TABLE payments.refunds ADD COLUMN money_until timestamptz",
        "ALTER TABLE vouchers.batches ADD COLUMN money_days bigint, ADD COLUMN money_until timestamptz",
        "ALTER TABLE vouchers.batches ADD CONSTRAINT ck_batches_money CHECK ((money_days IS NULL AND money_until IS NULL)"
        " OR (kind = 'value' AND (money_days IS NULL OR money_until IS NULL) AND (money_days IS NULL OR money_days BETWEEN 1 AND 3650)"
        " AND (money_until IS NULL OR expires_at <= money_until))) NOT VALID",
        "ALTER TABLE vouchers.batches VALIDATE CONSTRAINT ck_batches_money",
    )


def downgrade() -> None:
    sql(
        POST_ENTRY_BEFORE,
        "ALTER TABLE vouchers.batches DROP COLUMN money_days, DROP COLUMN money_until",
        "ALTER TABLE payments.refunds DROP COLUMN money_until",
        "ALTER TABLE wallet.adjustments DROP COLUMN money_until",
        "DROP TABLE wallet.lot_moves",
        "DROP TABLE wallet.lots",
        "ALTER TABLE wallet.transactions DROP COLUMN mirrors_id, DROP COLUMN money_until",
        "ALTER TABLE wallet.accounts DROP COLUMN dated_minor",
        *(f"DROP FUNCTION wallet.{name}({arguments})" for name, arguments in FUNCTIONS.items()),
    )
