"""The ledger: accounts, transactions, entries that are only ever inserted, and the seals of their hash chain.

What the application role can do wrong is refused by the database: it may insert chosen columns and nothing else; balances are
written by a trigger; a transaction balances, has two legs or more and takes none after the database transaction that made it.
"""

from migrations.kit import APP, THIS_CHANNEL, append_only, belongs_to, drop_schema, schema, sql, tenant_table

revision = "0006"
down_revision = "0005"

OPEN_ACCOUNT = """
CREATE FUNCTION wallet.open_account() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A person's wallet keeps its balance; the channel's own accounts are summed when asked, so that no purchase waits for another.
    NEW.balance_minor := CASE WHEN NEW.user_id IS NULL THEN NULL ELSE 0 END;
    NEW.moves := 0;
    RETURN NEW;
END $$
"""
GUARD_ACCOUNT = """
CREATE FUNCTION wallet.guard_account() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 AND (NEW.channel_id, NEW.id, NEW.kind, NEW.currency) = (OLD.channel_id, OLD.id, OLD.kind, OLD.currency)
        AND NEW.user_id IS NOT DISTINCT FROM OLD.user_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a balance is written by entries alone' USING ERRCODE = 'insufficient_privilege';
END $$
"""
POST_ENTRY = """
CREATE FUNCTION wallet.post_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
CHECK_BALANCED = """
CREATE FUNCTION wallet.check_balanced() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted uuid;
    legs bigint;
    total numeric;
BEGIN
    IF TG_TABLE_NAME = 'entries' THEN
        wanted := NEW.transaction_id;
    ELSE
        wanted := NEW.id;
    END IF;
    SELECT count(*), coalesce(sum(amount_minor), 0) INTO legs, total
        FROM wallet.entries WHERE channel_id = NEW.channel_id AND transaction_id = wanted;
    IF legs < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'transaction % has % legs that sum to %', wanted, legs, total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_transactions_balanced';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    schema("wallet")
    _accounts()
    _transactions()
    _entries()
    _seals()
    for function in ("open_account", "guard_account", "post_entry", "check_balanced"):
        sql(f"REVOKE ALL ON FUNCTION wallet.{function}() FROM PUBLIC")


def _accounts() -> None:
    tenant_table(
        "wallet.accounts",
        f"""kind text NOT NULL, user_id uuid, currency text NOT NULL, balance_minor bigint, moves bigint NOT NULL DEFAULT 0,
        opened_at timestamptz NOT NULL DEFAULT now(), {belongs_to("user_id", "channels.members")},
        CONSTRAINT uq_accounts_channel_id_kind_user_id_currency UNIQUE NULLS NOT DISTINCT (channel_id, kind, user_id, currency),
        CONSTRAINT ck_accounts_kind CHECK (kind IN ('student', 'vouchers', 'revenue', 'adjustments', 'clearing', 'expired')),
        CONSTRAINT ck_accounts_holder CHECK ((kind = 'student') = (user_id IS NOT NULL)),
        CONSTRAINT ck_accounts_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
        CONSTRAINT ck_accounts_kept CHECK ((user_id IS NULL) = (balance_minor IS NULL)),
        CONSTRAINT ck_accounts_balance CHECK (balance_minor >= 0)""",
        app="SELECT",
        platform="SELECT",
    )
    sql(
        f"GRANT INSERT (channel_id, id, kind, user_id, currency) ON wallet.accounts TO {APP}",
        "CREATE INDEX ix_accounts_balance ON wallet.accounts (channel_id, kind, balance_minor)",
        OPEN_ACCOUNT,
        GUARD_ACCOUNT,
        "CREATE TRIGGER accounts_open BEFORE INSERT ON wallet.accounts FOR EACH ROW EXECUTE FUNCTION wallet.open_account()",
        "CREATE TRIGGER accounts_guard BEFORE UPDATE OR DELETE ON wallet.accounts FOR EACH ROW EXECUTE FUNCTION wallet.guard_account()",
        "CREATE TRIGGER accounts_no_truncate BEFORE TRUNCATE ON wallet.accounts FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()",
        # The triggers run as the owner, whom FORCEd row-level security holds too: the owner sees the running channel's rows.
        f"CREATE POLICY ledger ON wallet.accounts TO CURRENT_USER USING (channel_id = {THIS_CHANNEL}) WITH CHECK (channel_id = {THIS_CHANNEL})",
    )


