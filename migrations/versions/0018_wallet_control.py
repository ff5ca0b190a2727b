"""Adjustments that wait for a second person, and what each reading of the books found."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    tenant_table(
        "wallet.adjustments",
        f"""user_id uuid NOT NULL, amount_minor bigint NOT NULL, currency text NOT NULL, reason text NOT NULL,
        state text NOT NULL DEFAULT 'waiting', needs_second boolean NOT NULL, requested_by uuid, requested_at timestamptz NOT NULL DEFAULT now(),
        decided_by uuid, decided_at timestamptz, word text NOT NULL DEFAULT '',
        {belongs_to("user_id", "channels.members")}, {belongs_to("requested_by", "channels.members")}, {belongs_to("decided_by", "channels.members")},
        CONSTRAINT ck_adjustments_amount CHECK (amount_minor <> 0 AND abs(amount_minor) <= 1000000000000000),
        CONSTRAINT ck_adjustments_reason CHECK (length(reason) BETWEEN 1 AND 500 AND length(word) <= 500),
        CONSTRAINT ck_adjustments_state CHECK (state IN ('waiting', 'booked', 'refused', 'withdrawn')),
        CONSTRAINT ck_adjustments_decided CHECK ((state = 'waiting') = (decided_at IS NULL)),
        CONSTRAINT ck_adjustments_second CHECK (NOT needs_second OR state IN ('waiting', 'withdrawn')
            OR (requested_by IS NOT NULL AND decided_by IS NOT NULL AND decided_by <> requested_by)),
        CONSTRAINT ck_adjustments_currency CHECK (currency ~ '^[A-Z]{{3}}$')""",
        app="SELECT, INSERT",
    )
    sql(
        # Whose money, how much and why is said once; only what becomes of it changes.
        "GRANT UPDATE (state, decided_by, decided_at, word) ON wallet.adjustments TO lms_app",
        "CREATE INDEX ix_adjustments_waiting ON wallet.adjustments (channel_id, requested_at) WHERE state = 'waiting'",
        "CREATE INDEX ix_adjustments_person ON wallet.adjustments (channel_id, user_id, requested_at)",
        "CREATE INDEX ix_adjustments_alone ON wallet.adjustments (channel_id, requested_by, requested_at) WHERE NOT needs_second",
    )
    tenant_table(
        "wallet.readings",
        f"""asked_by uuid, asked_at timestamptz NOT NULL DEFAULT now(), done_at timestamptz, took_ms bigint, faults bigint, seq bigint,
        {belongs_to("asked_by", "channels.members")}""",
        app="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "wallet.differences",
        """subject text NOT NULL, sentence text NOT NULL, found_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz NOT NULL DEFAULT now(),
        gone_at timestamptz""",
        app="SELECT, INSERT",
    )
    sql(
        "GRANT UPDATE (seen_at, gone_at) ON wallet.differences TO lms_app",
        "CREATE INDEX ix_readings_asked ON wallet.readings (channel_id, asked_at, id)",
        "CREATE UNIQUE INDEX ix_differences_open ON wallet.differences (channel_id, subject, md5(sentence)) WHERE gone_at IS NULL",
    )


def downgrade() -> None:
    sql("DROP TABLE wallet.differences", "DROP TABLE wallet.readings", "DROP TABLE wallet.adjustments")
