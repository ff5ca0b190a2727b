"""For how long an academy keeps recordings of live classes."""

from migrations.kit import sql, tenant_table

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    tenant_table(
        "streaming.rules",
        """keep_days bigint, CONSTRAINT uq_rules_channel_id UNIQUE (channel_id),
        CONSTRAINT ck_rules_keep_days CHECK (keep_days BETWEEN 7 AND 3650)""",
        app="SELECT, INSERT, UPDATE",
    )


def downgrade() -> None:
    sql("DROP TABLE streaming.rules")
