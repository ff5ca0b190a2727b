"""Looking at the pages as somebody else: who, as whom, why, how long."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    tenant_table(
        "channels.viewings",
        f"""viewer_id uuid NOT NULL, user_id uuid NOT NULL, reason text NOT NULL, started_at timestamptz NOT NULL DEFAULT now(),
        ends_at timestamptz NOT NULL, ended_at timestamptz, pages bigint NOT NULL DEFAULT 0,
        CONSTRAINT ck_viewings_times CHECK (ends_at > started_at AND pages >= 0),
        {belongs_to("viewer_id", "channels.members")}, {belongs_to("user_id", "channels.members")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE INDEX ix_viewings_person ON channels.viewings (channel_id, user_id, started_at)",
        "CREATE INDEX ix_viewings_running ON channels.viewings (channel_id, viewer_id) WHERE ended_at IS NULL",
    )


def downgrade() -> None:
    sql("DROP TABLE channels.viewings")
