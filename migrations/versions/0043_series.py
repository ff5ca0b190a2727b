"""Live classes that repeat, and private calendars of them."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    tenant_table(
        "streaming.series",
        f"""course_id uuid NOT NULL, every text NOT NULL, zone text NOT NULL, times bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_series_every CHECK (every IN ('day', 'week', 'fortnight', 'month')),
        CONSTRAINT ck_series_times CHECK (times BETWEEN 2 AND 52),
        {belongs_to("course_id", "courses.courses")}""",
    )
    sql(
        "ALTER TABLE streaming.sessions ADD COLUMN series_id uuid, ADD COLUMN series_number bigint",
        f"ALTER TABLE streaming.sessions ADD {belongs_to('series_id', 'streaming.series')} NOT VALID",
        "ALTER TABLE streaming.sessions VALIDATE CONSTRAINT fk_series_id_streaming_series",
        "CREATE INDEX ix_sessions_series ON streaming.sessions (channel_id, series_id, series_number) WHERE series_id IS NOT NULL",
    )
    tenant_table(
        "streaming.feeds",
        f"""user_id uuid NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), revoked_at timestamptz,
        {belongs_to("user_id", "channels.members")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql("CREATE UNIQUE INDEX uq_feeds_standing ON streaming.feeds (channel_id, user_id) WHERE revoked_at IS NULL")


def downgrade() -> None:
    sql(
        "DROP TABLE streaming.feeds",
        "ALTER TABLE streaming.sessions DROP COLUMN series_id, DROP COLUMN series_number",
        "DROP TABLE streaming.series",
    )
