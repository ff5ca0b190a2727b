"""What a seal of the audit log covers: those from now on the names of who did it and of what it was done to as well (2)."""

from migrations.kit import sql

revision = "0069"
down_revision = "0068"


def upgrade() -> None:
    sql("ALTER TABLE core.audit_seals ADD COLUMN covers smallint NOT NULL DEFAULT 1")


def downgrade() -> None:
    sql("ALTER TABLE core.audit_seals DROP COLUMN covers")
