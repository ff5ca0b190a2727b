"""How an academy's videos may be watched: on how many screens at once, and whether the viewer's address stands over them."""

from migrations.kit import sql, tenant_table

revision = "0063"
down_revision = "0062"


def upgrade() -> None:
    tenant_table(
        "content.rules",
        """most_screens bigint, has_watermark boolean NOT NULL DEFAULT false,
        CONSTRAINT ck_rules_most_screens CHECK (most_screens BETWEEN 1 AND 20),
        CONSTRAINT uq_rules_channel_id UNIQUE (channel_id)""",
        app="SELECT, INSERT, UPDATE",
    )


def downgrade() -> None:
    sql("DROP TABLE content.rules")
