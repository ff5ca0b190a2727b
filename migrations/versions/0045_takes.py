"""Classes held in the browser: takes as they come in, the recording they become, moments worth finding again; how long recordings stay."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    sql(
        "ALTER TABLE streaming.sessions DROP CONSTRAINT ck_sessions_provider",
        "ALTER TABLE streaming.sessions ADD CONSTRAINT ck_sessions_provider"
        " CHECK (provider IN ('link', 'browser', 'rtmp', 'webhook')) NOT VALID",
        "ALTER TABLE streaming.sessions VALIDATE CONSTRAINT ck_sessions_provider",
        "ALTER TABLE courses.lessons ADD COLUMN session_id uuid",
        "CREATE INDEX ix_lessons_session ON courses.lessons (channel_id, session_id) WHERE session_id IS NOT NULL",
    )
    tenant_table(
        "streaming.takes",
        f"""session_id uuid NOT NULL, number bigint NOT NULL, mime text NOT NULL, begun_at timestamptz NOT NULL,
        ended_at timestamptz, seconds double precision, created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_takes_channel_id_session_id_number UNIQUE (channel_id, session_id, number),
        {belongs_to("session_id", "streaming.sessions")}""",
    )
    tenant_table(
        "streaming.recordings",
        f"""session_id uuid NOT NULL, source text NOT NULL, state text NOT NULL, reason text NOT NULL DEFAULT '',
        asset_id uuid, lesson_id uuid, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_recordings_state CHECK (state IN ('waiting', 'processing', 'ready', 'failed', 'missing', 'gone')),
        CONSTRAINT uq_recordings_channel_id_session_id UNIQUE (channel_id, session_id),
        {belongs_to("session_id", "streaming.sessions")}, {belongs_to("asset_id", "content.assets")},
        {belongs_to("lesson_id", "courses.lessons")}""",
    )
    sql("CREATE INDEX ix_recordings_asset ON streaming.recordings (channel_id, asset_id) WHERE asset_id IS NOT NULL")
    tenant_table(
        "streaming.moments",
        f"""session_id uuid NOT NULL, at timestamptz NOT NULL, title text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
        {belongs_to("session_id", "streaming.sessions")}""",
    )
    sql("CREATE INDEX ix_moments_session ON streaming.moments (channel_id, session_id, at)")


def downgrade() -> None:
    sql(
        "DROP TABLE streaming.moments",
        "DROP TABLE streaming.recordings",
        "DROP TABLE streaming.takes",
        "ALTER TABLE courses.lessons DROP COLUMN session_id",
        "ALTER TABLE streaming.sessions DROP CONSTRAINT ck_sessions_provider",
        "ALTER TABLE streaming.sessions ADD CONSTRAINT ck_sessions_provider CHECK (provider IN ('link'))",
    )
