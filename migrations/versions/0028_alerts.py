"""Schedules of any cadence, mails only when something changed, and alerts that speak once when a list grows past a number."""

from migrations.kit import sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    sql(
        "ALTER TABLE reporting.schedules ADD COLUMN days jsonb NOT NULL DEFAULT '[]', ADD COLUMN every bigint NOT NULL DEFAULT 1,"
        " ADD COLUMN anchor_on date NOT NULL DEFAULT '2026-01-05', ADD COLUMN only_if_changed boolean NOT NULL DEFAULT false,"
        " ADD COLUMN above bigint, ADD COLUMN is_true boolean NOT NULL DEFAULT false, ADD COLUMN last_checksum text NOT NULL DEFAULT '',"
        " DROP CONSTRAINT ck_schedules_cadence,"
        " ADD CONSTRAINT ck_schedules_cadence CHECK (cadence IN ('hourly', 'daily', 'weekdays', 'weekly', 'monthly')),"
        " ADD CONSTRAINT ck_schedules_every CHECK (every BETWEEN 1 AND 52 AND (above IS NULL OR above >= 0))",
        "ALTER TABLE reporting.runs DROP CONSTRAINT ck_runs_state,"
        " ADD CONSTRAINT ck_runs_state CHECK (state IN ('waiting', 'sent', 'empty', 'unchanged', 'quiet', 'failed'))",
    )


def downgrade() -> None:
    sql(
        "UPDATE reporting.runs SET state = 'empty' WHERE state IN ('unchanged', 'quiet')",
        "UPDATE reporting.schedules SET cadence = 'daily' WHERE cadence IN ('hourly', 'weekdays')",
        "ALTER TABLE reporting.runs DROP CONSTRAINT ck_runs_state,"
        " ADD CONSTRAINT ck_runs_state CHECK (state IN ('waiting', 'sent', 'empty', 'failed'))",
        "ALTER TABLE reporting.schedules DROP CONSTRAINT ck_schedules_every, DROP CONSTRAINT ck_schedules_cadence,"
        " ADD CONSTRAINT ck_schedules_cadence CHECK (cadence IN ('daily', 'weekly', 'monthly')), DROP COLUMN days, DROP COLUMN every,"
        " DROP COLUMN anchor_on, DROP COLUMN only_if_changed, DROP COLUMN above, DROP COLUMN is_true, DROP COLUMN last_checksum",
    )
