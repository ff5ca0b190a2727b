"""Channels, their hosts and their members; a member's id is the person's account id."""

from migrations.kit import APP, PLATFORM, THIS_CHANNEL, drop_schema, platform_table, schema, sql, tenant_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    schema("channels")
    platform_table(
        "channels.channels",
        """id uuid NOT NULL CONSTRAINT pk_channels PRIMARY KEY, slug text NOT NULL CONSTRAINT uq_channels_slug UNIQUE,
        name text NOT NULL, tagline text NOT NULL DEFAULT '', currency text NOT NULL DEFAULT 'EUR', locale text NOT NULL DEFAULT 'en', zone text NOT NULL DEFAULT 'UTC',
        theme jsonb NOT NULL DEFAULT '{}', settings jsonb NOT NULL DEFAULT '{}', version bigint NOT NULL DEFAULT 1,
        status text NOT NULL DEFAULT 'open' CONSTRAINT ck_channels_status CHECK (status IN ('open', 'suspended', 'closed')),
        is_demo boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now()""",
        app="SELECT, UPDATE",
    )
    platform_table(
        "channels.domains",
        """host text NOT NULL CONSTRAINT pk_domains PRIMARY KEY,
        channel_id uuid NOT NULL CONSTRAINT fk_domains_channel_id REFERENCES channels.channels (id), verified_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()""",
        app="SELECT",
    )
    for table, column in (("channels.channels", "id"), ("channels.domains", "channel_id")):
        sql(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY platform ON {table} TO {PLATFORM} USING (true) WITH CHECK (true)",
            f"CREATE POLICY channel ON {table} TO {APP} USING ({column} = {THIS_CHANNEL}) WITH CHECK ({column} = {THIS_CHANNEL})",
        )
    tenant_table(
        "channels.members",
        """name text NOT NULL, email text NOT NULL, role text NOT NULL CONSTRAINT ck_members_role CHECK (role IN ('student', 'instructor', 'admin', 'owner')),
        status text NOT NULL DEFAULT 'active' CONSTRAINT ck_members_status CHECK (status IN ('invited', 'active', 'suspended', 'deleted')),
        title text NOT NULL DEFAULT '', bio text NOT NULL DEFAULT '', avatar_key text, phone text NOT NULL DEFAULT '', note text NOT NULL DEFAULT '',
        joined_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz, version bigint NOT NULL DEFAULT 1,
        CONSTRAINT fk_members_id FOREIGN KEY (id) REFERENCES auth.users (id),
        CONSTRAINT fk_members_channel_id FOREIGN KEY (channel_id) REFERENCES channels.channels (id)""",
    )
    sql(
        "CREATE INDEX ix_members_name ON channels.members (channel_id, lower(name), id)",
        "CREATE INDEX ix_members_email ON channels.members (channel_id, lower(email))",
        "CREATE INDEX ix_members_joined ON channels.members (channel_id, joined_at, id)",
        "CREATE INDEX ix_members_role ON channels.members (channel_id, role, joined_at)",
        "CREATE INDEX ix_members_person ON channels.members (id)",
        # An account is visible to a channel once its person is a member there.
        f"CREATE POLICY member ON auth.users TO {APP} USING (EXISTS (SELECT 1 FROM channels.members m WHERE m.id = users.id))",
        f"CREATE POLICY newcomer ON auth.users FOR INSERT TO {APP} WITH CHECK (status = 'active')",
    )
    tenant_table(
        "channels.preferences",
        """user_id uuid NOT NULL, name text NOT NULL, value jsonb NOT NULL,
        CONSTRAINT fk_preferences_user_id FOREIGN KEY (channel_id, user_id) REFERENCES channels.members (channel_id, id),
        CONSTRAINT uq_preferences_channel_id_user_id_name UNIQUE (channel_id, user_id, name)""",
    )


def downgrade() -> None:
    sql("DROP POLICY IF EXISTS member ON auth.users", "DROP POLICY IF EXISTS newcomer ON auth.users")
    drop_schema("channels")
