"""What outside rooms report: receipts stored first, and the joins and leaves they tell of."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    tenant_table(
        "streaming.receipts",
        """event_id text NOT NULL, body jsonb NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), done_at timestamptz,
        reason text NOT NULL DEFAULT '', CONSTRAINT uq_receipts_channel_id_event_id UNIQUE (channel_id, event_id)""",
        app="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "streaming.signals",
        f"""session_id uuid NOT NULL, user_id uuid NOT NULL, receipt_id uuid NOT NULL, kind text NOT NULL, at timestamptz NOT NULL,
        CONSTRAINT ck_signals_kind CHECK (kind IN ('join', 'leave')),
        CONSTRAINT uq_signals_channel_id_receipt_id UNIQUE (channel_id, receipt_id),
        {belongs_to("session_id", "streaming.sessions")}, {belongs_to("user_id", "channels.members")},
        {belongs_to("receipt_id", "streaming.receipts")}""",
        app="SELECT, INSERT",
    )
    sql("CREATE INDEX ix_signals_session ON streaming.signals (channel_id, session_id, user_id, at)")


def downgrade() -> None:
    sql("DROP TABLE streaming.signals", "DROP TABLE streaming.receipts")
