"""A student gives a voucher: money or a course, paid from the wallet, mailed on a day. A batch nobody used can lie in the bin."""

from migrations.kit import APP, belongs_to, sql, tenant_table

revision = "0054"
down_revision = "0053"


def upgrade() -> None:
    tenant_table(
        "vouchers.gifts",
        f"""giver_id uuid NOT NULL, batch_id uuid NOT NULL, letter_id uuid NOT NULL, course_id uuid, amount_minor bigint NOT NULL,
        currency text NOT NULL, made_at timestamptz NOT NULL DEFAULT now(), cancelled_at timestamptz, cancelled_by uuid,
        {belongs_to("giver_id", "channels.members")}, {belongs_to("batch_id", "vouchers.batches")},
        {belongs_to("letter_id", "vouchers.letters")}, {belongs_to("course_id", "courses.courses")},
        {belongs_to("cancelled_by", "channels.members")},
        CONSTRAINT uq_gifts_channel_id_batch_id UNIQUE (channel_id, batch_id),
        CONSTRAINT ck_gifts_amount CHECK (amount_minor > 0), CONSTRAINT ck_gifts_currency CHECK (currency ~ '^[A-Z]{{3}}$')""",
        app="SELECT, INSERT",
    )
    sql(
        f"GRANT UPDATE (cancelled_at, cancelled_by) ON vouchers.gifts TO {APP}",
        "CREATE INDEX ix_gifts_giver ON vouchers.gifts (channel_id, giver_id, made_at)",
        "CREATE INDEX ix_gifts_made ON vouchers.gifts (channel_id, made_at, id)",
        "ALTER TABLE vouchers.batches ADD COLUMN is_gift boolean NOT NULL DEFAULT false, ADD COLUMN deleted_at timestamptz",
    )


def downgrade() -> None:
    sql("DROP TABLE vouchers.gifts", "ALTER TABLE vouchers.batches DROP COLUMN is_gift, DROP COLUMN deleted_at")
