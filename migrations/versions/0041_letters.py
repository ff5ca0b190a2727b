"""The academy's own words for its mails, and addresses that mails come back from."""

from migrations.kit import sql, tenant_table

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    tenant_table(
        "notifications.templates",
        """message text NOT NULL, subject text NOT NULL, body text NOT NULL, changed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_templates_channel_id_message UNIQUE (channel_id, message)""",
    )
    tenant_table(
        "notifications.bounces",
        """address text NOT NULL, reason text NOT NULL, mail_id uuid, at timestamptz NOT NULL DEFAULT now(), cleared_at timestamptz,
        cleared_by uuid""",
    )
    sql(
        "CREATE UNIQUE INDEX uq_bounces_standing ON notifications.bounces (channel_id, address) WHERE cleared_at IS NULL",
        "CREATE INDEX ix_bounces_at ON notifications.bounces (channel_id, at, id)",
    )


def downgrade() -> None:
    sql("DROP TABLE notifications.bounces", "DROP TABLE notifications.templates")
