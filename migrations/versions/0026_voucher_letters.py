"""Codes sent by mail, one to each address, and the alerts that vouchers put into the inbox."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    tenant_table(
        "vouchers.letters",
        f"""batch_id uuid NOT NULL, code_id uuid NOT NULL, email text NOT NULL, name text NOT NULL DEFAULT '', message text NOT NULL DEFAULT '',
        send_at timestamptz NOT NULL, sealed bytea, state text NOT NULL DEFAULT 'waiting', reason text NOT NULL DEFAULT '', mail_id uuid,
        sent_at timestamptz, made_by uuid, made_at timestamptz NOT NULL DEFAULT now(), {belongs_to("batch_id", "vouchers.batches")},
        {belongs_to("code_id", "vouchers.codes")},
        CONSTRAINT ck_letters_state CHECK (state IN ('waiting', 'sent', 'withheld')),
        CONSTRAINT ck_letters_sealed CHECK ((state = 'waiting') = (sealed IS NOT NULL)), CONSTRAINT ck_letters_email CHECK (length(email) <= 254)""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE INDEX ix_letters_batch ON vouchers.letters (channel_id, batch_id, made_at)",
        "CREATE UNIQUE INDEX uq_letters_code ON vouchers.letters (channel_id, code_id) WHERE state <> 'withheld'",
        "CREATE INDEX ix_letters_due ON vouchers.letters (channel_id, send_at) WHERE state = 'waiting'",
        "CREATE INDEX ix_letters_mail ON vouchers.letters (channel_id, mail_id) WHERE mail_id IS NOT NULL",
    )
    tenant_table(
        "vouchers.alerts",
        f"""cause text NOT NULL, batch_id uuid, detail text NOT NULL DEFAULT '', raised_at timestamptz NOT NULL DEFAULT now(),
        settled_at timestamptz, settled_by uuid, ended_at timestamptz, {belongs_to("batch_id", "vouchers.batches")},
        CONSTRAINT ck_alerts_cause CHECK (cause IN ('low', 'expiring', 'guessing'))""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE UNIQUE INDEX uq_alerts_running ON vouchers.alerts (channel_id, cause, batch_id) NULLS NOT DISTINCT WHERE ended_at IS NULL",
        "CREATE INDEX ix_alerts_open ON vouchers.alerts (channel_id, raised_at) WHERE settled_at IS NULL",
    )


def downgrade() -> None:
    sql("DROP TABLE vouchers.letters", "DROP TABLE vouchers.alerts")
