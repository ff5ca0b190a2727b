"""What files cost: processor time and room by month, bytes that players took, and an academy's prices in millionths of its currency."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0075"
down_revision = "0074"

PRICES = ("price_hour", "price_stored", "price_cold", "price_given")


def upgrade() -> None:
    for price in PRICES:
        sql(
            f"ALTER TABLE content.rules ADD COLUMN {price} bigint",
            f"ALTER TABLE content.rules ADD CONSTRAINT ck_rules_{price} CHECK ({price} BETWEEN 0 AND 1000000000000) NOT VALID",
            f"ALTER TABLE content.rules VALIDATE CONSTRAINT ck_rules_{price}",
        )
    tenant_table(
        "content.spent",
        f"""asset_id uuid NOT NULL, month date NOT NULL, cpu_ms bigint NOT NULL DEFAULT 0, made_ms bigint NOT NULL DEFAULT 0,
        given_bytes bigint NOT NULL DEFAULT 0, original_days bigint NOT NULL DEFAULT 0, cold_days bigint NOT NULL DEFAULT 0,
        made_days bigint NOT NULL DEFAULT 0, weighed_on date,
        CONSTRAINT uq_spent_channel_id_asset_id_month UNIQUE (channel_id, asset_id, month),
        CONSTRAINT ck_spent_not_negative CHECK (cpu_ms >= 0 AND made_ms >= 0 AND given_bytes >= 0),
        {belongs_to("asset_id", "content.assets", on_delete="CASCADE")}""",
    )
    sql(
        "CREATE INDEX ix_spent_month ON content.spent (channel_id, month)",
        "ALTER TABLE enrollments.watch_days ADD COLUMN bytes bigint NOT NULL DEFAULT 0",
    )


def downgrade() -> None:
    sql("ALTER TABLE enrollments.watch_days DROP COLUMN bytes", "DROP TABLE content.spent")
    for price in PRICES:
        sql(f"ALTER TABLE content.rules DROP COLUMN {price}")
