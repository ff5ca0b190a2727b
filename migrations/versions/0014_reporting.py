"""Saved views, schedules and their runs, downloads, figures by day, and who was here on it."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    schema("reporting")
    tenant_table(
        "reporting.views",
        f"""user_id uuid NOT NULL, report text NOT NULL, title text NOT NULL, query text NOT NULL DEFAULT '', path text NOT NULL DEFAULT '',
        is_shared boolean NOT NULL DEFAULT false, is_default boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz, {belongs_to("user_id", "channels.members")}""",
    )
    tenant_table(
        "reporting.schedules",
        f"""view_id uuid NOT NULL, user_id uuid NOT NULL, cadence text NOT NULL DEFAULT 'weekly', weekday bigint NOT NULL DEFAULT 0,
        month_day bigint NOT NULL DEFAULT 1, hour bigint NOT NULL DEFAULT 8, zone text NOT NULL, recipients jsonb NOT NULL DEFAULT '[]',
        format text NOT NULL DEFAULT 'csv', only_if_rows boolean NOT NULL DEFAULT false, is_on boolean NOT NULL DEFAULT true,
        next_run_at timestamptz NOT NULL, last_run_at timestamptz, stopped_because text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_schedules_cadence CHECK (cadence IN ('daily', 'weekly', 'monthly')),
        CONSTRAINT ck_schedules_when CHECK (weekday BETWEEN 0 AND 6 AND month_day BETWEEN 1 AND 31 AND hour BETWEEN 0 AND 23),
        CONSTRAINT ck_schedules_format CHECK (format IN ('csv', 'xlsx')),
        {belongs_to("view_id", "reporting.views", on_delete="CASCADE")}, {belongs_to("user_id", "channels.members")}""",
    )
    tenant_table(
        "reporting.runs",
        f"""schedule_id uuid NOT NULL, due_at timestamptz NOT NULL, state text NOT NULL DEFAULT 'waiting', made_at timestamptz,
        row_count bigint, checksum text NOT NULL DEFAULT '', key text NOT NULL DEFAULT '', filename text NOT NULL DEFAULT '',
        size bigint NOT NULL DEFAULT 0, mail_count bigint NOT NULL DEFAULT 0, failure text NOT NULL DEFAULT '',
        CONSTRAINT ck_runs_state CHECK (state IN ('waiting', 'sent', 'empty', 'failed')),
        {belongs_to("schedule_id", "reporting.schedules", on_delete="CASCADE")},
        CONSTRAINT uq_runs_channel_id_schedule_id_due_at UNIQUE (channel_id, schedule_id, due_at)""",
    )
    tenant_table(
        "reporting.downloads",
        f"""user_id uuid NOT NULL, report text NOT NULL, query text NOT NULL DEFAULT '', format text NOT NULL DEFAULT 'csv',
        zone text NOT NULL DEFAULT 'UTC', locale text NOT NULL DEFAULT 'en', state text NOT NULL DEFAULT 'waiting', job_id uuid, row_count bigint,
        checksum text NOT NULL DEFAULT '', key text NOT NULL DEFAULT '', filename text NOT NULL DEFAULT '', size bigint NOT NULL DEFAULT 0,
        failure text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(), ready_at timestamptz, expires_at timestamptz NOT NULL,
        CONSTRAINT ck_downloads_state CHECK (state IN ('waiting', 'ready', 'failed', 'expired')),
        CONSTRAINT ck_downloads_format CHECK (format IN ('csv', 'xlsx')), {belongs_to("user_id", "channels.members")}""",
    )
    tenant_table(
        "reporting.daily",
        """day date NOT NULL, metric text NOT NULL, dimension text NOT NULL DEFAULT '', currency text NOT NULL DEFAULT '', value bigint NOT NULL,
        counted_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_daily_channel_id_day_metric_dimension_currency UNIQUE (channel_id, day, metric, dimension, currency)""",
    )
    tenant_table(
        "reporting.presences",
        f"""day date NOT NULL, user_id uuid NOT NULL, {belongs_to("user_id", "channels.members")},
        CONSTRAINT uq_presences_channel_id_day_user_id UNIQUE (channel_id, day, user_id)""",
    )
    sql(
        "CREATE UNIQUE INDEX uq_views_title ON reporting.views (channel_id, user_id, report, title) WHERE deleted_at IS NULL",
        "CREATE UNIQUE INDEX uq_views_default ON reporting.views (channel_id, user_id, report) WHERE is_default AND deleted_at IS NULL",
        "CREATE INDEX ix_views_report ON reporting.views (channel_id, report)",
        "CREATE INDEX ix_schedules_due ON reporting.schedules (channel_id, next_run_at) WHERE is_on",
        "CREATE INDEX ix_schedules_view ON reporting.schedules (channel_id, view_id)",
        "CREATE INDEX ix_runs_made ON reporting.runs (channel_id, made_at)",
        "CREATE INDEX ix_downloads_person ON reporting.downloads (channel_id, user_id, created_at)",
        "CREATE INDEX ix_downloads_expires ON reporting.downloads (channel_id, expires_at)",
        "CREATE INDEX ix_daily_metric ON reporting.daily (channel_id, metric, day)",
    )


def downgrade() -> None:
    drop_schema("reporting")
