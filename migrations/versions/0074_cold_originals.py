"""After how many days originals go to the cold place."""

from migrations.kit import sql

revision = "0074"
down_revision = "0073"


def upgrade() -> None:
    sql(
        "ALTER TABLE content.rules ADD COLUMN cold_after_days bigint",
        "ALTER TABLE content.rules ADD CONSTRAINT ck_rules_cold_after_days CHECK (cold_after_days BETWEEN 1 AND 3650) NOT VALID",
        "ALTER TABLE content.rules VALIDATE CONSTRAINT ck_rules_cold_after_days",
    )


def downgrade() -> None:
    sql("ALTER TABLE content.rules DROP COLUMN cold_after_days")
