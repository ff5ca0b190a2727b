"""Refunds to the wallet, what an order has given back, and which refund ended an enrolment."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    sql(
        "ALTER TABLE payments.orders ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0",
        "ALTER TABLE payments.orders ADD CONSTRAINT ck_orders_refunded CHECK (refunded_minor BETWEEN 0 AND amount_minor) NOT VALID",
        "ALTER TABLE payments.orders VALIDATE CONSTRAINT ck_orders_refunded",
        "GRANT UPDATE (refunded_minor) ON payments.orders TO lms_app",
    )
    tenant_table(
        "payments.refunds",
        f"""order_id uuid NOT NULL, user_id uuid NOT NULL, amount_minor bigint NOT NULL, currency text NOT NULL, reason text NOT NULL,
        ends_access boolean NOT NULL, was_closed boolean NOT NULL, state text NOT NULL DEFAULT 'applied',
        refunded_at timestamptz NOT NULL DEFAULT now(), refunded_by uuid, undone_at timestamptz, undone_by uuid,
        {belongs_to("order_id", "payments.orders")}, {belongs_to("user_id", "channels.members")},
        {belongs_to("refunded_by", "channels.members")}, {belongs_to("undone_by", "channels.members")},
        CONSTRAINT ck_refunds_amount CHECK (amount_minor > 0), CONSTRAINT ck_refunds_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
        CONSTRAINT ck_refunds_reason CHECK (length(reason) BETWEEN 1 AND 500),
        CONSTRAINT ck_refunds_state CHECK (state IN ('applied', 'undone') AND (state = 'undone') = (undone_at IS NOT NULL))""",
        app="SELECT, INSERT",
    )
    sql(
        "GRANT UPDATE (state, undone_at, undone_by) ON payments.refunds TO lms_app",
        "CREATE INDEX ix_refunds_order ON payments.refunds (channel_id, order_id, refunded_at)",
        "CREATE INDEX ix_refunds_at ON payments.refunds (channel_id, refunded_at, id)",
        "ALTER TABLE enrollments.enrollments ADD COLUMN refund_id uuid",
        f"ALTER TABLE enrollments.enrollments ADD {belongs_to('refund_id', 'payments.refunds')} NOT VALID",
        "ALTER TABLE enrollments.enrollments VALIDATE CONSTRAINT fk_refund_id_payments_refunds",
        "CREATE INDEX ix_enrollments_order ON enrollments.enrollments (channel_id, order_id) WHERE order_id IS NOT NULL",
    )


def downgrade() -> None:
    sql(
        "DROP INDEX enrollments.ix_enrollments_order",
        "ALTER TABLE enrollments.enrollments DROP COLUMN refund_id",
        "DROP TABLE payments.refunds",
        "ALTER TABLE payments.orders DROP COLUMN refunded_minor",
    )
