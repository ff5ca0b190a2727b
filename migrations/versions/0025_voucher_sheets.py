"""Sheets of voucher cards: made by a worker, kept encrypted for the hour of the one-time download."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    tenant_table(
        "vouchers.sheets",
        f"""batch_id uuid NOT NULL, layout text NOT NULL, words jsonb NOT NULL DEFAULT '{{}}', file_count bigint NOT NULL,
        done bigint NOT NULL DEFAULT 0, failure text NOT NULL DEFAULT '', made_by uuid, made_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL, {belongs_to("batch_id", "vouchers.batches")},
        CONSTRAINT ck_sheets_layout CHECK (layout IN ('cards8', 'cards10', 'cards24', 'list')),
        CONSTRAINT ck_sheets_done CHECK (done BETWEEN 0 AND file_count)""",
        app="SELECT, INSERT, UPDATE, DELETE",
    )
    sql("CREATE INDEX ix_sheets_batch ON vouchers.sheets (channel_id, batch_id, made_at)")


def downgrade() -> None:
    sql("DROP TABLE vouchers.sheets")