def _transactions() -> None:
    tenant_table(
        "wallet.transactions",
        """source text NOT NULL, reference_id uuid NOT NULL, currency text NOT NULL, note text NOT NULL DEFAULT '', actor_id uuid,
        actor_kind text NOT NULL, at timestamptz NOT NULL DEFAULT now(), written_at timestamptz NOT NULL DEFAULT now(),
        xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
        CONSTRAINT uq_transactions_channel_id_source_reference_id UNIQUE (channel_id, source, reference_id),
        CONSTRAINT ck_transactions_source CHECK (source ~ '^[a-z_]{1,40}$'), CONSTRAINT ck_transactions_note CHECK (length(note) <= 1000)""",
        app="SELECT",
        platform="SELECT",
    )
    sql(
        f"GRANT INSERT (channel_id, id, source, reference_id, currency, note, actor_id, actor_kind, at) ON wallet.transactions TO {APP}",
        "CREATE INDEX ix_transactions_at ON wallet.transactions (channel_id, at, id)",
        "CREATE INDEX ix_transactions_written ON wallet.transactions (written_at)",
        f"CREATE POLICY ledger ON wallet.transactions FOR SELECT TO CURRENT_USER USING (channel_id = {THIS_CHANNEL})",
    )
    append_only("wallet.transactions")


def _entries() -> None:
    tenant_table(
        "wallet.entries",
        f"""transaction_id uuid NOT NULL, account_id uuid NOT NULL, amount_minor bigint NOT NULL, position bigint, balance_after bigint,
        at timestamptz NOT NULL DEFAULT now(), xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
        {belongs_to("transaction_id", "wallet.transactions")}, {belongs_to("account_id", "wallet.accounts")},
        CONSTRAINT uq_entries_channel_id_transaction_id_account_id UNIQUE (channel_id, transaction_id, account_id),
        CONSTRAINT uq_entries_channel_id_account_id_position UNIQUE (channel_id, account_id, position),
        CONSTRAINT ck_entries_amount CHECK (amount_minor <> 0 AND abs(amount_minor) <= 1000000000000000)""",
        app="SELECT",
        platform="SELECT",
    )
    sql(
        f"GRANT INSERT (channel_id, id, transaction_id, account_id, amount_minor) ON wallet.entries TO {APP}",
        "CREATE INDEX ix_entries_at ON wallet.entries (channel_id, at, id)",
        POST_ENTRY,
        CHECK_BALANCED,
        f"CREATE POLICY ledger ON wallet.entries FOR SELECT TO CURRENT_USER USING (channel_id = {THIS_CHANNEL})",
        "CREATE TRIGGER entries_post BEFORE INSERT ON wallet.entries FOR EACH ROW EXECUTE FUNCTION wallet.post_entry()",
    )
    for table in ("entries", "transactions"):
        sql(
            f"CREATE CONSTRAINT TRIGGER {table}_balanced AFTER INSERT ON wallet.{table} DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION wallet.check_balanced()"
        )
    append_only("wallet.entries")


def _seals() -> None:
    tenant_table(
        "wallet.seals",
        f"""seq bigint NOT NULL, transaction_id uuid NOT NULL, hash bytea NOT NULL, {belongs_to("transaction_id", "wallet.transactions")},
        CONSTRAINT uq_seals_channel_id_seq UNIQUE (channel_id, seq),
        CONSTRAINT uq_seals_channel_id_transaction_id UNIQUE (channel_id, transaction_id)""",
        app="SELECT",
        platform="SELECT, INSERT",
    )
    append_only("wallet.seals")


def downgrade() -> None:
    drop_schema("wallet")
