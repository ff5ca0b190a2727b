"""The kernel's tables: diary, outbox, audit, slots, mails, idempotency keys."""

from migrations.kit import append_only, belongs_to, drop_schema, platform_table, schema, sql, tenant_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema("core")
    sql(
        """
        CREATE FUNCTION core.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$
        """
    )
    tenant_table(
        "core.events",
        "name text NOT NULL, actor_id uuid, payload jsonb NOT NULL, happened_at timestamptz NOT NULL DEFAULT now()",
        app="SELECT, INSERT",
    )
    sql(
        "CREATE INDEX ix_events_name ON core.events (channel_id, name, happened_at)",
        "CREATE INDEX ix_events_at ON core.events (channel_id, happened_at)",
    )
    append_only("core.events")
    tenant_table(
        "core.outbox",
        """task text NOT NULL, payload jsonb NOT NULL, queue text NOT NULL, key text, event_id uuid,
        created_at timestamptz NOT NULL DEFAULT now(), run_at timestamptz NOT NULL DEFAULT now(),
        attempts bigint NOT NULL DEFAULT 0, tries bigint NOT NULL DEFAULT 5, lease_seconds bigint NOT NULL DEFAULT 60,
        lease_until timestamptz, lease_token uuid, started_at timestamptz, done_at timestamptz, dead_at timestamptz, error text, progress jsonb""",
        platform="SELECT, INSERT, UPDATE, DELETE",
    )
    sql(
        "CREATE INDEX ix_outbox_due ON core.outbox (run_at) WHERE done_at IS NULL AND dead_at IS NULL",
        "CREATE UNIQUE INDEX ix_outbox_key ON core.outbox (channel_id, key) WHERE key IS NOT NULL AND done_at IS NULL AND dead_at IS NULL",
        "CREATE INDEX ix_outbox_dead ON core.outbox (channel_id, dead_at) WHERE dead_at IS NOT NULL",
        "CREATE INDEX ix_outbox_made ON core.outbox (channel_id, created_at)",
        "CREATE INDEX ix_outbox_id ON core.outbox (id)",
    )
    tenant_table(
        "core.audit",
        """at timestamptz NOT NULL DEFAULT now(), actor_id uuid, actor_kind text NOT NULL, actor_name text NOT NULL, action text NOT NULL,
        target_kind text NOT NULL, target_id uuid, target_name text NOT NULL, before jsonb, after jsonb, request_id text""",
        app="SELECT, INSERT",
        platform="SELECT",
    )
    sql(
        "CREATE INDEX ix_audit_at ON core.audit (channel_id, at)",
        "CREATE INDEX ix_audit_target ON core.audit (channel_id, target_kind, target_id, at)",
        "CREATE INDEX ix_audit_actor ON core.audit (channel_id, actor_id, at)",
    )
    append_only("core.audit")
    tenant_table(
        "core.audit_seals",
        f"""seq bigint NOT NULL, audit_id uuid NOT NULL, hash bytea NOT NULL, {belongs_to("audit_id", "core.audit")},
        CONSTRAINT uq_audit_seals_channel_id_seq UNIQUE (channel_id, seq),
        CONSTRAINT uq_audit_seals_channel_id_audit_id UNIQUE (channel_id, audit_id)""",
        app="SELECT",
        platform="SELECT, INSERT",
    )
    append_only("core.audit_seals")
    platform_table(
        "core.slots",
        "task text NOT NULL, slot_time timestamptz NOT NULL, taken_at timestamptz NOT NULL DEFAULT now(), CONSTRAINT pk_slots PRIMARY KEY (task, slot_time)",
        app="SELECT",
    )
    tenant_table(
        "core.mails",
        """to_address text NOT NULL, to_user_id uuid, template text NOT NULL, subject text NOT NULL, body_text text NOT NULL,
        body_html text NOT NULL, attachments jsonb NOT NULL DEFAULT '[]', is_secret boolean NOT NULL DEFAULT false,
        state text NOT NULL DEFAULT 'queued', created_at timestamptz NOT NULL DEFAULT now(), sent_at timestamptz, error text,
        CONSTRAINT ck_mails_state CHECK (state IN ('queued', 'sent', 'failed', 'withheld'))""",
    )
    sql(
        "CREATE INDEX ix_mails_at ON core.mails (channel_id, created_at)",
        "CREATE INDEX ix_mails_to ON core.mails (channel_id, to_address, created_at)",
    )
    tenant_table(
        "core.idempotency_keys",
        """user_id uuid NOT NULL, route text NOT NULL, key text NOT NULL, fingerprint text NOT NULL, status bigint, reply text, location text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_idempotency_keys_channel_id_user_id_route_key UNIQUE (channel_id, user_id, route, key)""",
    )


def downgrade() -> None:
    drop_schema("core")
