"""Voucher batches, their codes (digests only), who redeemed them, each code's trail, and the sealed one-time download."""

from migrations.kit import APP, append_only, belongs_to, drop_schema, schema, sql, tenant_table

revision = "0007"
down_revision = "0006"

GUARD_CODE = """
CREATE FUNCTION vouchers.guard_code() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.uses < OLD.uses OR (OLD.uses > 0 AND NEW.value_minor <> OLD.value_minor) OR (OLD.state = 'redeemed' AND NEW.state <> 'redeemed') THEN
        RAISE EXCEPTION 'a used code stays as it was used' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    schema("vouchers")
    _batches()
    _codes()
    _redemptions()
    tenant_table(
        "vouchers.envelopes",
        f"""batch_id uuid NOT NULL, made_by uuid, sealed bytea NOT NULL, made_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
        {belongs_to("batch_id", "vouchers.batches")}, CONSTRAINT uq_envelopes_channel_id_batch_id UNIQUE (channel_id, batch_id)""",
        app="SELECT, INSERT, DELETE",
    )


def _batches() -> None:
    tenant_table(
        "vouchers.batches",
        f"""label text NOT NULL, purpose text NOT NULL DEFAULT '', owner_id uuid, kind text NOT NULL DEFAULT 'value', value_minor bigint NOT NULL,
        currency text NOT NULL, code_count bigint NOT NULL, uses_per_code bigint NOT NULL DEFAULT 1, prefix text NOT NULL DEFAULT '',
        starts_at timestamptz, expires_at timestamptz, per_person bigint, sold_for_minor bigint, request_digest bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), created_by uuid, version bigint NOT NULL DEFAULT 1,
        {belongs_to("owner_id", "channels.members")}, {belongs_to("created_by", "channels.members")},
        CONSTRAINT uq_batches_channel_id_request_digest UNIQUE (channel_id, request_digest),
        CONSTRAINT ck_batches_kind CHECK (kind IN ('value')),
        CONSTRAINT ck_batches_value CHECK (value_minor > 0), CONSTRAINT ck_batches_code_count CHECK (code_count BETWEEN 1 AND 10000),
        CONSTRAINT ck_batches_uses CHECK (uses_per_code >= 1), CONSTRAINT ck_batches_per_person CHECK (per_person >= 1),
        CONSTRAINT ck_batches_sold_for CHECK (sold_for_minor >= 0), CONSTRAINT ck_batches_prefix CHECK (prefix ~ '^[A-Z0-9]{{0,12}}$'),
        CONSTRAINT ck_batches_window CHECK (expires_at > starts_at)""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE INDEX ix_batches_created ON vouchers.batches (channel_id, created_at, id)",
        "CREATE INDEX ix_batches_owner ON vouchers.batches (channel_id, owner_id)",
        "CREATE INDEX ix_batches_expires ON vouchers.batches (channel_id, expires_at)",
    )


def _codes() -> None:
    tenant_table(
        "vouchers.codes",
        f"""batch_id uuid NOT NULL, number bigint NOT NULL, digest bytea NOT NULL, last4 text NOT NULL, value_minor bigint NOT NULL,
        expires_at timestamptz, uses bigint NOT NULL DEFAULT 0, max_uses bigint NOT NULL DEFAULT 1, state text NOT NULL DEFAULT 'created',
        state_at timestamptz NOT NULL DEFAULT now(), state_by uuid, {belongs_to("batch_id", "vouchers.batches")},
        CONSTRAINT uq_codes_channel_id_digest UNIQUE (channel_id, digest),
        CONSTRAINT uq_codes_channel_id_batch_id_number UNIQUE (channel_id, batch_id, number),
        CONSTRAINT ck_codes_state CHECK (state IN ('created', 'sent', 'printed', 'redeemed', 'expired', 'void')),
        CONSTRAINT ck_codes_uses CHECK (uses BETWEEN 0 AND max_uses), CONSTRAINT ck_codes_used_up CHECK ((state = 'redeemed') = (uses = max_uses)),
        CONSTRAINT ck_codes_value CHECK (value_minor > 0)""",
        app="SELECT, INSERT",
    )
    sql(
        f"GRANT UPDATE (value_minor, expires_at, uses, state, state_at, state_by) ON vouchers.codes TO {APP}",
        "CREATE INDEX ix_codes_state ON vouchers.codes (channel_id, batch_id, state)",
        "CREATE INDEX ix_codes_last4 ON vouchers.codes (channel_id, last4)",
        "CREATE INDEX ix_codes_due ON vouchers.codes (channel_id, expires_at) WHERE state IN ('created', 'sent', 'printed')",
        GUARD_CODE,
        "REVOKE ALL ON FUNCTION vouchers.guard_code() FROM PUBLIC",
        "CREATE TRIGGER codes_guard BEFORE UPDATE ON vouchers.codes FOR EACH ROW EXECUTE FUNCTION vouchers.guard_code()",
    )


def _redemptions() -> None:
    tenant_table(
        "vouchers.redemptions",
        f"""batch_id uuid NOT NULL, code_id uuid NOT NULL, user_id uuid NOT NULL, nth bigint NOT NULL, amount_minor bigint NOT NULL,
        currency text NOT NULL, at timestamptz NOT NULL DEFAULT now(), {belongs_to("batch_id", "vouchers.batches")},
        {belongs_to("code_id", "vouchers.codes")}, {belongs_to("user_id", "channels.members")},
        CONSTRAINT uq_redemptions_channel_id_code_id_user_id UNIQUE (channel_id, code_id, user_id),
        CONSTRAINT uq_redemptions_channel_id_batch_id_user_id_nth UNIQUE (channel_id, batch_id, user_id, nth),
        CONSTRAINT ck_redemptions_amount CHECK (amount_minor > 0)""",
        app="SELECT, INSERT",
    )
    sql(
        "CREATE INDEX ix_redemptions_at ON vouchers.redemptions (channel_id, at, id)",
        "CREATE INDEX ix_redemptions_user ON vouchers.redemptions (channel_id, user_id, at)",
    )
    append_only("vouchers.redemptions")
    tenant_table(
        "vouchers.steps",
        f"""batch_id uuid NOT NULL, code_id uuid NOT NULL, state text NOT NULL, at timestamptz NOT NULL DEFAULT now(), actor_id uuid,
        actor_name text NOT NULL DEFAULT '', note text NOT NULL DEFAULT '', {belongs_to("batch_id", "vouchers.batches")},
        {belongs_to("code_id", "vouchers.codes")}""",
        app="SELECT, INSERT",
    )
    sql("CREATE INDEX ix_steps_code ON vouchers.steps (channel_id, code_id, at)")
    append_only("vouchers.steps")


def downgrade() -> None:
    drop_schema("vouchers")
