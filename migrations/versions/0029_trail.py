"""The audit log is read for its chain and by what was done; every reading of the chain is kept."""

from migrations.kit import sql, tenant_table

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    tenant_table(
        "core.audit_checks",
        """asked_by uuid, asked_at timestamptz NOT NULL DEFAULT now(), done_at timestamptz, took_ms bigint, seq bigint, head text,
        faults jsonb NOT NULL DEFAULT '[]'""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE INDEX ix_audit_checks_asked ON core.audit_checks (channel_id, asked_at)",
        "CREATE INDEX ix_audit_action ON core.audit (channel_id, action, at)",
    )


def downgrade() -> None:
    sql("DROP INDEX core.ix_audit_action", "DROP TABLE core.audit_checks")
