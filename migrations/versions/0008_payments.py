"""Orders: what was bought, at which frozen price, how it was paid.

Payments keep to their own schema and know courses by id and by the title frozen in the order, so that the schema can move to a
database of its own; money has moved only where the ledger says so.
"""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    schema("payments")
    tenant_table(
        "payments.orders",
        f"""user_id uuid NOT NULL, course_id uuid NOT NULL, title text NOT NULL DEFAULT '', amount_minor bigint NOT NULL, currency text NOT NULL,
        status text NOT NULL DEFAULT 'pending', method text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), paid_at timestamptz,
        refunded_at timestamptz, closed_at timestamptz, version bigint NOT NULL DEFAULT 1, {belongs_to("user_id", "channels.members")},
        CONSTRAINT ck_orders_status CHECK (status IN ('pending', 'paid', 'refunded', 'cancelled')),
        CONSTRAINT ck_orders_method CHECK (method IN ('wallet', 'free', 'card', 'manual')),
        CONSTRAINT ck_orders_amount CHECK (amount_minor >= 0 AND (method <> 'free' OR amount_minor = 0) AND (method <> 'wallet' OR amount_minor > 0)),
        CONSTRAINT ck_orders_paid CHECK (status NOT IN ('paid', 'refunded') OR paid_at IS NOT NULL),
        CONSTRAINT ck_orders_currency CHECK (currency ~ '^[A-Z]{{3}}$')""",
        app="SELECT, INSERT",
    )
    sql(
        # What was bought by whom for how much is frozen; only what becomes of the order changes.
        "GRANT UPDATE (status, paid_at, refunded_at, closed_at, version) ON payments.orders TO lms_app",
        "CREATE UNIQUE INDEX ix_orders_live ON payments.orders (channel_id, user_id, course_id)"
        " WHERE status IN ('pending', 'paid') AND closed_at IS NULL",
        "CREATE INDEX ix_orders_created ON payments.orders (channel_id, created_at, id)",
        "CREATE INDEX ix_orders_course ON payments.orders (channel_id, course_id, status)",
    )


def downgrade() -> None:
    drop_schema("payments")
