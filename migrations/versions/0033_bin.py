"""The recycle bin: what was deleted stays for thirty days, with who and when."""

from migrations.kit import sql, tenant_table

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    tenant_table(
        "core.bin",
        """kind text NOT NULL, target_id uuid NOT NULL, title text NOT NULL, kept jsonb NOT NULL DEFAULT '{}',
        deleted_at timestamptz NOT NULL DEFAULT now(), deleted_by uuid, deleted_by_name text NOT NULL DEFAULT '',
        ended_at timestamptz, ended_by uuid, outcome text NOT NULL DEFAULT '',
        CONSTRAINT ck_bin_outcome CHECK (outcome IN ('', 'restored', 'purged') AND (outcome = '') = (ended_at IS NULL))""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE INDEX ix_bin_deleted ON core.bin (channel_id, deleted_at, id) WHERE ended_at IS NULL",
        "CREATE UNIQUE INDEX ix_bin_target ON core.bin (channel_id, kind, target_id) WHERE ended_at IS NULL",
        "CREATE INDEX ix_bin_ended ON core.bin (channel_id, kind, target_id, outcome)",
    )


def downgrade() -> None:
    sql("DROP TABLE core.bin")
