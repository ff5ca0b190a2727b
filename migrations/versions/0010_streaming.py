"""Live sessions and the visits paid to them."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    schema("streaming")
    tenant_table(
        "streaming.sessions",
        f"""course_id uuid NOT NULL, host_id uuid NOT NULL, title text NOT NULL, description text NOT NULL DEFAULT '',
        starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, state text NOT NULL DEFAULT 'scheduled',
        provider text NOT NULL DEFAULT 'link', join_url text NOT NULL DEFAULT '',
        opened_at timestamptz, started_at timestamptz, ended_at timestamptz, cancelled_at timestamptz,
        cancel_reason text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(), version bigint NOT NULL DEFAULT 1,
        CONSTRAINT ck_sessions_state CHECK (state IN ('scheduled', 'open', 'live', 'ended', 'recorded', 'cancelled')),
        CONSTRAINT ck_sessions_times CHECK (ends_at > starts_at),
        CONSTRAINT ck_sessions_provider CHECK (provider IN ('link')),
        {belongs_to("course_id", "courses.courses")}, {belongs_to("host_id", "channels.members")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE INDEX ix_sessions_starts ON streaming.sessions (channel_id, starts_at, id)",
        "CREATE INDEX ix_sessions_course ON streaming.sessions (channel_id, course_id, starts_at)",
        "CREATE INDEX ix_sessions_host ON streaming.sessions (channel_id, host_id, starts_at)",
        "CREATE INDEX ix_sessions_running ON streaming.sessions (starts_at) WHERE state IN ('scheduled', 'open', 'live')",
    )
    tenant_table(
        "streaming.visits",
        f"""session_id uuid NOT NULL, user_id uuid NOT NULL, source text NOT NULL,
        joined_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz NOT NULL DEFAULT now(), left_at timestamptz,
        CONSTRAINT ck_visits_source CHECK (source IN ('page', 'chat', 'provider')),
        CONSTRAINT ck_visits_seen_at CHECK (seen_at >= joined_at),
        {belongs_to("session_id", "streaming.sessions")}, {belongs_to("user_id", "channels.members")}""",
    )
    sql(
        "CREATE INDEX ix_visits_session ON streaming.visits (channel_id, session_id, user_id, joined_at)",
        "CREATE INDEX ix_visits_person ON streaming.visits (channel_id, user_id, joined_at)",
    )


def downgrade() -> None:
    drop_schema("streaming")
