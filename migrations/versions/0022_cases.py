"""Cases: what people reported and a moderator has not settled yet."""

from migrations.kit import sql, tenant_table

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    tenant_table(
        "community.cases",
        """kind text NOT NULL CONSTRAINT ck_cases_kind CHECK (kind IN ('message')), target_id uuid NOT NULL, place_id uuid NOT NULL,
        reports bigint NOT NULL DEFAULT 1, reason text NOT NULL DEFAULT '', opened_at timestamptz NOT NULL DEFAULT now(),
        settled_at timestamptz, settled_by uuid,
        CONSTRAINT uq_cases_channel_id_kind_target_id UNIQUE (channel_id, kind, target_id)""",
        app="SELECT, INSERT, UPDATE",
    )
    sql("CREATE INDEX ix_cases_open ON community.cases (channel_id, opened_at) WHERE settled_at IS NULL")


def downgrade() -> None:
    sql("DROP TABLE community.cases")
